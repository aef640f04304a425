/**
 * Moves the serving numbers. Every process runs a ticker, but for each sale only the holder of a short lease in Redis admits
 * anybody; the fence makes sure that a holder which was paused cannot act on what it knew before.
 *
 * The lease has no time in it, so that servers need not agree about the time: its holder counts a beat up with every tick,
 * and whoever has seen the same beat for `tickerLeaseMs` of its own clock takes over.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import type { PhaseChanged } from '../../order-log/records.ts';
import type { Clock } from '../../platform/clock.ts';
import { withDeadline } from '../../platform/deadline.ts';
import { saleKeys } from '../../redis/keys.ts';
import {
  advanceServingScript,
  type LeaderTick,
  releaseLeaseScript,
  tickScript,
} from '../../redis/scripts/admission.ts';
import type { LiveSales } from '../stock/live-sales.ts';
import {
  type AdmissionDecision,
  type AdmissionFacts,
  type AdmissionLimiter,
  type AdmissionState,
  decideAdmission,
  giveBack,
} from './admission-controller.ts';
import { formatAdmission, parseAdmission } from './admission-memory.ts';
import type { HealthFacts } from './health-rate.ts';

export interface TickerOptions {
  readonly redis: Redis;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly live: LiveSales;
  /** Unique to this process's life: a restarted process is another node. */
  readonly node: string;
  /** How busy this server is; in mode `auto` the leader admits by its own. */
  readonly health: () => HealthFacts;
  /** Makes a phase change by the sale's own times durable. */
  readonly recordPhase: (record: PhaseChanged) => Promise<unknown>;
}

interface Leadership {
  readonly epoch: number;
  /** Begins anew with every epoch. */
  readonly fence: number;
  readonly decidedAtMs: number;
  /** The same moment in the time of the admission windows. */
  readonly windowMs: number;
  readonly state: AdmissionState;
  readonly decision: AdmissionDecision | undefined;
}

/** What the admission of a sale that this process leads did last. */
export interface AdmissionReport {
  readonly limitedBy: AdmissionLimiter;
  /** Of those who are admitted now, the share that is expected to come, 0 … 1. */
  readonly showRate: number;
  /** Buyers per second that the rate allows at present: the operator's, or in mode `auto` what the server keeps up with. */
  readonly ratePerSecond: number;
}

/** The leader's last beat, and since when it has been the last by this process's clock. */
interface SeenBeat {
  readonly epoch: number;
  readonly leaseBeat: number;
  readonly sinceMs: number;
}

