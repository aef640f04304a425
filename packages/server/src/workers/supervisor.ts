/**
 * Keeps the workers of a server running: starts them, starts again who ended, replaces them one after the other, and ends them.
 * It knows nothing of what they do, and touches no store, so that there is next to nothing in it that could fail.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backoffMs } from '../platform/retry.ts';
import { shareReading } from '../platform/shared-reading.ts';
import type { Gathered, Question } from './messages.ts';
import { type WorkerEnd, WorkerLife, type WorkerProcess } from './worker-life.ts';

/** Milliseconds; see `LIMITS.worker…`. */
export interface SupervisorPace {
  readonly readyMs: number;
  readonly heardMs: number;
  readonly answerMs: number;
  readonly roomMs: number;
  /** For so long figures that were gathered are told to others as well. */
  readonly figuresMs: number;
  readonly restartFirstMs: number;
  readonly restartMaxMs: number;
  readonly healthyMs: number;
  /** How long a worker may take that goes because another one takes its place, and because all stop. */
  readonly replaceMs: number;
  readonly stopMs: number;
}

export interface SupervisorOptions {
  /** How many. */
  readonly workers: number;
  readonly spawn: (worker: number) => WorkerProcess;
  readonly logger: Logger;
  readonly pace: SupervisorPace;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** What the primary itself answers. */
  readonly answer: (what: Question) => Promise<unknown>;
}

/** Where one of the workers is, whichever process runs it. */
interface Place {
  readonly worker: number;
  life: WorkerLife | undefined;
  crashes: number;
  /** Ends in a row that came early. */
  failures: number;
  /** Aborted: somebody else sees to it that it runs. */
  keeper: AbortController;
}

