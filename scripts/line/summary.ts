/** From what was measured to what may be said of it, and which bounds it keeps. Pure. */
import { createRandom } from '@fest/loadtest/buyers/random';
import { type Block, unitsPerSecond } from '../core/block.ts';
import type { Pair } from '../core/compare.ts';
import { NOISE_MAX, PAIRS_MIN, reachOf } from '../core/summary.ts';
import { type Difference, medianInterval, medianOf } from '../measuring/statistics.ts';
import type { LineMemory } from './memory.ts';
import type { LineMeasurement } from './run.ts';
import type { Waiting } from './waiting.ts';

export const BOUNDS = {
  /** Of Redis, for the number of one who waits: the hashes and their keys; and by what `used_memory` grew, everything in it. */
  redisBytesPerWaiter: 16,
  /** Of the server's heap: it keeps nothing for each. What it has grown by must not be an object each. */
  heapBytesPerWaiter: 16,
  /** A request in the long line, as a multiple of the same in a short one. */
  growth: 1.05,
} as const;
/** Of fewer waiters the growth of `used_memory` and of the heap is mostly the up and down that both have anyway: it is not judged. */
export const JUDGED_WAITERS_MIN = 100_000;

export interface PerWaiter {
  readonly drawn: number;
  /** Bytes: by MEMORY USAGE of the numbers' hashes, by the growth of `used_memory`, by the growth of the server's heap and set. */
  readonly numberKeys: number;
  readonly redis: number;
  readonly heap: number;
  readonly resident: number;
}

/** @param empty the same line before anybody joined */
export function perWaiter(memory: LineMemory, empty: LineMemory): PerWaiter {
  const { drawn } = memory;
  return {
    drawn,
    numberKeys: memory.numberKeys / drawn,
    redis: (memory.redis - empty.redis) / drawn,
    heap: (memory.server.heap - empty.server.heap) / drawn,
    resident: (memory.server.resident - empty.server.resident) / drawn,
  };
}

export type GrowthVerdict = 'same' | 'grows' | 'undecided' | 'tooNoisy' | 'tooFewPairs' | 'unknown';

export interface Growth {
  readonly shortMicros: number | undefined;
  readonly longMicros: number | undefined;
  /** Of Redis, where the request has a command. */
  readonly shortRedisMicros: number | undefined;
  readonly longRedisMicros: number | undefined;
  readonly shortPerSecond: number;
  readonly longPerSecond: number;
  /** Of the server's processor time: long ÷ short, and the same of equal blocks. */
  readonly ratio: Difference | undefined;
  readonly equal: Difference | undefined;
  readonly verdict: GrowthVerdict;
}

const redisMicros = ({ shares, seconds, units }: Block): number =>
  ((shares.redis ?? Number.NaN) * seconds * 1e6) / units;
const newRandom = () => createRandom('bootstrap');

function ratiosOf(pairs: readonly Pair[]): Difference | undefined {
  const ratios = pairs.map(({ ceiling, path }) => (path.cpuMicros ?? Number.NaN) / (ceiling.cpuMicros ?? Number.NaN));
  if (ratios.length === 0 || !ratios.every((ratio) => Number.isFinite(ratio) && ratio > 0)) return undefined;
  return medianInterval(ratios, newRandom());
}

export function growthOf(pairs: readonly Pair[], equalPairs: readonly Pair[]): Growth {
  const [short, long] = [pairs.map(({ ceiling }) => ceiling), pairs.map(({ path }) => path)];
  const median = (blocks: readonly Block[], of: (block: Block) => number | undefined): number | undefined => {
    const values = blocks.map((block) => of(block) ?? Number.NaN);
    return values.every(Number.isFinite) ? medianOf(values) : undefined;
  };
  const [ratio, equal] = [ratiosOf(pairs), ratiosOf(equalPairs)];
  return {
    shortMicros: median(short, ({ cpuMicros }) => cpuMicros),
    longMicros: median(long, ({ cpuMicros }) => cpuMicros),
    shortRedisMicros: median(short, redisMicros),
    longRedisMicros: median(long, redisMicros),
    shortPerSecond: medianOf(short.map(unitsPerSecond)),
    longPerSecond: medianOf(long.map(unitsPerSecond)),
    ratio,
    equal,
    verdict: pairs.length < PAIRS_MIN ? 'tooFewPairs' : judgeGrowth(ratio, equal),
  };
}

/** "The same" is a claim like any other: only of a machine that shows equal blocks as equal. */
export function judgeGrowth(ratio: Difference | undefined, equal: Difference | undefined): GrowthVerdict {
  if (ratio === undefined || equal === undefined) return 'unknown';
  // Written so that NaN is never believed.
  if (!(reachOf(equal, 1) <= NOISE_MAX) || !(reachOf(ratio, ratio.estimate) <= NOISE_MAX)) return 'tooNoisy';
  if (ratio.high <= BOUNDS.growth) return 'same';
  return ratio.low > BOUNDS.growth ? 'grows' : 'undecided';
}

export interface LineSummary {
  readonly perWaiter: readonly PerWaiter[];
  readonly polls: Growth;
  readonly joins: Growth;
  /** A sentence for each bound that is broken. */
  readonly broken: readonly string[];
}

export function summarise({ memory, sizes, waiting, audit }: LineMeasurement): LineSummary {
  const [empty, ...grown] = memory;
  if (empty === undefined) throw new Error('no memory was read');
  const each = grown.map((one) => perWaiter(one, empty));
  const polls = growthOf(sizes.polls, sizes.equalPolls);
  const joins = growthOf(sizes.joins, sizes.equalJoins);
  return { perWaiter: each, polls, joins, broken: brokenBounds(each.at(-1), { polls, joins }, waiting, audit.clean) };
}

export function brokenBounds(
  last: PerWaiter | undefined,
  growth: Readonly<Record<'polls' | 'joins', Growth>>,
  waiting: readonly Waiting[],
  isClean: boolean,
): readonly string[] {
  const broken: string[] = [];
  const { redisBytesPerWaiter, heapBytesPerWaiter } = BOUNDS;
  // Written so that NaN breaks a bound.
  const keeps = (bytes: number | undefined, most: number): boolean => (bytes ?? Number.NaN) <= most;
  const isMany = !((last?.drawn ?? Number.NaN) < JUDGED_WAITERS_MIN);
  if (!keeps(last?.numberKeys, redisBytesPerWaiter) || (isMany && !keeps(last?.redis, redisBytesPerWaiter))) {
    broken.push(`A number takes Redis more than ${redisBytesPerWaiter} bytes.`);
  }
  if (isMany && !keeps(last?.heap, heapBytesPerWaiter)) {
    broken.push(`The server's heap grew by more than ${heapBytesPerWaiter} bytes a waiter.`);
  }
  for (const [what, { verdict }] of Object.entries(growth)) {
    if (verdict === 'grows') broken.push(`The cost of ${what} grows with the line.`);
  }
  for (const { people, statuses, faults } of waiting) {
    const refused = Object.entries(statuses).filter(([status]) => status !== '200');
    for (const [status, count] of refused)
      broken.push(`${count} polls of ${people} who ask as told were answered ${status}.`);
    for (const fault of faults) broken.push(`While ${people} asked as told: ${fault}.`);
  }
  if (!isClean) broken.push('The audit afterwards was not clean.');
  return broken;
}
