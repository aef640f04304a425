/** Tells Redis once a second how this process is, whatever the stores do meanwhile, and what has happened to it. */
import { performance } from 'node:perf_hooks';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { LIMITS } from '../../../limits.ts';
import { withDeadline } from '../../../platform/deadline.ts';
import { Rounds } from '../../../platform/rounds.ts';
import type { EventQueue } from './event-queue.ts';
import type { SeenProcess } from './fleet.ts';
import type { ProcessFigures } from './process-figures.ts';
import type { Sampler } from './sampler.ts';
import { noticed } from './sayings.ts';
import { readRedisTime, writeReport } from './store.ts';
import type { StoreWatch } from './store-watch.ts';

export interface ReporterOptions {
  readonly redis: Redis;
  readonly sampler: Sampler;
  readonly events: EventQueue;
  readonly redisWatch: StoreWatch;
  readonly mysqlWatch: StoreWatch;
  /** The smallest question there is. */
  readonly askMysql: () => Promise<unknown>;
  readonly logger: Logger;
}

interface Sample {
  readonly figures: ProcessFigures;
  /** By `performance.now()`. */
  readonly takenAtMs: number;
}

export class Reporter {
  readonly #options: ReporterOptions;
  readonly #rounds = new Rounds(async () => this.#begin(), LIMITS.fleetReportMs);
  #last: Sample | undefined;
  /** How far Redis's clock is ahead of `performance.now()`; undefined until it was asked. */
  #redisAheadMs: number | undefined;
  #reporting: Promise<void> = Promise.resolve();

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** What this process knows of itself, also while Redis does not; undefined before its first report. */
  get own(): SeenProcess | undefined {
    if (this.#last === undefined) return undefined;
    return { figures: this.#last.figures, ageMs: performance.now() - this.#last.takenAtMs };
  }

  start(): void {
    this.#begin();
    this.#rounds.start();
  }

  /** Says goodbye, if Redis hears it soon. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
    const goodbye = this.#reporting.then(() => this.report(true));
    const tooLate = () => new Error('Redis does not answer');
    await withDeadline(goodbye, LIMITS.fleetGoodbyeMs, tooLate).catch((error: unknown) =>
      this.#options.logger.debug({ err: error }, 'operators were not told that this process stops'),
    );
  }

  /** Nobody waits for a report: the next one is due in a second, whether or not this one was heard. */
  #begin(): void {
    this.#reporting = this.report();
  }

  /** Takes stock and tells Redis, unless Redis still owes an answer to the last report. Never fails. */
  async report(isOver = false): Promise<void> {
    const { sampler, events, redisWatch, mysqlWatch, askMysql, logger } = this.#options;
    try {
      void mysqlWatch.ask(askMysql);
      const before = this.#last?.figures;
      const figures = sampler.take(performance.now() + (this.#redisAheadMs ?? 0), isOver);
      this.#last = { figures, takenAtMs: performance.now() };
      events.say(...noticed(before, figures));
      await redisWatch.ask(() => this.#write(figures));
    } catch (error) {
      logger.error({ err: error }, 'a report for operators could not be made');
    }
  }

  async #write(figures: ProcessFigures): Promise<void> {
    const { redis, events } = this.#options;
    this.#redisAheadMs ??= (await readRedisTime(redis)) - performance.now();
    const beganMs = performance.now();
    const atMs = Math.round(beganMs + this.#redisAheadMs);
    const written = await writeReport(redis, { ...figures, atMs }, events.waiting);
    // Half-way between question and answer.
    this.#redisAheadMs = written.atMs - (beganMs + performance.now()) / 2;
    events.settle(written.told);
  }
}