export class Ticker {
  readonly #options: TickerOptions;
  readonly #leading = new Map<number, Leadership>();
  readonly #following = new Map<number, SeenBeat>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(options: TickerOptions) {
    this.#options = options;
  }

  /** By sale; only those that this process leads. */
  get reports(): ReadonlyMap<number, AdmissionReport> {
    const led = [...this.#leading].flatMap(([saleId, { decision }]) =>
      decision === undefined ? [] : [[saleId, decision] as const],
    );
    return new Map(led);
  }

  start(): void {
    const round = (): void => {
      this.#running = this.#tickAll().finally(() => {
        if (!this.#stopped) this.#timer = setTimeout(round, LIMITS.tickMs);
      });
    };
    round();
  }

  /**
   * Stops admitting at once, and gives the leases up, so that another server goes on with its next tick. One that cannot be given
   * up now runs out by itself, and so it is waited for no longer than that takes: a tick under way admits nobody any more.
   */
  stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const tooLate = () => new Error('Redis takes longer than the lease');
    this.#stopping ??= withDeadline(this.#finish(), LIMITS.tickerLeaseMs, tooLate).catch((error: unknown) =>
      this.#options.logger.debug({ err: error }, 'a lease was not given up'),
    );
    return this.#stopping;
  }

  async #finish(): Promise<void> {
    await this.#running;
    const led = [...this.#leading];
    this.#leading.clear();
    await Promise.all(led.map(([saleId, leadership]) => this.#giveUp(saleId, leadership)));
  }

  async #giveUp(saleId: number, { epoch, fence, state }: Leadership): Promise<void> {
    const { redis, node } = this.#options;
    const args = { epoch, node, fence, controller: formatAdmission(state) };
    await releaseLeaseScript.run(redis, { sale: saleKeys.sale(saleId) }, args);
  }

  async #tickAll(): Promise<void> {
    const { live, logger } = this.#options;
    const due = new Set([...live.followed].filter((saleId) => this.#needsTick(saleId)));
    for (const known of [this.#leading, this.#following])
      for (const saleId of known.keys()) if (!due.has(saleId)) known.delete(saleId);
    const results = await Promise.allSettled([...due].map((saleId) => this.tick(saleId)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) logger.debug({ err: failed.reason }, 'a tick failed; the next one tries again');
  }

  #needsTick(saleId: number): boolean {
    const sale = this.#options.live.get(saleId);
    if (sale === undefined) return false;
    const { storedPhase, opensAtMs, pending } = sale.snapshot;
    if (storedPhase === 'closed') return pending > 0;
    return storedPhase !== 'scheduled' || opensAtMs - this.#options.clock.nowMs() < 10 * LIMITS.tickMs;
  }

  /** One tick of one sale; public for tests. */
  async tick(saleId: number): Promise<void> {
    const { redis, clock, node, live } = this.#options;
    const epoch = live.get(saleId)?.snapshot.epoch;
    if (epoch === undefined) {
      this.#leading.delete(saleId);
      return;
    }
    const nowMs = clock.nowMs();
    const known = this.#leadership(saleId, epoch);
    const result = await tickScript.run(
      redis,
      {
        sale: saleKeys.sale(saleId),
        steps: saleKeys.steps(saleId),
        remaining: saleKeys.remaining(saleId),
        departed: saleKeys.departed(saleId),
      },
      {
        epoch,
        nowMs,
        node,
        idleBeat: this.#idleBeat(saleId, epoch, nowMs),
        stepsAtMost: LIMITS.stepsPerCall,
        agedStepsAtMost: LIMITS.agedStepsPerTick,
        sampledStepsAtMost: LIMITS.sampledStepsPerTick,
        controller: known === undefined ? '' : formatAdmission(known.state),
        ratePerSecond: wholeRate(known?.decision),
      },
    );
    if (result.status !== 'leader') {
      this.#leading.delete(saleId);
      if (result.status === 'follower') this.#follow(saleId, epoch, result.leaseBeat);
      return;
    }
    this.#following.delete(saleId);
    if (known?.fence !== result.fence) this.#noteLeadership(saleId, result.fence);
    if (result.phase !== result.phaseBefore) await this.#recordPhase(saleId, epoch, result, nowMs);
    await this.#admit(saleId, epoch, result, nowMs);
  }

  /** What an earlier epoch knew is of other people. */
  #leadership(saleId: number, epoch: number): Leadership | undefined {
    const known = this.#leading.get(saleId);
    return known?.epoch === epoch ? known : undefined;
  }

  /** The beat that has not changed for as long as the lease; '' while the leader may be alive. */
  #idleBeat(saleId: number, epoch: number, nowMs: number): number | '' {
    const seen = this.#following.get(saleId);
    const isIdle = seen?.epoch === epoch && nowMs - seen.sinceMs >= LIMITS.tickerLeaseMs;
    return isIdle ? seen.leaseBeat : '';
  }

  #follow(saleId: number, epoch: number, leaseBeat: number): void {
    const seen = this.#following.get(saleId);
    if (seen?.epoch === epoch && seen.leaseBeat === leaseBeat) return;
    this.#following.set(saleId, { epoch, leaseBeat, sinceMs: this.#options.clock.nowMs() });
  }

  /** Rare while all is well: often, it tells of servers that stall or cannot reach Redis. */
  #noteLeadership(saleId: number, fence: number): void {
    this.#options.logger.info({ saleId, fence }, 'this server lets the buyers of a sale in from now on');
  }

  async #recordPhase(saleId: number, epoch: number, tick: LeaderTick, nowMs: number): Promise<void> {
    const { logger, recordPhase } = this.#options;
    logger.info({ saleId, from: tick.phaseBefore, to: tick.phase }, 'a sale changed its phase by its own times');
    await recordPhase({
      type: 'phaseChanged',
      saleId,
      epoch,
      at: nowMs,
      from: tick.phaseBefore,
      to: tick.phase,
      phaseSeq: tick.phaseSeq,
    });
  }

  async #admit(saleId: number, epoch: number, tick: LeaderTick, nowMs: number): Promise<void> {
    const known = this.#leadership(saleId, epoch);
    const { fence, windowMs } = tick;
    // Who leads anew goes on where the one before has stopped.
    const fresh = { decidedAtMs: nowMs, windowMs, state: parseAdmission(tick.controller) };
    const before = known?.fence === fence ? known : fresh;
    const elapsed = { elapsedMs: nowMs - before.decidedAtMs, windowElapsedMs: windowMs - before.windowMs };
    const decision = decideAdmission(this.#factsOf(tick, elapsed), before.state);
    const leadership = { epoch, fence, decidedAtMs: nowMs, windowMs, decision };
    this.#leading.set(saleId, { ...leadership, state: decision.state });
    if (decision.admit === 0 || this.#stopped) return;
    const { redis, node } = this.#options;
    const advanced = await advanceServingScript.run(
      redis,
      {
        sale: saleKeys.sale(saleId),
        steps: saleKeys.steps(saleId),
        remaining: saleKeys.remaining(saleId),
        departed: saleKeys.departed(saleId),
      },
      {
        epoch,
        nowMs,
        node,
        fence: tick.fence,
        expectedServing: tick.servingNumber,
        admit: decision.admit,
        ghostsAtMost: LIMITS.ghostsPerTick,
        pendingAtMost: tick.pending + decision.admit,
      },
    );
    const admitted = advanced.status === 'advanced' ? advanced.admitted : 0;
    this.#leading.set(saleId, { ...leadership, state: giveBack(decision, admitted) });
  }

  #factsOf(tick: LeaderTick, elapsed: Pick<AdmissionFacts, 'elapsedMs' | 'windowElapsedMs'>): AdmissionFacts {
    const { pending, inside, available, maxActive, perSecond, mode, admissionMs, showsByAge, pendingByAge } = tick;
    return {
      ...elapsed,
      ...{ pending, inside, available, maxActive, perSecond, mode, admissionMs, showsByAge, pendingByAge },
      waiting: tick.drawn - tick.servingNumber,
      open: tick.phase === 'open',
      health: this.#options.health(),
    };
  }
}

/** For those who estimate the wait. A rate of less than one a second is still one. */
function wholeRate(decision: AdmissionDecision | undefined): number | '' {
  if (decision === undefined) return '';
  return decision.ratePerSecond > 0 ? Math.max(1, Math.round(decision.ratePerSecond)) : 0;
}
