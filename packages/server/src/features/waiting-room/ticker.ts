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
import { saleKeys } from '../../redis/keys.ts';
import { advanceServingScript, type LeaderTick, tickScript } from '../../redis/scripts.ts';
import type { LiveSales } from '../stock/live-sales.ts';
import { type AdmissionDecision, decideAdmission } from './admission-controller.ts';

export interface TickerOptions {
  readonly redis: Redis;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly live: LiveSales;
  /** Unique to this process's life: a restarted process is another node. */
  readonly node: string;
  /** Makes a phase change by the sale's own times durable. */
  readonly recordPhase: (record: PhaseChanged) => Promise<unknown>;
}

interface Leadership {
  readonly fence: number;
  readonly decidedAtMs: number;
  readonly allowance: number;
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

  constructor(options: TickerOptions) {
    this.#options = options;
  }

  start(): void {
    const round = (): void => {
      this.#running = this.#tickAll().finally(() => {
        if (!this.#stopped) this.#timer = setTimeout(round, LIMITS.tickMs);
      });
    };
    round();
  }

  /** Stops admitting at once; resolves when the round under way is over. The lease runs out by itself. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #tickAll(): Promise<void> {
    const { live, logger } = this.#options;
    const due = [...live.followed].filter((saleId) => this.#needsTick(saleId));
    const results = await Promise.allSettled(due.map((saleId) => this.tick(saleId)));
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
    if (epoch === undefined) return;
    const nowMs = clock.nowMs();
    const result = await tickScript.run(
      redis,
      { sale: saleKeys.sale(saleId), steps: saleKeys.steps(saleId), remaining: saleKeys.remaining(saleId) },
      { epoch, nowMs, node, idleBeat: this.#idleBeat(saleId, epoch, nowMs), stepsAtMost: LIMITS.stepsPerCall },
    );
    if (result.status !== 'leader') {
      this.#leading.delete(saleId);
      if (result.status === 'follower') this.#follow(saleId, epoch, result.leaseBeat);
      return;
    }
    this.#following.delete(saleId);
    this.#noteLeadership(saleId, result.fence);
    if (result.phase !== result.phaseBefore) await this.#recordPhase(saleId, epoch, result, nowMs);
    await this.#admit(saleId, epoch, result, nowMs);
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
    if (this.#leading.get(saleId)?.fence === fence) return;
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
    const known = this.#leading.get(saleId);
    const before = known?.fence === tick.fence ? known : { fence: tick.fence, decidedAtMs: nowMs, allowance: 0 };
    const decision: AdmissionDecision = decideAdmission({
      elapsedMs: nowMs - before.decidedAtMs,
      waiting: tick.drawn - tick.servingNumber,
      pending: tick.pending,
      inside: tick.inside,
      maxActive: tick.maxActive,
      perSecond: tick.perSecond,
      available: tick.available,
      open: tick.phase === 'open',
      allowance: before.allowance,
    });
    this.#leading.set(saleId, { fence: tick.fence, decidedAtMs: nowMs, allowance: decision.allowance });
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
        newServing: tick.servingNumber + decision.admit,
      },
    );
    // Numbers whose buyers left were passed over: the rate is for people.
    const unused = advanced.status === 'advanced' ? decision.admit - advanced.admitted : decision.admit;
    const allowance = decision.allowance + unused;
    this.#leading.set(saleId, { fence: tick.fence, decidedAtMs: nowMs, allowance });
  }
}
