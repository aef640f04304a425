/** What is kept of a sale for some seconds of it: one row of its report's timelines. Pure. */
import type { FleetReport, LiveSaleReport, StoreStatus } from '../../../contract/operations.ts';
import { STORE_STATUSES } from '../../../contract/operations.ts';
import type { AdmissionMode, Phase } from '../../../contract/words.ts';

type Counts = Readonly<Record<string, number>>;

export interface SaleSample {
  /** Unix milliseconds: what it tells of. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Every second of it had all processes' figures. */
  readonly complete: boolean;
  // As it was at the end.
  readonly phase: Phase;
  readonly epoch: number;
  readonly drawn: number;
  readonly servingNumber: number;
  readonly waiting: number;
  readonly active: number;
  readonly maxActive: number;
  readonly capacity: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly mode: AdmissionMode;
  readonly perSecond: number;
  readonly ratePerSecond: number;
  readonly limitedBy: string | null;
  readonly showRate: number | null;
  /** Buyers who came for tickets in their turn so far, in this epoch; null: not asked, or no answer. */
  readonly came: number | null;
  // Means of its seconds.
  readonly outflowPerSecond: number;
  readonly ordersPerSecond: number;
  /** Refused of this sale in that time, by code; null: what was before it is not known. */
  readonly refused: Counts | null;
  /** Of the rows that were merged into this one: else the highest would be forgotten. */
  readonly most: { readonly waiting: number; readonly ordersPerSecond: number; readonly requestsPerSecond: number };
  readonly fleet: FleetSample;
}

/** Of all sales and processes together. */
export interface FleetSample {
  // Means of the seconds.
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly refusedPerSecondByCode: Counts;
  // Of the worst second; null: nothing was answered in any.
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly eventLoopUtilizationMax: number;
  readonly redis: StoreStatus;
  readonly mysql: StoreStatus;
  readonly silent: number;
  readonly logLagRecords: number;
  // At the end.
  readonly processes: number;
}

