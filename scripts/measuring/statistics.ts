/** Quantiles of pooled phases, differences of pairs with a bootstrap interval, and how much equal phases differ. Pure. */

/** Numbers in [0, 1). */
export type Random = () => number;

/** One phase of one arm: what each order took, milliseconds; `Infinity` for an order that never got there. */
export type Phase = readonly number[];

export const QUANTILES = { p50: 0.5, p90: 0.9, p99: 0.99, p999: 0.999 } as const;
export type QuantileName = keyof typeof QUANTILES;
const NAMES = Object.keys(QUANTILES) as QuantileName[];
export type Quantiles = Readonly<Record<QuantileName, number>>;

/** An estimate and how sure it is. Of latencies: milliseconds; positive: the second arm took longer. */
export interface Difference {
  readonly estimate: number;
  /** Bounds of the 95 % interval. */
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 10_000;
/** The 97.5 % point of the normal distribution. */
const Z = 1.959964;
/** More ways to split than this are drawn at random. */
const SPLITS_MAX = 500;

/**
 * The latencies of several phases, sorted once. A quantile of any selection of the phases, each taken any number of times,
 * is then one walk without sorting again, which is what makes thousands of resamples cheap.
 */
export class PooledPhases {
  readonly #values: Float64Array;
  readonly #phaseOf: Uint32Array;
  readonly #sizes: readonly number[];

  constructor(phases: readonly Phase[]) {
    const all = phases.flatMap((phase, index) => phase.map((value) => ({ value, index })));
    // Not a subtraction: the difference of two infinities is not a number.
    all.sort((left, right) => (left.value < right.value ? -1 : left.value > right.value ? 1 : 0));
    this.#values = Float64Array.from(all, ({ value }) => value);
    this.#phaseOf = Uint32Array.from(all, ({ index }) => index);
    this.#sizes = phases.map(({ length }) => length);
  }

  get count(): number {
    return this.#values.length;
  }

  get max(): number {
    return this.#values.at(-1) ?? Number.NaN;
  }

