/** From blocks to figures: what was measured, whether it may be believed, and what may be claimed. Pure. */
import { createRandom } from '@fest/loadtest/buyers/random';
import {
  type Difference,
  medianInterval,
  medianOf,
  noiseOf,
  PooledPhases,
  quotientsOf,
} from '../measuring/statistics.ts';
import type { AcknowledgementPair } from './acknowledgement.ts';
import { type Block, unitsPerSecond } from './block.ts';
import type { Pair } from './compare.ts';
import { ACKNOWLEDGEMENT_TARGET, type PathName, ROWS, type Row } from './rows.ts';
import type { Measurement, Outcome } from './run.ts';

/** An interval reaching further than this to either side of what it is about says too little. */
export const NOISE_MAX = 0.05;
/** A generator that is busier than this was measured itself. */
export const GENERATOR_MAX = 0.95;
/**
 * A process that used less of its processor, in either arm, was not what limited the rate: what it shares with the other arm was
 * (generator, Redis), and the ratio by rate goes towards 1 whatever the path costs.
 */
export const LIMITING_SHARE_MIN = 0.9;
/** The fewest pairs of which something is claimed. */
export const PAIRS_MIN = 10;
/** Of the tail of fsyncs more cannot be asked. */
export const TAIL_NOISE_MAX = 0.25;
/** Orders sent later than this, at the quantile that is claimed, have measured the generator. */
export const LATE_MAX_MS = 5;
/** A quantile with fewer observations beyond it rests on single orders. */
export const BEYOND_MIN = 30;

export type Verdict =
  | 'reached'
  | 'missed'
  /** The target is inside the interval. */
  | 'undecided'
  | 'tooNoisy'
  /** See `why`. */
  | 'void';

export interface Ratio {
  readonly interval: Difference;
  readonly verdict: Verdict;
}

/** Of one arm, medians over its blocks. */
export interface ArmSummary {
  readonly perSecond: number;
  readonly cpuMicros: number | undefined;
  /** Processors' worth. */
  readonly serverShare: number | undefined;
  /** The largest of all blocks. */
  readonly generatorShare: number | undefined;
  readonly requestsPerUnit: number;
}

export interface RowSummary {
  readonly row: Row;
  readonly ceiling: ArmSummary;
  readonly path: ArmSummary;
  /** Ceiling's processor time ÷ path's: what is claimed of the row. Undefined: the system does not tell. */
  readonly byCpu: Ratio | undefined;
  /** Path's units per second ÷ ceiling's requests per second: claimed besides, where the measured process was what limited it. */
  readonly byRate: Ratio;
  readonly why: readonly string[];
  /** Why nothing is claimed by rate, beyond `why`. */
  readonly whyNotByRate: readonly string[];
}

export interface EqualSummary {
  readonly byCpu: Difference | undefined;
  readonly byRate: Difference;
}

/** The quantiles of the acknowledgement that may be claimed, each only with enough orders. */
export const CLAIMED_QUANTILES = ['p99', 'p999'] as const;
export type ClaimedQuantile = (typeof CLAIMED_QUANTILES)[number];

export interface TailClaim {
  /** Path's quantile ÷ ceiling's. */
  readonly quotient: Difference;
  readonly verdict: Verdict;
  readonly why: readonly string[];
}

export interface TailSummary {
  readonly claims: Readonly<Record<ClaimedQuantile, TailClaim>>;
  readonly ceilingMs: Readonly<Record<'p50' | 'p99' | 'p999', number>>;
  readonly pathMs: Readonly<Record<'p50' | 'p99' | 'p999', number>>;
  readonly orders: number;
  readonly writes: number;
  /** Why nothing is claimed of any quantile. */
  readonly why: readonly string[];
}

export interface FunnelSummary {
  /** Median of the windows, and its 95 % interval. */
  readonly purchasesPerSecond: Difference;
  readonly requestsPerSecond: number;
  readonly windows: number;
  /** In all windows. */
  readonly purchases: number;
  readonly seconds: number;
  /** Medians, processors' worth; `server` is the measured one. */
  readonly shares: Readonly<Record<string, number>>;
  readonly others: number | undefined;
  readonly stolen: number | undefined;
}