/** What is known of a sale in one second. */
export interface Second {
  readonly complete: boolean;
  readonly sale: LiveSaleReport;
  readonly fleet: FleetReport;
  readonly processes: number;
  readonly silent: number;
  readonly refused: Counts | null;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function addUp(counts: readonly Counts[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const each of counts)
    for (const [name, value] of Object.entries(each)) sums.set(name, (sums.get(name) ?? 0) + value);
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function scaled(counts: Counts, by: number): Record<string, number> {
  const entries = Object.entries(counts).map(([name, value]) => [name, rounded(value * by)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value > 0));
}

function worst(statuses: readonly StoreStatus[]): StoreStatus {
  return STORE_STATUSES[Math.max(0, ...statuses.map((status) => STORE_STATUSES.indexOf(status)))] ?? 'down';
}

/** Of those that there were. */
function longestOf(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : rounded(Math.max(...known));
}

/** Undefined without a second. */
export function summarize(
  seconds: readonly Second[],
  span: { readonly fromMs: number; readonly toMs: number },
  came: number | null,
): SaleSample | undefined {
  const last = seconds.at(-1);
  if (last === undefined) return undefined;
  const mean = (of: (second: Second) => number): number =>
    rounded(seconds.reduce((sum, second) => sum + of(second), 0) / seconds.length);
  const most = (of: (second: Second) => number): number => rounded(Math.max(...seconds.map(of)));
  const longest = (of: (second: Second) => number | null): number | null => longestOf(seconds.map(of));
  const { sale } = last;
  const ordersPerSecond = mean((second) => second.sale.ordersPerSecond);
  const requestsPerSecond = mean(({ fleet }) => fleet.requestsPerSecond);
  const known = seconds.flatMap(({ refused }) => (refused === null ? [] : [refused]));
  return {
    ...span,
    complete: seconds.every(({ complete }) => complete),
    phase: sale.phase,
    epoch: sale.epoch,
    drawn: sale.servingNumber + sale.waiting,
    servingNumber: sale.servingNumber,
    waiting: sale.waiting,
    active: sale.active,
    maxActive: sale.maxActive,
    capacity: sale.capacity,
    available: sale.available,
    held: sale.held,
    sold: sale.sold,
    mode: sale.mode,
    perSecond: sale.perSecond,
    ratePerSecond: sale.ratePerSecond,
    limitedBy: sale.limitedBy,
    showRate: sale.showRate,
    came,
    outflowPerSecond: mean((second) => second.sale.outflowPerSecond),
    ordersPerSecond,
    refused: known.length === 0 ? null : addUp(known),
    most: { waiting: sale.waiting, ordersPerSecond, requestsPerSecond },
    fleet: {
      requestsPerSecond,
      errorsPerSecond: mean(({ fleet }) => fleet.errorsPerSecond),
      refusedPerSecondByCode: scaled(
        addUp(seconds.map(({ fleet }) => fleet.refusedPerSecondByCode)),
        1 / seconds.length,
      ),
      p50Ms: longest(({ fleet }) => fleet.p50Ms),
      p95Ms: longest(({ fleet }) => fleet.p95Ms),
      p99Ms: longest(({ fleet }) => fleet.p99Ms),
      eventLoopUtilizationMax: most(({ fleet }) => fleet.eventLoopUtilizationMax),
      redis: worst(seconds.map(({ fleet }) => fleet.redis.status)),
      mysql: worst(seconds.map(({ fleet }) => fleet.mysql.status)),
      silent: most(({ silent }) => silent),
      logLagRecords: most(({ fleet }) => fleet.logLagRecords),
      processes: last.processes,
    },
  };
}

/** Two that follow each other as one. */
export function mergeSamples(first: SaleSample, second: SaleSample): SaleSample {
  const weights = [first, second].map(({ fromMs, toMs }) => toMs - fromMs);
  const [a = 0, b = 0] = weights.map((weight) => weight / Math.max(1, (weights[0] ?? 0) + (weights[1] ?? 0)));
  const mean = (of: (sample: SaleSample) => number): number => rounded(a * of(first) + b * of(second));
  const most = (of: (sample: SaleSample) => number): number => Math.max(of(first), of(second));
  const longest = (of: (sample: SaleSample) => number | null): number | null => longestOf([of(first), of(second)]);
  const known = [first.refused, second.refused].filter((refused) => refused !== null);
  return {
    ...second,
    fromMs: first.fromMs,
    complete: first.complete && second.complete,
    came: second.came ?? first.came,
    outflowPerSecond: mean(({ outflowPerSecond }) => outflowPerSecond),
    ordersPerSecond: mean(({ ordersPerSecond }) => ordersPerSecond),
    refused: known.length === 0 ? null : addUp(known),
    most: {
      waiting: most((sample) => sample.most.waiting),
      ordersPerSecond: most((sample) => sample.most.ordersPerSecond),
      requestsPerSecond: most((sample) => sample.most.requestsPerSecond),
    },
    fleet: {
      requestsPerSecond: mean(({ fleet }) => fleet.requestsPerSecond),
      errorsPerSecond: mean(({ fleet }) => fleet.errorsPerSecond),
      refusedPerSecondByCode: addUp([
        scaled(first.fleet.refusedPerSecondByCode, a),
        scaled(second.fleet.refusedPerSecondByCode, b),
      ]),
      p50Ms: longest(({ fleet }) => fleet.p50Ms),
      p95Ms: longest(({ fleet }) => fleet.p95Ms),
      p99Ms: longest(({ fleet }) => fleet.p99Ms),
      eventLoopUtilizationMax: most(({ fleet }) => fleet.eventLoopUtilizationMax),
      redis: worst([first.fleet.redis, second.fleet.redis]),
      mysql: worst([first.fleet.mysql, second.fleet.mysql]),
      silent: most(({ fleet }) => fleet.silent),
      logLagRecords: most(({ fleet }) => fleet.logLagRecords),
      processes: second.fleet.processes,
    },
  };
}

/** Nobody waits, holds, buys or is admitted, and nothing is wrong: as it was before. */
export function isQuiet(sample: SaleSample): boolean {
  const { waiting, held, ordersPerSecond, outflowPerSecond, complete, fleet } = sample;
  return complete && waiting + held + ordersPerSecond + outflowPerSecond + fleet.silent === 0;
}

/** Whether one tells of the same state as the next, so that both together say nothing wrong. */
export function isAlike(first: SaleSample, second: SaleSample): boolean {
  return (
    first.toMs === second.fromMs &&
    first.phase === second.phase &&
    first.epoch === second.epoch &&
    first.complete === second.complete
  );
}
