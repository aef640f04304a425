/** Many seeds, on several threads. */
import { Worker } from 'node:worker_threads';
import type { TextChange } from './modules/hooks.ts';
import type { SeedResult } from './run-seed.ts';
import type { Report, Work, WorkerInput } from './worker.ts';
import type { Circumstances } from './world/faults.ts';

export interface CampaignOptions {
  readonly from: number;
  readonly seeds: number;
  /** Events of a seed before its faults end. */
  readonly steps: number;
  readonly workers: number;
  readonly changes?: readonly TextChange[];
  readonly circumstances?: Circumstances;
  /** Ends the campaign after the first seed that fails. */
  readonly untilFailure?: boolean;
  readonly onResult?: (result: SeedResult) => void;
}

/** Small enough that threads end together, large enough that messages do not matter. */
const SEEDS_AT_ONCE = 10;

class Seeds {
  #next: number;
  readonly #end: number;

  constructor(from: number, count: number) {
    this.#next = from;
    this.#end = from + count;
  }

  take(): Work {
    const from = this.#next;
    this.#next = Math.min(this.#end, from + SEEDS_AT_ONCE);
    return Array.from({ length: this.#next - from }, (_, index) => from + index);
  }

  stop(): void {
    this.#next = this.#end;
  }
}

function runThread(seeds: Seeds, options: CampaignOptions): Promise<readonly SeedResult[]> {
  const { steps, changes = [], circumstances = {}, untilFailure = false, onResult } = options;
  const workerData: WorkerInput = { steps, changes, circumstances, untilFailure };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData, execArgv: [] });
  const all: SeedResult[] = [];
  return new Promise((resolve, reject) => {
    worker.on('message', (report: Report) => {
      if (report.kind === 'unusable') {
        reject(new Error(report.message));
        return;
      }
      for (const result of report.kind === 'done' ? report.results : []) {
        all.push(result);
        onResult?.(result);
        if (untilFailure && result.failure !== undefined) seeds.stop();
      }
      worker.postMessage(seeds.take());
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve(all));
  });
}

/** Results in the order of their seeds. @throws when the simulation cannot be loaded, or a thread dies */
export async function runCampaign(options: CampaignOptions): Promise<readonly SeedResult[]> {
  const seeds = new Seeds(options.from, options.seeds);
  const threads = Array.from({ length: options.workers }, () => runThread(seeds, options));
  return (await Promise.all(threads)).flat().sort((a, b) => a.seed - b.seed);
}
