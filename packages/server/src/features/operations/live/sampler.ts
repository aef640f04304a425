/** Takes stock of this process, for its next report. */
import { performance } from 'node:perf_hooks';
import type { WindowFigures } from '../../../platform/request-window.ts';
import type { TallyFigures } from '../../../platform/sale-tallies.ts';
import { busyAdmissions } from './busy-admissions.ts';
import type { ProcessFigures } from './process-figures.ts';
import type { StoreWatch } from './store-watch.ts';

/** Which process it is. */
export interface ProcessIdentity {
  /** Of this life of the process. */
  readonly id: string;
  readonly server: string;
  readonly worker: number | null;
  readonly startedAtMs: number;
}

export interface FigureSources {
  /** What was answered since it was last asked; likewise the orders. */
  readonly requests: () => WindowFigures;
  readonly orders: () => ReadonlyMap<number, number>;
  /** Since the process began. */
  readonly tallies: () => Readonly<Record<string, TallyFigures>>;
  readonly admissions: () => ReadonlyMap<
    number,
    { readonly limitedBy: string; readonly showRate: number; readonly ratePerSecond: number }
  >;
  readonly webSockets: () => number;
  readonly logLagRecords: () => number;
  readonly failedRecords: () => number;
  readonly logOutOfSpace: () => boolean;
  readonly paymentsInFlight: () => number;
  readonly isLeaving: () => boolean;
}

export interface SamplerOptions {
  readonly identity: ProcessIdentity;
  readonly sources: FigureSources;
  readonly redis: Pick<StoreWatch, 'read'>;
  readonly mysql: Pick<StoreWatch, 'read'>;
}

/** Two timers may fire in one millisecond when the process was busy; a rate of nothing is nothing. */
const INTERVAL_MS_MIN = 1;

export class Sampler {
  readonly #options: SamplerOptions;
  #sinceMs = performance.now();
  #loop = performance.eventLoopUtilization();
  #cpu = process.cpuUsage();
  #beat = 0;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  /** What happened since the last sample. @param atMs Redis's time, Unix milliseconds @param isOver it is the last one */
  take(atMs: number, isOver = false): ProcessFigures {
    const { identity, sources, redis, mysql } = this.#options;
    this.#beat += 1;
    const { answers, refused, classes } = sources.requests();
    return {
      ...identity,
      beat: this.#beat,
      atMs: Math.round(atMs),
      ...this.#load(),
      leaving: isOver || sources.isLeaving(),
      answers,
      refused: { ...refused },
      classes: { ...classes } as ProcessFigures['classes'],
      orders: Object.fromEntries(sources.orders()),
      admissions: admissionsOf(sources),
      tallies: { ...sources.tallies() } as NonNullable<ProcessFigures['tallies']>,
      memoryBytes: process.memoryUsage.rss(),
      webSockets: sources.webSockets(),
      logLagRecords: Math.max(0, sources.logLagRecords()),
      failedRecords: sources.failedRecords(),
      logOutOfSpace: sources.logOutOfSpace(),
      paymentsInFlight: sources.paymentsInFlight(),
      redis: redis.read(),
      mysql: mysql.read(),
    };
  }

  #load(): Pick<ProcessFigures, 'intervalMs' | 'eventLoopUtilization' | 'cpu'> {
    const nowMs = performance.now();
    const loop = performance.eventLoopUtilization();
    const { user, system } = process.cpuUsage(this.#cpu);
    const intervalMs = Math.max(INTERVAL_MS_MIN, nowMs - this.#sinceMs);
    const { utilization } = performance.eventLoopUtilization(loop, this.#loop);
    this.#sinceMs = nowMs;
    this.#loop = loop;
    this.#cpu = process.cpuUsage();
    const cpu = (user + system) / 1_000 / intervalMs;
    return { intervalMs, eventLoopUtilization: Math.min(1, Math.max(0, utilization)), cpu };
  }
}

function admissionsOf({ admissions }: FigureSources): ProcessFigures['admissions'] {
  return Object.fromEntries(
    [...busyAdmissions(admissions())].map(([saleId, { limitedBy, showRate, ratePerSecond }]) => [
      saleId,
      { limitedBy, showRate: Math.min(1, Math.max(0, showRate)), ratePerSecond: Math.max(0, ratePerSecond) },
    ]),
  );
}