export interface Summary {
  readonly equal: EqualSummary | undefined;
  readonly rows: readonly RowSummary[];
  readonly failedRows: ReadonlyArray<{ readonly path: PathName; readonly fault: string }>;
  readonly tail: Outcome<TailSummary> | undefined;
  readonly funnel: Outcome<FunnelSummary> | undefined;
}

/** @param resamples of the bootstrap; see `medianInterval` */
export function summarise(measurement: Measurement, resamples?: number): Summary {
  const { equal: equalOutcome, rows, acknowledgement, funnel } = measurement;
  const equalPairs = equalOutcome !== undefined && 'result' in equalOutcome ? equalOutcome.result : undefined;
  const equal = equalPairs === undefined ? undefined : summariseEqual(equalPairs, resamples);
  return {
    equal,
    rows: rows.flatMap(({ path, outcome }) => {
      const row = ROWS.find((each) => each.path === path);
      return row === undefined || !('result' in outcome)
        ? []
        : [summariseRow({ row, pairs: outcome.result, equal, measurement, resamples })];
    }),
    failedRows: rows.flatMap(({ path, outcome }) => ('fault' in outcome ? [{ path, fault: outcome.fault }] : [])),
    tail:
      acknowledgement === undefined || 'fault' in acknowledgement
        ? acknowledgement
        : { result: summariseTail(acknowledgement.result, measurement, resamples) },
    funnel:
      funnel === undefined || 'fault' in funnel
        ? funnel
        : { result: summariseFunnel(funnel.result.windows, resamples) },
  };
}

// The same blocks give the same interval: chance is in the measurement, not in reading it.
const newRandom = () => createRandom('bootstrap');

function rateRatios(pairs: readonly Pair[]): readonly number[] {
  return pairs.map(({ ceiling, path }) => unitsPerSecond(path) / unitsPerSecond(ceiling));
}

/** Undefined when one block's time is unknown; one that is too short to have used any has no ratio either. */
function cpuRatios(pairs: readonly Pair[]): readonly number[] | undefined {
  const ratios = pairs.map(({ ceiling, path }) => (ceiling.cpuMicros ?? Number.NaN) / (path.cpuMicros ?? Number.NaN));
  return ratios.every((ratio) => Number.isFinite(ratio) && ratio > 0) ? ratios : undefined;
}

function summariseEqual(pairs: readonly Pair[], resamples: number | undefined): EqualSummary {
  const cpu = cpuRatios(pairs);
  return {
    byRate: medianInterval(rateRatios(pairs), newRandom(), resamples),
    byCpu: cpu === undefined ? undefined : medianInterval(cpu, newRandom(), resamples),
  };
}

/** How far an interval reaches from what it is about, as a share of that. */
export function reachOf({ low, high }: Difference, around: number): number {
  return Math.max(Math.abs(high - around), Math.abs(around - low)) / around;
}

function known(values: ReadonlyArray<number | undefined>): readonly number[] | undefined {
  return values.every((value) => value !== undefined) ? values : undefined;
}

const median = (values: readonly number[] | undefined) => (values === undefined ? undefined : medianOf(values));

function armSummary(blocks: readonly Block[]): ArmSummary {
  const generator = known(blocks.map(({ shares }) => shares.generator));
  return {
    perSecond: medianOf(blocks.map(unitsPerSecond)),
    cpuMicros: median(known(blocks.map(({ cpuMicros }) => cpuMicros))),
    serverShare: median(known(blocks.map(({ shares }) => shares.server))),
    generatorShare: generator === undefined ? undefined : Math.max(...generator),
    requestsPerUnit: medianOf(blocks.map(({ requests, units }) => requests / units)),
  };
}

