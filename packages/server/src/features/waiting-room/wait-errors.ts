/**
 * How good the estimates of the wait were. Of every so many numbers the estimate that was told on joining is kept until their
 * turn; when it came is known from the admission steps, so that nobody has to ask again for it.
 */
import { Counter, Histogram, type Metric } from 'prom-client';
import { LIMITS } from '../../limits.ts';
import { type SaleTallies, WAIT_OUTCOMES } from '../../platform/sale-tallies.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import type { WaitEstimate } from './wait-estimate.ts';
import { admittedAtMs } from './waiting-room.ts';

interface Sample {
  readonly number: number;
  readonly toldAtMs: number;
  readonly etaSeconds: number;
  readonly etaSecondsMax: number;
}

/** Of one sale and epoch. */
interface Samples {
  readonly epoch: number;
  /** By ascending number. */
  readonly waiting: Sample[];
}

export class WaitErrors {
  readonly #tallies: Pick<SaleTallies, 'countWait'> | undefined;
  readonly #samples = new Map<number, Samples>();
  #kept = 0;
  readonly #ratio = new Histogram({
    name: 'fest_wait_to_estimate_ratio',
    help: 'How long people waited, divided by the estimate they were told on joining; of one number in 64, when either was 10 s or more',
    buckets: [0.25, 0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 4],
    registers: [],
  });
  readonly #outcomes = new Counter({
    name: 'fest_wait_estimates_total',
    help: 'Turns that came before the range told on joining, within it, or after it; of one number in 64',
    labelNames: ['outcome'] as const,
    registers: [],
  });

  /** @param tallies hear of every turn that came, by sale */
  constructor(tallies?: Pick<SaleTallies, 'countWait'>) {
    this.#tallies = tallies;
    // A rate of something that has not happened yet is zero, not unknown.
    for (const outcome of WAIT_OUTCOMES) this.#outcomes.inc({ outcome }, 0);
  }

  get metrics(): readonly Metric[] {
    return [this.#ratio, this.#outcomes];
  }

  /** Estimates that wait for their turn. */
  get kept(): number {
    return this.#kept;
  }

  /** Notes what a buyer is told on joining. The first estimate counts: joining again is closer to the turn. */
  told(sale: LiveSale, number: number, { etaSeconds, etaSecondsMax }: WaitEstimate, nowMs: number): void {
    if (number % LIMITS.waitSampleEvery !== 0) return;
    if (etaSeconds === null || etaSecondsMax === null || etaSeconds === 0) return;
    const { waiting } = this.#of(sale);
    // Nearly always the end: numbers are drawn in order.
    let place = waiting.length;
    while (place > 0 && (waiting[place - 1]?.number ?? 0) > number) place -= 1;
    if (waiting[place - 1]?.number === number || !this.#hasRoomFor(waiting)) return;
    waiting.splice(place, 0, { number, toldAtMs: nowMs, etaSeconds, etaSecondsMax });
    this.#kept += 1;
  }

  /** Compares the estimates of those whose turn has come. For every new reading of a sale. */
  settle(sale: LiveSale): void {
    if (!this.#samples.has(sale.saleId)) return;
    const { waiting } = this.#of(sale);
    const { servingNumber } = sale.snapshot;
    let served = 0;
    for (; (waiting[served]?.number ?? Number.POSITIVE_INFINITY) <= servingNumber; served += 1) {
      const sample = waiting[served];
      // A step that is not known here any more: nobody can say when it was.
      const atMs = sample && admittedAtMs(sale.steps, sample.number);
      if (sample !== undefined && atMs !== undefined) this.#observe(sale.saleId, sample, atMs);
    }
    this.#kept -= waiting.splice(0, served).length;
    // Who still waits when the sale closes never has a turn.
    if (waiting.length === 0 || sale.phase === 'closed') this.forget(sale.saleId);
  }

  /** For a sale that is not there any more. */
  forget(saleId: number): void {
    this.#kept -= this.#samples.get(saleId)?.waiting.length ?? 0;
    this.#samples.delete(saleId);
  }

  /**
   * The room is shared: a sale that nobody is admitted to any more, sold out or paused for days, keeps its samples only until
   * another needs them. The sale with most of them gives up the one that is furthest from its turn.
   */
  #hasRoomFor(waiting: readonly Sample[]): boolean {
    if (this.#kept < LIMITS.waitSamples) return true;
    let most: Sample[] = [];
    for (const samples of this.#samples.values()) if (samples.waiting.length > most.length) most = samples.waiting;
    if (most.length <= waiting.length + 1) return false;
    most.pop();
    this.#kept -= 1;
    return true;
  }

  #observe(saleId: number, { toldAtMs, etaSeconds, etaSecondsMax }: Sample, atMs: number): void {
    const waitedSeconds = Math.max(0, atMs - toldAtMs) / 1000;
    // Whoever is told a second and waits for a tenth of one is not told wrong.
    if (Math.max(waitedSeconds, etaSeconds) >= LIMITS.waitJudgedSecondsMin) {
      this.#ratio.observe(waitedSeconds / etaSeconds);
    }
    // By whole seconds, as they were told.
    const outcome = waitedSeconds > etaSecondsMax ? 'late' : Math.ceil(waitedSeconds) < etaSeconds ? 'early' : 'within';
    this.#outcomes.inc({ outcome });
    this.#tallies?.countWait(saleId, waitedSeconds, outcome);
  }

  /** Numbers of an older epoch never have their turn. */
  #of(sale: LiveSale): Samples {
    const known = this.#samples.get(sale.saleId);
    const { epoch } = sale.snapshot;
    if (known?.epoch === epoch) return known;
    this.#kept -= known?.waiting.length ?? 0;
    const samples: Samples = { epoch, waiting: [] };
    this.#samples.set(sale.saleId, samples);
    return samples;
  }
}
