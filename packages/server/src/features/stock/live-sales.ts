/**
 * The live state of sales in this process's memory, refreshed from Redis a few times a second: one command per sale,
 * process and refresh, however many people poll. All public reads of stock and queue are answered from here.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Phase } from '../../contract/words.ts';
import { LIMITS } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { isStoreFailure } from '../../platform/problem-details.ts';
import { saleKeys } from '../../redis/keys.ts';
import { knownRunOf } from '../../redis/run-id.ts';
import { type AdmissionStep, readStateScript, type SaleSnapshot } from '../../redis/scripts/sale-state.ts';
import { configureSaleScript, createSaleScript } from '../../redis/scripts/sales.ts';
import type { SaleRecord } from '../catalogue/sale-record.ts';
import { OUTFLOW_HISTORY_MS } from '../waiting-room/wait-estimate.ts';
import { phaseNow, windowsBehind } from '../waiting-room/waiting-room.ts';
import { saleRecovering } from './require-live-sale.ts';
import type { Configured, LiveSaleState, SaleStates } from './sale-states.ts';

export interface LiveSale {
  readonly saleId: number;
  readonly snapshot: SaleSnapshot;
  /**
   * Ascending; those whose window is open, and a few older ones. `atMs` is the moment from which the whole window would have
   * run without a stop: later than the admission by as long as the windows have stood still since.
   */
  readonly steps: readonly AdmissionStep[];
  /** By how much the time of the windows is behind, milliseconds. */
  readonly windowsBehindMs: number;
  readonly phase: Phase;
  /** When this was read, clock of this process, Unix milliseconds. */
  readonly readAtMs: number;
}

/** What a look at Redis said. Only a sound state is sold from. */
export type Reading =
  | { readonly status: 'sound'; readonly sale: LiveSale }
  /** `epoch` is the one Redis has, 0 without any. */
  | { readonly status: 'missing' | 'doubtful'; readonly reason: string; readonly epoch: number };

export interface LiveSalesOptions {
  readonly redis: Redis;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called with every reading that cannot be trusted: why, for people. The sale is frozen until a reading can be. */
  readonly onSuspect: (saleId: number, reason: string) => void;
}

/** How many steps one refresh can bring: at one step a tick this is minutes of catching up. */
const STEPS_PER_READ = 2_000;
/** Sales that cannot change soon are looked at less often. */
const QUIET_REFRESH_MS = 2_000;

export class LiveSales implements SaleStates {
  readonly #options: LiveSalesOptions;
  readonly #sales = new Map<number, LiveSale>();
  readonly #followed = new Set<number>();
  readonly #reading = new Map<number, Promise<LiveSale | undefined>>();
  /** Sale → the lowest epoch that can be trusted; without an entry any. */
  readonly #floors = new Map<number, number>();
  /** Sale → the newest epoch that was read, and the highest sequence number in it. */
  readonly #newest = new Map<number, { readonly epoch: number; readonly seq: number }>();
  readonly #listeners: ((sale: LiveSale) => void)[] = [];
  readonly #unfollowListeners: ((saleId: number) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #failing = false;
  /** How many lost sales have been asked for: whose turn it is. */
  #lostAsked = 0;

  constructor(options: LiveSalesOptions) {
    this.#options = options;
  }

  /** Sales this process refreshes. */
  get followed(): ReadonlySet<number> {
    return this.#followed;
  }

  /** @param listener is called with every sound state that was read, for as long as the process lives */
  onRead(listener: (sale: LiveSale) => void): void {
    this.#listeners.push(listener);
  }

  /** @param listener is called with every sale that is not there any more */
  onUnfollow(listener: (saleId: number) => void): void {
    this.#unfollowListeners.push(listener);
  }

  follow(saleId: number): void {
    this.#followed.add(saleId);
  }