  /** Nearest rank: the smallest value that at least that share of the pool does not exceed. NaN of an empty pool. */
  quantiles(timesTaken: readonly number[] = this.#sizes.map(() => 1)): Quantiles {
    const total = this.#sizes.reduce((sum, size, phase) => sum + size * (timesTaken[phase] ?? 0), 0);
    const result: Record<QuantileName, number> = {
      p50: Number.NaN,
      p90: Number.NaN,
      p99: Number.NaN,
      p999: Number.NaN,
    };
    const ranks = NAMES.map((name) => rankOf(total, QUANTILES[name]));
    let next = 0;
    let passed = 0;
    for (let index = 0; index < this.#values.length && next < NAMES.length; index += 1) {
      passed += timesTaken[this.#phaseOf[index] ?? 0] ?? 0;
      for (; next < NAMES.length && passed >= (ranks[next] ?? 0) && passed > 0; next += 1) {
        result[NAMES[next] as QuantileName] = this.#values[index] ?? Number.NaN;
      }
    }
    return result;
  }
}

/** 0.99 × 100 is 99.00000000000001 in binary: without the tolerance that would be rank 100. */
function rankOf(total: number, share: number): number {
  return Math.max(1, Math.ceil(total * share - 1e-9));
}

/**
 * How much longer the second arm takes, per quantile of the pooled phases. The interval is that of a cluster bootstrap
 * (Davison & Hinkley, Bootstrap Methods and their Application, section 3.8): whole pairs of neighbouring phases are drawn with
 * replacement, because orders of one phase share its disturbances and are no independent observations. See `tailOf` for why it is
 * wider than the plain one.
 *
 * @param first phases of the first arm; `second` has as many, each the neighbour of the one with the same index
 */
export function differencesOf(
  first: readonly Phase[],
  second: readonly Phase[],
  random: Random,
  resamples = RESAMPLES,
): Readonly<Record<QuantileName, Difference>> {
  return compareQuantiles({ first, second, random, resamples }, (left, right) => right - left);
}

/** How many times as long the second arm takes; otherwise as `differencesOf`. */
export function quotientsOf(
  first: readonly Phase[],
  second: readonly Phase[],
  random: Random,
  resamples = RESAMPLES,
): Readonly<Record<QuantileName, Difference>> {
  return compareQuantiles({ first, second, random, resamples }, (left, right) => right / left);
}

interface Comparison {
  readonly first: readonly Phase[];
  readonly second: readonly Phase[];
  readonly random: Random;
  readonly resamples: number;
}

function compareQuantiles(
  { first, second, random, resamples }: Comparison,
  compare: (left: number, right: number) => number,
): Readonly<Record<QuantileName, Difference>> {
  const combine = (one: Quantiles, other: Quantiles): Quantiles =>
    mapQuantiles((name) => compare(one[name], other[name]));
  const [left, right] = [new PooledPhases(first), new PooledPhases(second)];
  const drawn = Array.from({ length: resamples }, () => {
    const timesTaken = first.map(() => 0);
    for (let draw = 0; draw < first.length; draw += 1) {
      const pair = Math.floor(random() * first.length);
      timesTaken[pair] = (timesTaken[pair] ?? 0) + 1;
    }
    return combine(left.quantiles(timesTaken), right.quantiles(timesTaken));
  });
  const estimates = combine(left.quantiles(), right.quantiles());
  const tail = tailOf(first.length);
  return mapQuantiles((name) => {
    const sorted = drawn.map((difference) => difference[name]).sort((one, other) => one - other);
    return { estimate: estimates[name], low: valueAt(sorted, tail), high: valueAt(sorted, 1 - tail) };
  });
}

/**
 * What to cut off at each end of the bootstrap distribution for a 95 % interval from `count` pairs. With few observations the
 * plain 2.5 % gives an interval that is too narrow, as a normal one would be where Student's is due; this is Hesterberg's
 * correction (What Teachers Should Know About the Bootstrap, The American Statistician 69, 2015, section 4.6): the normal tail
 * beyond √(n/(n−1)) · t(n−1).
 */
export function tailOf(count: number): number {
  const freedom = Math.max(1, count - 1);
  return normalTail(Math.sqrt(count / freedom) * studentPoint(freedom));
}

/** The 97.5 % point of Student's distribution: Cornish and Fisher's expansion (Abramowitz & Stegun 26.7.5), 0.1 % off at 5. */
function studentPoint(freedom: number): number {
  const [z3, z5, z7] = [Z ** 3, Z ** 5, Z ** 7];
  return (
    Z +
    (z3 + Z) / (4 * freedom) +
    (5 * z5 + 16 * z3 + 3 * Z) / (96 * freedom ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * Z) / (384 * freedom ** 3)
  );
}

/** The share of the normal distribution beyond x > 0: Abramowitz & Stegun 26.2.17, exact to 7.5e-8. */
function normalTail(x: number): number {
  const t = 1 / (1 + 0.2316419 * x);
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429].reduceRight(
    (sum, factor) => (sum + factor) * t,
    0,
  );
  return (series * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

export function mapQuantiles<Value>(value: (name: QuantileName) => Value): Readonly<Record<QuantileName, Value>> {
  return Object.fromEntries(NAMES.map((name) => [name, value(name)])) as Record<QuantileName, Value>;
}

function valueAt(sorted: readonly number[], share: number): number {
  return sorted[rankOf(sorted.length, share) - 1] ?? Number.NaN;
}

/** Of an even count the mean of the two in the middle; NaN of nothing. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/**
 * The median of paired ratios with a 95 % bootstrap interval that draws whole pairs, corrected for their number as in `tailOf`.
 * NaN bounds when there are no values.
 */
export function medianInterval(values: readonly number[], random: Random, resamples = RESAMPLES): Difference {
  const drawn = Array.from({ length: resamples }, () =>
    medianOf(values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN)),
  ).sort((left, right) => left - right);
  const tail = tailOf(values.length);
  return { estimate: medianOf(values), low: valueAt(drawn, tail), high: valueAt(drawn, 1 - tail) };
}

/**
 * How much phases of one and the same arm differ: they are split into two halves in every way there is, and each way gives the
 * difference of the halves' quantiles as a share of their mean. The median of that: one unlucky split decides nothing.
 */
export function noiseOf(phases: readonly Phase[], random: Random): Quantiles {
  const pool = new PooledPhases(phases);
  const shares = halvesOf(phases.length, random).map((isFirst) => {
    const one = pool.quantiles(isFirst.map((first) => (first ? 1 : 0)));
    const other = pool.quantiles(isFirst.map((first) => (first ? 0 : 1)));
    return mapQuantiles((name) => (2 * Math.abs(one[name] - other[name])) / (one[name] + other[name]));
  });
  return mapQuantiles((name) => {
    const sorted = shares.map((share) => share[name]).sort((one, other) => one - other);
    return valueAt(sorted, 0.5);
  });
}

/** Every way to split `count` phases into halves (with an odd count, one half has one more), at most `SPLITS_MAX` of them. */
export function halvesOf(count: number, random: Random): readonly (readonly boolean[])[] {
  const half = Math.floor(count / 2);
  const ways: boolean[][] = [];
  const choose = (chosen: readonly boolean[], left: number): void => {
    if (ways.length > SPLITS_MAX) return;
    if (chosen.length === count) {
      if (left === 0) ways.push([...chosen]);
      return;
    }
    // Two equal halves are the same split whichever is called the first: the first phase is always in it.
    const mustTake = chosen.length === 0 && count % 2 === 0;
    if (left > 0) choose([...chosen, true], left - 1);
    if (!mustTake && count - chosen.length > left) choose([...chosen, false], left);
  };
  choose([], half);
  if (ways.length <= SPLITS_MAX) return ways;
  return Array.from({ length: SPLITS_MAX }, () => {
    const order = Array.from({ length: count }, (_, phase) => ({ phase, at: random() })).sort((a, b) => a.at - b.at);
    const taken = new Set(order.slice(0, half).map(({ phase }) => phase));
    return Array.from({ length: count }, (_, phase) => taken.has(phase));
  });
}