interface RowMeasurement {
  readonly row: Row;
  readonly pairs: readonly Pair[];
  readonly equal: EqualSummary | undefined;
  readonly measurement: Measurement;
  readonly resamples: number | undefined;
}

function summariseRow({ row, pairs, equal, measurement, resamples }: RowMeasurement): RowSummary {
  const [ceiling, path] = [armSummary(pairs.map((pair) => pair.ceiling)), armSummary(pairs.map((pair) => pair.path))];
  const why = findFaults(measurement, [ceiling, path]);
  const whyNotByRate = findOtherLimits(row, ceiling, path);
  const judge = (ratios: readonly number[], equalBlocks: Difference | undefined, faults: readonly string[]): Ratio => {
    const interval = medianInterval(ratios, newRandom(), resamples);
    return {
      interval,
      verdict: judgeRatio({ interval, equal: equalBlocks, target: row.target, isVoid: faults.length > 0 }),
    };
  };
  const cpu = cpuRatios(pairs);
  return {
    row,
    ceiling,
    path,
    byCpu: cpu === undefined ? undefined : judge(cpu, equal?.byCpu, why),
    byRate: judge(rateRatios(pairs), equal?.byRate, [...why, ...whyNotByRate]),
    why,
    whyNotByRate,
  };
}

/** Whether somebody else than the measured process may have limited the rate of an arm. */
function findOtherLimits({ path: name }: Row, ...arms: readonly [ArmSummary, ArmSummary]): readonly string[] {
  const shares = arms.map(({ serverShare }) => serverShare);
  if (shares.every((share) => share !== undefined && share >= LIMITING_SHARE_MIN)) return [];
  const [ceiling, path] = shares.map((share) =>
    share === undefined ? 'an unknown part' : `${Math.floor(share * 100)} %`,
  );
  return [
    `${name}: the measured process used ${ceiling} (ceiling) and ${path} (path) of its processor, so something else limited the ` +
      `rate; ${LIMITING_SHARE_MIN * 100} % in both are needed.`,
  ];
}

interface Judged {
  readonly interval: Difference;
  /** Of equal blocks; undefined: they were not to be had. */
  readonly equal: Difference | undefined;
  readonly target: number;
  readonly isVoid: boolean;
}

export function judgeRatio({ interval, equal, target, isVoid }: Judged): Verdict {
  if (isVoid) return 'void';
  // Written so that NaN is never believed.
  if (equal === undefined || !(reachOf(equal, 1) <= NOISE_MAX)) return 'tooNoisy';
  if (!(reachOf(interval, interval.estimate) <= NOISE_MAX)) return 'tooNoisy';
  if (interval.low >= target) return 'reached';
  return interval.high < target ? 'missed' : 'undecided';
}

function generalFaults({ options, leftOut, audit }: Measurement): string[] {
  const faults = [...leftOut];
  if (options.cpuProf !== undefined) faults.push('The server was profiled, which makes it slower.');
  if (options.pairs < PAIRS_MIN) faults.push(`${options.pairs} pairs are too few, ${PAIRS_MIN} are enough.`);
  if (!audit.clean) faults.push('The audit afterwards was not clean.');
  return faults;
}

function findFaults(measurement: Measurement, arms: readonly ArmSummary[]): readonly string[] {
  const faults = generalFaults(measurement);
  const busiest = Math.max(...arms.map(({ generatorShare }) => generatorShare ?? 0));
  if (busiest >= GENERATOR_MAX) {
    faults.push(
      `The generator used ${(busiest * 100).toFixed(0)} % of its processor: it was measured, not the server.`,
    );
  }
  return faults;
}

const TAIL = ['p50', 'p99', 'p999'] as const;
/** Observations beyond a quantile, for each one there is. */
const BEYOND: Readonly<Record<ClaimedQuantile, number>> = { p99: 0.01, p999: 0.001 };
export const QUANTILE_NAMES: Readonly<Record<ClaimedQuantile, string>> = { p99: 'p99', p999: 'p99.9' };