  unfollow(saleId: number): void {
    this.#followed.delete(saleId);
    this.#sales.delete(saleId);
    for (const listener of this.#unfollowListeners) listener(saleId);
  }

  /**
   * Trusts no state below an epoch from now on: one that is older is being replaced, or is a ghost. Requests for the sale
   * get 503 until the new one is there.
   */
  freeze(saleId: number, belowEpoch: number): void {
    if (belowEpoch <= this.floor(saleId)) return;
    this.#floors.set(saleId, belowEpoch);
    if ((this.#sales.get(saleId)?.snapshot.epoch ?? belowEpoch) < belowEpoch) this.#sales.delete(saleId);
  }

  /** The lowest epoch of a sale that is trusted here. */
  floor(saleId: number): number {
    return this.#floors.get(saleId) ?? 0;
  }

  /** The newest epoch of a sale that was ever read here; 0 when it was never read. */
  newestEpoch(saleId: number): number {
    return this.#newest.get(saleId)?.epoch ?? 0;
  }

  /** From memory, no Redis command. Undefined: not followed yet, or too old to be trusted. */
  get(saleId: number): LiveSale | undefined {
    const sale = this.#sales.get(saleId);
    if (sale === undefined || this.#options.clock.nowMs() - sale.readAtMs > LIMITS.stateStaleMs) return undefined;
    return sale;
  }

  /** As they were read last, however long ago: to tell how long that is. Nobody is to be answered from them. */
  get lastReadings(): readonly LiveSale[] {
    return [...this.#sales.values()];
  }

  /**
   * From memory when it is there, else from Redis; follows the sale from now on. Undefined while Redis cannot be reached or
   * the state is being rebuilt: the refresh goes on trying.
   */
  async load(saleId: number): Promise<LiveSale | undefined> {
    const known = this.get(saleId);
    if (known !== undefined) return known;
    try {
      return await this.refresh(saleId);
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }

  /** Reads in the background: for a caller that learned that what is in memory is out of date. */
  refreshSoon(saleId: number): void {
    this.refresh(saleId).catch((error: unknown) => this.#report(error));
  }

  async find(sale: SaleRecord): Promise<LiveSaleState | undefined> {
    const live = await this.load(sale.id);
    if (live === undefined) return undefined;
    const { available, held, sold } = live.snapshot;
    return { phase: live.phase, available, held, sold };
  }

  async create(sale: SaleRecord): Promise<void> {
    await createSaleScript.run(this.#options.redis, { sale: saleKeys.sale(sale.id) }, newSaleArguments(sale));
    await this.refresh(sale.id);
  }

  async configure(sale: SaleRecord): Promise<Configured> {
    const { redis } = this.#options;
    // Read now: how far the capacity may go down is for a state to say that can be trusted.
    const live = await this.refresh(sale.id);
    if (live === undefined) throw saleRecovering();
    const keys = { sale: saleKeys.sale(sale.id), released: saleKeys.released(sale.id) };
    const { epoch } = live.snapshot;
    const result = await configureSaleScript.run(redis, keys, { ...settingsOf(sale), epoch });
    if (result.status === 'missing' || result.status === 'wrongEpoch') {
      this.refreshSoon(sale.id);
      throw saleRecovering();
    }
    if (result.status === 'capacityInUse') return result;
    await this.refresh(sale.id);
    return { status: 'configured' };
  }

  /** Reads now; concurrent calls share one command. Undefined when what Redis has cannot be trusted. */
  refresh(saleId: number): Promise<LiveSale | undefined> {
    const running = this.#reading.get(saleId);
    if (running !== undefined) return running;
    const reading = this.#read(saleId).finally(() => this.#reading.delete(saleId));
    this.#reading.set(saleId, reading);
    return reading;
  }

  /**
   * As `refresh`, but reads after this call for certain: a reading that is under way may have asked before what the caller
   * knows happened. Concurrent calls share the one that comes next, so there is never more than one command at a time.
   */
  async reread(saleId: number): Promise<LiveSale | undefined> {
    await this.#reading.get(saleId)?.catch(() => undefined);
    return this.refresh(saleId);
  }

  async #read(saleId: number): Promise<LiveSale | undefined> {
    this.#followed.add(saleId);
    const reading = await this.read(saleId);
    if (reading.status === 'sound') return reading.sale;
    if (!this.#stopped) this.#options.onSuspect(saleId, reading.reason);
    return undefined;
  }

  /** Reads now and judges; keeps what is sound and forgets the sale when it is not. */
  async read(saleId: number): Promise<Reading> {
    const { redis, clock } = this.#options;
    const run = knownRunOf(redis);
    const before = this.#sales.get(saleId);
    const newerThan = before?.steps.at(-1)?.servingNumber ?? 0;
    const keys = { sale: saleKeys.sale(saleId), steps: saleKeys.steps(saleId) };
    const snapshot = await readStateScript.run(redis, keys, { newerThan, stepsAtMost: STEPS_PER_READ });
    if (snapshot.status === 'missing') {
      this.#sales.delete(saleId);
      return { status: 'missing', reason: 'Redis has no state of the sale', epoch: 0 };
    }
    const reason = this.#reasonToDoubt(saleId, snapshot, run);
    if (reason !== undefined) {
      this.#sales.delete(saleId);
      return { status: 'doubtful', reason, epoch: snapshot.epoch };
    }
    this.#newest.set(saleId, snapshot);
    const nowMs = clock.nowMs();
    const sameEpoch = before?.snapshot.epoch === snapshot.epoch;
    const windowsBehindMs = windowsBehind(snapshot, nowMs);
    const known = sameEpoch ? moveSteps(before.steps, windowsBehindMs - before.windowsBehindMs) : [];
    const newSteps = moveSteps(snapshot.newSteps, windowsBehindMs);
    const steps = joinSteps(known, newSteps, snapshot.expiredThrough, nowMs);
    const sale: LiveSale = {
      saleId,
      snapshot,
      steps,
      windowsBehindMs,
      phase: phaseNow(snapshot, nowMs),
      readAtMs: nowMs,
    };
    this.#sales.set(saleId, sale);
    for (const listener of this.#listeners) listener(sale);
    return { status: 'sound', sale };
  }

  /**
   * Why a reading cannot be trusted, if so. Redis may have been wiped, restored from an older snapshot, or replaced by a
   * replica that had not heard everything.
   */
  #reasonToDoubt(saleId: number, snapshot: SaleSnapshot, run: string): string | undefined {
    const { epoch, seq } = snapshot;
    if (snapshot.run !== run) return `its state was made in another Redis process (${snapshot.run}, this is ${run})`;
    const newest = this.#newest.get(saleId);
    const lowest = Math.max(this.floor(saleId), newest?.epoch ?? 0);
    if (epoch < lowest) return `its state is of epoch ${epoch}, and ${lowest} has begun`;
    if (epoch === newest?.epoch && seq < newest.seq) return `its sequence went back from ${newest.seq} to ${seq}`;
    return undefined;
  }

  /** Refreshes all followed sales until `stop`. */
  start(): void {
    const round = async (): Promise<void> => {
      const results = await Promise.allSettled(this.#due().map((saleId) => this.refresh(saleId)));
      this.#report(results.find((result) => result.status === 'rejected')?.reason);
      if (!this.#stopped) this.#timer = setTimeout(round, LIMITS.stateRefreshMs);
    };
    this.#timer = setTimeout(round, 0);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #due(): readonly number[] {
    const nowMs = this.#options.clock.nowMs();
    const lost: number[] = [];
    const due: number[] = [];
    for (const saleId of this.#followed) {
      const sale = this.#sales.get(saleId);
      if (sale === undefined) lost.push(saleId);
      else if (this.#isDue(sale, nowMs)) due.push(saleId);
    }
    return [...due, ...this.#lostInTurn(lost)];
  }

  /** What another server has put in place is read when its rebuild is over: this is for what goes on being lost. */
  #lostInTurn(lost: readonly number[]): readonly number[] {
    const atOnce = LIMITS.lostSalesPerRefresh;
    if (lost.length <= atOnce) return lost;
    const from = this.#lostAsked % lost.length;
    this.#lostAsked += atOnce;
    return [...lost.slice(from), ...lost.slice(0, from)].slice(0, atOnce);
  }

  #isDue(sale: LiveSale, nowMs: number): boolean {
    const quiet =
      sale.phase === 'closed' || (sale.phase === 'scheduled' && sale.snapshot.opensAtMs - nowMs > 2 * QUIET_REFRESH_MS);
    return nowMs - sale.readAtMs >= (quiet ? QUIET_REFRESH_MS : LIMITS.stateRefreshMs / 2);
  }

  /** Says when Redis stops answering and when it answers again, not every time in between; anything else every time. */
  #report(error: unknown): void {
    const failing = error !== undefined;
    if (failing && (!this.#failing || !isStoreFailure(error))) {
      this.#options.logger.warn({ err: error }, 'sale states cannot be refreshed');
    }
    if (!failing && this.#failing) this.#options.logger.info('sale states are fresh again');
    this.#failing = failing;
  }
}

function moveSteps(steps: readonly AdmissionStep[], byMs: number): readonly AdmissionStep[] {
  if (byMs === 0) return steps;
  return steps.map(({ servingNumber, atMs }) => ({ servingNumber, atMs: atMs + byMs }));
}

/** Keeps what the estimates and the polls still need: open windows, and the outflow's averaging time. */
function joinSteps(
  known: readonly AdmissionStep[],
  newSteps: readonly AdmissionStep[],
  expiredThrough: number,
  nowMs: number,
): readonly AdmissionStep[] {
  if (newSteps.length === 0 && (known[0]?.servingNumber ?? Number.MAX_SAFE_INTEGER) > expiredThrough) return known;
  const keepSinceMs = nowMs - OUTFLOW_HISTORY_MS;
  const kept = known.filter((step) => step.servingNumber > expiredThrough || step.atMs > keepSinceMs);
  return [...kept, ...newSteps];
}

function settingsOf(sale: SaleRecord) {
  const { version, capacity, price, limitPerBuyer, opensAtMs, closesAtMs, rejoin } = sale;
  return {
    version,
    capacity,
    price,
    limitPerBuyer,
    opensAtMs,
    closesAtMs,
    holdMs: sale.holdSeconds * 1000,
    admissionMs: sale.admissionSeconds * 1000,
    rejoin,
  };
}

function newSaleArguments(sale: SaleRecord) {
  return {
    ...settingsOf(sale),
    epoch: 1,
    phase: 'scheduled',
    phaseSeq: 0,
    mode: 'fixed',
    perSecond: LIMITS.perSecondDefault,
    maxActive: LIMITS.maxActiveDefault,
    admissionSeq: 0,
    drawn: 0,
    sold: 0,
    nextFresh: 1,
    confirmSeq: 0,
  } as const;
}
