/**
 * What this process has refused of each sale, and how long people waited in its line, since it began. Sums that only grow: whoever
 * reads them late, or twice, has the same. A refusal costs a look into two maps; other answers cost nothing.
 */
import type { ProblemCode } from '../contract/problems.ts';
import { LIMITS } from '../limits.ts';
import { LatencyHistogram } from './latency-histogram.ts';

export const WAIT_OUTCOMES = ['early', 'within', 'late'] as const;
export type WaitOutcome = (typeof WAIT_OUTCOMES)[number];

/** A tally as it is reported and stored. */
export interface TallyFigures {
  /** Problem documents by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Turns by how they came, against the range that was told on joining; of one number in 64. */
  readonly early: number;
  readonly within: number;
  readonly late: number;
  /** How long those waited: `LatencyHistogram.encode` of thousandths, so that it reaches to 18 hours in milliseconds. */
  readonly waits: string;
}

class Tally {
  readonly refused = new Map<ProblemCode, number>();
  readonly outcomes = { early: 0, within: 0, late: 0 };
  waits: LatencyHistogram | undefined;
  /** By `performance.now()`. */
  changedAtMs = 0;
}

export interface SaleTalliesOptions {
  /** Only of sales that there are: who makes ids up fills no memory. */
  readonly isSale: (saleId: number) => boolean;
  readonly nowMs?: () => number;
}

/** Waits are kept in a histogram of seconds, which ends at 67: recorded in thousandths. */
export const WAIT_SCALE = 1_000;

export class SaleTallies {
  readonly #options: SaleTalliesOptions;
  readonly #tallies = new Map<number, Tally>();

  constructor(options: SaleTalliesOptions) {
    this.#options = options;
  }

  /** @param parameter of the path: a sale's id, or that of a hold, payment or order, which has the sale's in it */
  countRefused(parameter: string, code: ProblemCode): void {
    if (code === 'internal_error') return;
    const tally = this.#of(saleIn(parameter));
    if (tally !== undefined) tally.refused.set(code, (tally.refused.get(code) ?? 0) + 1);
  }

  countWait(saleId: number, seconds: number, outcome: WaitOutcome): void {
    const tally = this.#of(saleId);
    if (tally === undefined) return;
    tally.outcomes[outcome] += 1;
    tally.waits ??= new LatencyHistogram();
    tally.waits.record(seconds / WAIT_SCALE);
  }

  /** Those that changed last, by sale. */
  read(): Readonly<Record<string, TallyFigures>> {
    const newest = [...this.#tallies].sort(([, a], [, b]) => b.changedAtMs - a.changedAtMs);
    return Object.fromEntries(
      newest
        .slice(0, LIMITS.talliedSalesTold)
        .map(([saleId, { refused, outcomes, waits }]) => [
          saleId,
          { refused: Object.fromEntries(refused), ...outcomes, waits: waits?.encode() ?? '' },
        ]),
    );
  }

  #of(saleId: number | undefined): Tally | undefined {
    if (saleId === undefined) return undefined;
    const { isSale, nowMs = () => performance.now() } = this.#options;
    let tally = this.#tallies.get(saleId);
    if (tally === undefined) {
      if (this.#tallies.size >= LIMITS.talliedSales || !isSale(saleId)) return undefined;
      tally = new Tally();
      this.#tallies.set(saleId, tally);
    }
    tally.changedAtMs = nowMs();
    return tally;
  }
}

/** Ids of holds, payments and orders are taken apart by their shape alone: who forges one is counted as refused for that sale. */
export function saleIn(parameter: string): number | undefined {
  const [, digits, base36] =
    /^(?:([1-9]\d{0,9})|(?:hold|pay|ord)_([1-9a-z][0-9a-z]{0,6})_.{16})$/.exec(parameter) ?? [];
  if (digits !== undefined) return Number(digits);
  return base36 === undefined ? undefined : Number.parseInt(base36, 36);
}
