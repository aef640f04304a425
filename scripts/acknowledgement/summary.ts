/** From phases to figures: what was measured, whether it may be believed, and what may be claimed. Pure. */
import { createRandom } from '@fest/loadtest/buyers/random';
import {
  type Difference,
  differencesOf,
  mapQuantiles,
  noiseOf,
  type Phase,
  PooledPhases,
  type QuantileName,
  type Quantiles,
} from '../measuring/statistics.ts';
import type { MeasuredOrder } from './orders.ts';
import { ARMS, type Arm, type Measurement, type PhaseResult } from './phases.ts';

/**
 * What of an order is timed, milliseconds.
 * - `durable`: from when the payment was due until 202, so until the intent is on disk
 * - `settled`: from 202 until `succeeded`, so until the order is on disk and shown, without the gateway's time
 * - `acknowledged`: both together
 */
export const FIGURES = ['durable', 'settled', 'acknowledged'] as const;
export type Figure = (typeof FIGURES)[number];

/** The quantiles something may be claimed about; of rarer ones a run of a minute has too few. */
export const CLAIMED: readonly QuantileName[] = ['p50', 'p90', 'p99'];

/** Sends that were later than this at the 99th percentile have measured the generator. */
export const LATE_MAX_MS = 5;
/** Equal phases that differ by more than this say nothing about unequal ones. */
export const NOISE_MAX = 0.1;
/** Six pairs that all point the same way do so by chance in one of 32 cases; five do in one of 16, which is no 95 %. */
export const PAIRS_MIN = 6;

export type Verdict =
  | 'longer'
  | 'shorter'
  /** The interval has zero in it. */
  | 'noDifferenceSeen'
  | 'tooNoisy'
  /** See `Summary.voidBecause`. */
  | 'void';

export interface ArmFigures {
  readonly quantiles: Quantiles;
  readonly max: number;
}

export interface FigureSummary {
  readonly arms: Readonly<Record<Arm, ArmFigures>>;
  readonly differences: Readonly<Record<QuantileName, Difference>>;
  /** How much equal phases (those without logins) differ, as a share. */
  readonly noise: Quantiles;
  readonly verdicts: Readonly<Record<QuantileName, Verdict>>;
}

/** Means over the phases of an arm, unless the name says otherwise. */
export interface Conditions {
  readonly orders: number;
  readonly failed: number;
  readonly failures: readonly string[];
  readonly lateMs: Quantiles & { readonly max: number };
  readonly resolutionMs: Quantiles;
  readonly pollsPerOrder: number;
  readonly logins: PhaseResult['logins'];
  /** Processors' worth by process; `server` is its JavaScript thread in `mainThreads`. */
  readonly processes: Readonly<Record<string, number>>;
  readonly mainThreads: Readonly<Record<string, number>>;
  readonly others: number | undefined;
  readonly stolen: number | undefined;
  readonly fsyncMs: number | undefined;
  readonly recordsPerFsync: number | undefined;
}

export interface Summary {
  readonly figures: Readonly<Record<Figure, FigureSummary>>;
  readonly conditions: Readonly<Record<Arm, Conditions>>;
  /** Why nothing may be claimed whatever the figures; empty: something may. */
  readonly voidBecause: readonly string[];
}

/** @param resamples of the bootstrap; see `differencesOf` */
export function summarise(measurement: Measurement, resamples?: number): Summary {
  const of = (arm: Arm): readonly PhaseResult[] => measurement.phases.filter((phase) => phase.arm === arm);
  const conditions = { without: conditionsOf(of('without')), with: conditionsOf(of('with')) };
  const voidBecause = findFaults(measurement, conditions);
  const figures = Object.fromEntries(
    FIGURES.map((figure) => {
      const take = (arm: Arm): readonly Phase[] => of(arm).map((phase) => timesOf(figure, phase, measurement));
      return [
        figure,
        summariseFigure({ without: take('without'), with: take('with') }, voidBecause.length > 0, resamples),
      ];
    }),
  ) as Record<Figure, FigureSummary>;
  return { figures, conditions, voidBecause };
}

/** An order that never got there took longer than any other: leaving it out would make a failing server look fast. */
export function timesOf(figure: Figure, { orders }: PhaseResult, { options }: Measurement): Phase {
  return orders.map((order) => {
    if (order.answeredAt === undefined) return Number.POSITIVE_INFINITY;
    if (figure === 'durable') return order.answeredAt - order.dueAt;
    if (!('acknowledgedAt' in order)) return Number.POSITIVE_INFINITY;
    return order.acknowledgedAt - (figure === 'settled' ? order.answeredAt : order.dueAt) - options.gatewayMs;
  });
}

