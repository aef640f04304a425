/** Once a second, beside k6: processor time and what the servers say. */
import type { Context } from '../../context.ts';
import type { CpuWatch } from './cpu-watch.ts';
import type { FigureWatch } from './server-figures.ts';
import type { Observation } from './timeline.ts';

const EVERY_MS = 1_000;

export interface ObserverOptions {
  readonly context: Pick<Context, 'now'>;
  readonly cpu: CpuWatch;
  readonly figures: FigureWatch;
}

export class Observer {
  /** Oldest first. */
  readonly seen: Observation[] = [];
  readonly #options: ObserverOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  start(): void {
    // The first reading is where the first second begins.
    this.#options.cpu.sample();
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { context, cpu, figures } = this.#options;
    const heard = figures.latest();
    this.seen.push({
      atMs: context.now(),
      cpu: cpu.sample(),
      server: heard?.server ?? null,
      sale: heard?.sale ?? null,
    });
  }
}
