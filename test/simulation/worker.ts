/** A thread that runs seeds: it asks for one after the other and says what came of each. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadSimulation } from './load.ts';
import type { TextChange } from './modules/hooks.ts';
import type { SeedResult } from './run-seed.ts';
import type { Circumstances } from './world/faults.ts';

export interface WorkerInput {
  readonly steps: number;
  readonly changes: readonly TextChange[];
  readonly circumstances: Circumstances;
  /** Leaves out the seeds behind the first that fails. */
  readonly untilFailure: boolean;
}

/** To the worker: seeds to run; none: that was all. */
export type Work = readonly number[];

export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly results: readonly SeedResult[] }
  | { readonly kind: 'unusable'; readonly message: string };

async function work(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('this is the thread of a simulation: run main.ts');
  const { steps, changes, circumstances, untilFailure }: WorkerInput = workerData;
  const say = (report: Report): void => port.postMessage(report);
  try {
    const simulation = await loadSimulation(changes);
    port.on('message', async (seeds: Work) => {
      if (seeds.length === 0) return port.close();
      const results: SeedResult[] = [];
      for (const seed of seeds) {
        const result = await simulation.run({ seed, steps, circumstances });
        results.push(result);
        if (untilFailure && result.failure !== undefined) break;
      }
      return say({ kind: 'done', results });
    });
    say({ kind: 'ready' });
  } catch (error) {
    say({ kind: 'unusable', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    port.close();
  }
}

await work();