/** The fewest orders of which a quantile is claimed. */
export const ordersFor = (name: ClaimedQuantile): number => Math.round(BEYOND_MIN / BEYOND[name]);

function summariseTail(
  pairs: readonly AcknowledgementPair[],
  measurement: Measurement,
  resamples: number | undefined,
): TailSummary {
  const [ceiling, path] = [pairs.map((pair) => pair.ceiling), pairs.map((pair) => pair.path)];
  const pools = { ceiling: new PooledPhases(ceiling), path: new PooledPhases(path) };
  const late = new PooledPhases(pairs.map(({ lateMs }) => lateMs)).quantiles();
  const why = generalFaults(measurement);
  const quotients = quotientsOf(ceiling, path, newRandom(), resamples);
  const noises = [ceiling, path].map((phases) => noiseOf(phases, newRandom()));
  const claim = (name: ClaimedQuantile): TailClaim => {
    const faults = tailFaults(name, { late: late[name], counts: [pools.path.count, pools.ceiling.count] });
    const quotient = quotients[name];
    const noise = Math.max(...noises.map((noise) => noise[name]));
    return { quotient, verdict: judgeTail({ quotient, noise, isVoid: why.length + faults.length > 0 }), why: faults };
  };
  const pick = (pool: PooledPhases) => {
    const quantiles = pool.quantiles();
    return Object.fromEntries(TAIL.map((name) => [name, quantiles[name]])) as TailSummary['pathMs'];
  };
  return {
    claims: { p99: claim('p99'), p999: claim('p999') },
    ceilingMs: pick(pools.ceiling),
    pathMs: pick(pools.path),
    orders: pools.path.count,
    writes: pools.ceiling.count,
    why,
  };
}

interface TailFacts {
  /** How late orders were sent at this quantile, milliseconds. */
  readonly late: number;
  /** Orders and raw writes. */
  readonly counts: readonly [number, number];
}

function tailFaults(name: ClaimedQuantile, { late, counts: [orders, writes] }: TailFacts): readonly string[] {
  const faults: string[] = [];
  const needed = ordersFor(name).toLocaleString('en');
  if (Math.min(orders, writes) < ordersFor(name)) {
    faults.push(
      `${orders.toLocaleString('en')} orders and ${writes.toLocaleString('en')} writes; ${needed} are enough.`,
    );
  }
  if (!(late <= LATE_MAX_MS)) {
    faults.push(
      `Orders were sent ${late.toFixed(1)} ms late at ${QUANTILE_NAMES[name]}, ${LATE_MAX_MS} ms is the most.`,
    );
  }
  return faults;
}

export function judgeTail({
  quotient,
  noise,
  isVoid,
}: {
  readonly quotient: Difference;
  /** How much equal halves of the raw writes differ, or of the orders if these differ more, as a share. */
  readonly noise: number;
  readonly isVoid: boolean;
}): Verdict {
  if (isVoid) return 'void';
  if (!(noise <= TAIL_NOISE_MAX)) return 'tooNoisy';
  if (quotient.high <= ACKNOWLEDGEMENT_TARGET) return 'reached';
  return quotient.low > ACKNOWLEDGEMENT_TARGET ? 'missed' : 'undecided';
}

function summariseFunnel(windows: readonly Block[], resamples: number | undefined): FunnelSummary {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const names = [...new Set(windows.flatMap(({ shares }) => Object.keys(shares)))];
  return {
    purchasesPerSecond: medianInterval(windows.map(unitsPerSecond), newRandom(), resamples),
    requestsPerSecond: medianOf(windows.map(({ requests, seconds }) => requests / seconds)),
    windows: windows.length,
    purchases: sum(windows.map(({ units }) => units)),
    seconds: sum(windows.map(({ seconds }) => seconds)),
    shares: Object.fromEntries(names.map((name) => [name, medianOf(windows.map(({ shares }) => shares[name] ?? 0))])),
    others: median(known(windows.map(({ others }) => others))),
    stolen: median(known(windows.map(({ stolen }) => stolen))),
  };
}