export type StartOutcome =
  | { readonly status: 'ready' }
  | { readonly status: 'failed'; readonly worker: number; readonly end: WorkerEnd };

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #places: readonly Place[];
  readonly #gather: Readonly<Record<Question, () => Promise<Gathered>>>;
  #state: 'starting' | 'running' | 'stopping' = 'starting';
  #rolling: Promise<void> | undefined;
  #isRollWanted = false;
  /** Whether any worker takes more connections, as all have been told. */
  #isRoom = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#gather = {
      health: shareReading(() => this.#askAll('health'), 0),
      metrics: shareReading(() => this.#askAll('metrics'), options.pace.figuresMs),
    };
    this.#places = Array.from({ length: options.workers }, (_, index) => ({
      worker: index + 1,
      life: undefined,
      crashes: 0,
      failures: 0,
      keeper: new AbortController(),
    }));
  }

  /**
   * Resolves when all take requests, or the first of them has failed: then none is left. The first begins alone: what is
   * wrong for all (a taken port, a store that is away) is found, and said, once.
   */
  async start(): Promise<StartOutcome> {
    for (const places of [this.#places.slice(0, 1), this.#places.slice(1)]) {
      if (this.#isStopping) break;
      const lives = places.map((place) => this.#begin(place));
      const isReady = await Promise.all(lives.map(({ ready }) => ready));
      const failed = isReady.indexOf(false);
      const [place, life] = [places[failed], lives[failed]];
      if (place === undefined || life === undefined || this.#isStopping) continue;
      const end = await life.ended;
      await this.stop();
      return { status: 'failed', worker: place.worker, end };
    }
    if (!this.#isStopping) this.#state = 'running';
    for (const place of this.#places) void this.#keep(place);
    return { status: 'ready' };
  }

  /**
   * Replaces the workers one after the other, each when the one before is back. Once more when it was asked for meanwhile:
   * what is to be taken up may have changed since the first of them started.
   */
  roll(): Promise<void> {
    const { logger } = this.#options;
    if (this.#state !== 'running') {
      logger.warn({ state: this.#state }, 'no rolling restart: the server starts or stops');
      return Promise.resolve();
    }
    this.#isRollWanted = true;
    if (this.#rolling !== undefined) {
      logger.info('a rolling restart is under way; another one follows it');
      return this.#rolling;
    }
    this.#rolling = this.#rollWhileWanted().finally(() => {
      this.#rolling = undefined;
    });
    return this.#rolling;
  }

  /** Ends all. Resolves true when each went by itself, in time and without a fault. */
  async stop(): Promise<boolean> {
    this.#state = 'stopping';
    const { stopMs } = this.#options.pace;
    for (const { keeper } of this.#places) keeper.abort();
    const went = await Promise.all(this.#places.map(async ({ life }) => (await life?.leave('stop', stopMs)) ?? true));
    return went.every(Boolean);
  }

  /** At once. */
  kill(): void {
    this.#state = 'stopping';
    for (const { keeper, life } of this.#places) {
      keeper.abort();
      life?.process.kill('SIGKILL');
    }
  }

  /** What all say; who does not say it in time is left out. However many ask at once, each worker is asked once. */
  gather(what: Question): Promise<Gathered> {
    return this.#gather[what]();
  }

  /** It may have become so during any wait. */
  get #isStopping(): boolean {
    return this.#state === 'stopping';
  }

  async #askAll(what: Question): Promise<Gathered> {
    const own = this.#options.answer(what).catch(() => undefined);
    const workers = await Promise.all(
      this.#places.map(async ({ worker, life, crashes }) => {
        const answer = await life?.ask(what);
        return { worker, state: life?.state ?? 'away', crashes, ...(answer === undefined ? {} : { answer }) };
      }),
    );
    const primary = await own;
    return { workers, ...(primary === undefined ? {} : { primary }) };
  }

  #begin(place: Place): WorkerLife {
    const { spawn, logger, pace } = this.#options;
    const { worker } = place;
    const life = new WorkerLife(spawn(worker), {
      readyMs: pace.readyMs,
      heardMs: pace.heardMs,
      answerMs: pace.answerMs,
      roomMs: pace.roomMs,
      onRoom: () => this.#tellRoom(),
      onGather: (what, reply, id) =>
        void this.gather(what).then((gathered) => reply({ fest: 'gathered', id, gathered })),
    });
    place.life = life;
    void life.ready.then((isReady) => {
      if (!isReady) return;
      logger.info({ worker, workerPid: life.process.pid }, 'a worker is ready');
      // Until it hears of room it takes it that there is none.
      if (this.#isRoom) life.process.send({ fest: 'room', isThere: true });
      this.#tellRoom();
    });
    return life;
  }

  #tellRoom(): void {
    const isThere = this.#places.some(({ life }) => life?.hasRoom === true);
    if (isThere === this.#isRoom) return;
    this.#isRoom = isThere;
    for (const { life } of this.#places) life?.process.send({ fest: 'room', isThere });
  }

  /** Starts it again whenever it ends, until somebody else takes care of it. */
  async #keep(place: Place): Promise<void> {
    const { logger, pace, random } = this.#options;
    const { worker, keeper } = place;
    while (!keeper.signal.aborted && place.life !== undefined) {
      const { life } = place;
      const { exitCode, signal } = await life.ended;
      if (keeper.signal.aborted) return;
      const livedMs = Math.round(performance.now() - life.beganMs);
      place.crashes += 1;
      place.failures = livedMs >= pace.healthyMs ? 0 : place.failures + 1;
      const attempt = Math.max(0, place.failures - 1);
      const restartInMs = backoffMs(attempt, pace.restartFirstMs, pace.restartMaxMs, random);
      logger.error(
        { worker, exitCode, signal, livedMs, restartInMs },
        'a worker ended; it is started again, the others go on',
      );
      await sleep(restartInMs, undefined, { signal: keeper.signal }).catch(() => undefined);
      if (keeper.signal.aborted) return;
      await this.#begin(place).ready;
    }
  }

  async #rollWhileWanted(): Promise<void> {
    const { logger } = this.#options;
    while (this.#isRollWanted && !this.#isStopping) {
      this.#isRollWanted = false;
      logger.info({ workers: this.#places.length }, 'a rolling restart begins');
      const failed = await this.#rollOnce();
      if (failed !== undefined) {
        this.#isRollWanted = false;
        logger.error(
          { worker: failed.worker },
          'the rolling restart has stopped: this worker does not get ready. The others sell on; it is tried again',
        );
        return;
      }
      if (!this.#isStopping) logger.info('the rolling restart is done');
    }
  }

  /** Returns the first worker that did not get ready; those behind it stay as they are. */
  async #rollOnce(): Promise<Place | undefined> {
    const { pace, logger } = this.#options;
    for (const place of this.#places) {
      place.keeper.abort();
      const inTime = (await place.life?.leave('restart', pace.replaceMs)) ?? true;
      if (!inTime) logger.warn({ worker: place.worker }, 'a worker did not go in time, or not well, and is replaced');
      if (this.#isStopping) return undefined;
      place.keeper = new AbortController();
      const isReady = await this.#begin(place).ready;
      void this.#keep(place);
      if (!isReady && !this.#isStopping) return place;
    }
    return undefined;
  }
}