function summariseFigure(
  phases: Readonly<Record<Arm, readonly Phase[]>>,
  isVoid: boolean,
  resamples: number | undefined,
): FigureSummary {
  const armFigures = (arm: Arm): ArmFigures => {
    const pool = new PooledPhases(phases[arm]);
    return { quantiles: pool.quantiles(), max: pool.max };
  };
  // The same latencies give the same interval: chance is in the measurement, not in reading it.
  const random = createRandom('bootstrap');
  const differences = differencesOf(phases.without, phases.with, random, resamples);
  const noise = noiseOf(phases.without, random);
  return {
    arms: { without: armFigures('without'), with: armFigures('with') },
    differences,
    noise,
    verdicts: mapQuantiles((name) => {
      const verdict = judge(differences[name], noise[name]);
      return isVoid && verdict !== 'tooNoisy' ? 'void' : verdict;
    }),
  };
}

export function judge({ low, high }: Difference, noise: number): Verdict {
  // Written so that NaN (orders failed so often that a quantile is unknown) is never believed.
  if (!(noise <= NOISE_MAX)) return 'tooNoisy';
  if (low > 0) return 'longer';
  return high < 0 ? 'shorter' : 'noDifferenceSeen';
}

function conditionsOf(phases: readonly PhaseResult[]): Conditions {
  const orders = phases.flatMap((phase) => phase.orders);
  const late = new PooledPhases([orders.map(({ sentAt, dueAt }) => sentAt - dueAt)]);
  const acknowledged = orders.filter((order) => 'acknowledgedAt' in order);
  const failures = orders.flatMap((order) => ('reason' in order ? [order.reason] : []));
  const average = (value: (phase: PhaseResult) => number | undefined): number | undefined => meanOf(phases.map(value));
  const rate = (name: keyof PhaseResult['logins']): number => average(({ logins }) => logins[name]) ?? 0;
  const byName = (kind: 'processes' | 'mainThreads'): Record<string, number> =>
    Object.fromEntries(
      Object.keys(phases[0]?.cpu[kind] ?? {}).map((name) => [name, average(({ cpu }) => cpu[kind][name]) ?? 0]),
    );
  return {
    orders: orders.length,
    failed: failures.length,
    failures: [...new Set(failures)],
    lateMs: { ...late.quantiles(), max: late.max },
    resolutionMs: new PooledPhases([acknowledged.map(({ resolutionMs }) => resolutionMs)]).quantiles(),
    pollsPerOrder: meanOf(acknowledged.map(({ polls }: Extract<MeasuredOrder, { polls: number }>) => polls)) ?? 0,
    logins: {
      done: rate('done'),
      refused: rate('refused'),
      gaveUp: rate('gaveUp'),
      failed: rate('failed'),
      atServer: rate('atServer'),
    },
    processes: byName('processes'),
    mainThreads: byName('mainThreads'),
    others: average(({ cpu }) => cpu.others),
    stolen: average(({ cpu }) => cpu.stolen),
    fsyncMs: average(({ log }) => log.fsyncMs),
    recordsPerFsync: average(({ log }) => log.recordsPerFsync),
  };
}

/** Undefined unless every value is known. */
function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0 || known.length < values.length) return undefined;
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

function findFaults({ options, loginFailures }: Measurement, conditions: Summary['conditions']): readonly string[] {
  const faults: string[] = [];
  if (options.pairs < PAIRS_MIN)
    faults.push(`${options.pairs} pairs are too few for a 95 % interval, ${PAIRS_MIN} are enough`);
  for (const arm of ARMS) {
    const { p99 } = conditions[arm].lateMs;
    if (p99 <= LATE_MAX_MS) continue;
    faults.push(
      `in the phases ${arm} logins the generator sent ${p99.toFixed(1)} ms late at p99, and ${LATE_MAX_MS} ms is the most`,
    );
  }
  const { done, failed } = conditions.with.logins;
  if (options.loginClients > 0 && done === 0) faults.push('not one login succeeded in the phases with logins');
  if (failed > 0)
    faults.push(`logins were answered with something else than 201 or "busy": ${loginFailures.join(', ')}`);
  return faults;
}
