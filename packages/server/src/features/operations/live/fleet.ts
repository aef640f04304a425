/** What all processes say of themselves, and what one of them knows of the sales, as one document. Pure. */

import { toTimeText } from '../../../contract/json-time.ts';
import {
  type FleetReport,
  type LatencyOfClass,
  type LiveSaleReport,
  OPERATIONS_LIVE_FORMAT,
  type OperationsEvent,
  type OperationsLive,
  type ProcessReport,
  ROUTE_CLASSES,
  type RouteClass,
  STORE_STATUSES,
  type StoreHealth,
} from '../../../contract/operations.ts';
import { LIMITS } from '../../../limits.ts';
import { LatencyHistogram } from '../../../platform/latency-histogram.ts';
import type { ProcessFigures } from './process-figures.ts';

export interface SeenProcess {
  readonly figures: ProcessFigures;
  /** Since the report. */
  readonly ageMs: number;
}

/** What this process knows of a sale without asking the others. */
export type SaleFacts = Omit<LiveSaleReport, 'limitedBy' | 'showRate' | 'ordersPerSecond'>;

export interface FleetFacts {
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly environment: string;
  readonly complete: boolean;
  readonly processes: readonly SeenProcess[];
  readonly sales: readonly SaleFacts[];
  /** Sales that are not in `sales` because there are so many. */
  readonly salesLeftOut: number;
  /** Oldest first. */
  readonly events: readonly OperationsEvent[];
}

export function mergeFleet({ atMs, processes, sales, events, ...facts }: FleetFacts): OperationsLive {
  const inOrder = [...processes].sort(byName);
  const current = inOrder.filter(isCurrent).map(({ figures }) => figures);
  return {
    format: OPERATIONS_LIVE_FORMAT,
    at: toTimeText(atMs),
    environment: facts.environment,
    complete: facts.complete,
    fleet: sumUp(current),
    processes: inOrder.slice(0, LIMITS.fleetProcesses).map(reportOf),
    processesLeftOut: Math.max(0, inOrder.length - LIMITS.fleetProcesses),
    sales: sales.map((sale) => withFleet(sale, current)),
    salesLeftOut: facts.salesLeftOut,
    events: events.slice(-LIMITS.fleetEventsShown),
  };
}

function byName({ figures: a }: SeenProcess, { figures: b }: SeenProcess): number {
  return a.server.localeCompare(b.server) || (a.worker ?? 0) - (b.worker ?? 0) || a.startedAtMs - b.startedAtMs;
}

/** Whether what it says is of now: only then it is in sums. */
function isCurrent({ ageMs }: SeenProcess): boolean {
  return ageMs <= LIMITS.fleetStaleMs;
}

/** Silent without having said goodbye. */
export function isStale(process: SeenProcess): boolean {
  return !isCurrent(process) && !process.figures.leaving;
}

/**
 * Whether its report may be removed: it has left, another life of the same process is there, or it was silent for so long that
 * nobody looks for it here any more.
 */
export function isGone({ figures, ageMs }: SeenProcess, all: readonly SeenProcess[]): boolean {
  const isReplaced = figures.leaving || all.some((other) => isSuccessor(other.figures, figures));
  return ageMs > (isReplaced ? LIMITS.fleetLeftMs : LIMITS.fleetForgetMs);
}

/** How far the clock of a process and that of Redis may be apart for this: two servers of one name are not told apart else. */
const CLOCKS_APART_MS = 1_000;

/** Whether a process has begun in the place of one that was silent by then. */
function isSuccessor(next: ProcessFigures, before: ProcessFigures): boolean {
  const isSamePlace = next.server === before.server && next.worker === before.worker;
  return isSamePlace && next.id !== before.id && next.startedAtMs > before.atMs - CLOCKS_APART_MS;
}

/** To two digits behind the point: no screen shows more. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function perSecond(count: number, { intervalMs }: Pick<ProcessFigures, 'intervalMs'>): number {
  return (count * 1_000) / intervalMs;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function milliseconds(us: number): number {
  return us / 1_000;
}

// --- latencies --------------------------------------------------------------------------------------------------------

/** All that processes recorded of one class; a text that is no histogram is left out. */
function latenciesOf(name: RouteClass, processes: readonly ProcessFigures[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const { classes } of processes) histogram.addEncoded(classes[name]?.latency ?? '');
  return histogram;
}

function quantilesOf(histogram: LatencyHistogram): Pick<LatencyOfClass, 'p50Ms' | 'p95Ms' | 'p99Ms' | 'maxMs'> {
  const quantileMs = (share: number): number => milliseconds(histogram.quantile(share));
  return { p50Ms: quantileMs(0.5), p95Ms: quantileMs(0.95), p99Ms: quantileMs(0.99), maxMs: quantileMs(1) };
}

const NO_QUANTILES = { p50Ms: null, p95Ms: null, p99Ms: null, maxMs: null } as const;

function latencyOfClass(
  name: RouteClass,
  histogram: LatencyHistogram,
  processes: readonly ProcessFigures[],
): LatencyOfClass {
  const rate = (of: (figures: ProcessFigures) => number): number =>
    rounded(sum(processes.map((figures) => perSecond(of(figures), figures))));
  return {
    class: name,
    perSecond: rate(({ classes }) => classes[name]?.answers ?? 0),
    ...quantilesOf(histogram),
    errorsPerSecond: rate(({ classes }) => classes[name]?.errors ?? 0),
  };
}

// --- one process, and all of them ---------------------------------------------------------------------------------------

function errorsPerSecond(figures: ProcessFigures): number {
  return perSecond(sum(Object.values(figures.classes).map(({ errors }) => errors)), figures);
}

function reportOf(seen: SeenProcess): ProcessReport {
  const { figures } = seen;
  const all = new LatencyHistogram();
  for (const { latency } of Object.values(figures.classes)) all.addEncoded(latency);
  return {
    id: figures.id,
    server: figures.server,
    worker: figures.worker,
    startedAt: toTimeText(figures.startedAtMs),
    beat: figures.beat,
    ageMs: Math.max(0, Math.round(seen.ageMs)),
    stale: isStale(seen),
    leaving: figures.leaving,
    requestsPerSecond: rounded(perSecond(figures.answers, figures)),
    errorsPerSecond: rounded(errorsPerSecond(figures)),
    refusedPerSecond: rounded(perSecond(sum(Object.values(figures.refused)), figures)),
    p99Ms: all.count === 0 ? null : milliseconds(all.quantile(0.99)),
    eventLoopUtilization: rounded(figures.eventLoopUtilization),
    cpu: rounded(figures.cpu),
    memoryBytes: figures.memoryBytes,
    webSockets: figures.webSockets,
    logLagRecords: figures.logLagRecords,
    failedRecords: figures.failedRecords,
    logOutOfSpace: figures.logOutOfSpace,
    paymentsInFlight: figures.paymentsInFlight,
    redis: healthOf(figures.redis),
    mysql: healthOf(figures.mysql),
  };
}

function healthOf({ status, latencyMs }: StoreHealth): StoreHealth {
  return { status, latencyMs: latencyMs === null ? null : rounded(latencyMs) };
}

function worst(healths: readonly StoreHealth[]): StoreHealth {
  const rank = ({ status }: StoreHealth): number => STORE_STATUSES.indexOf(status);
  const [first = { status: 'down', latencyMs: null }, ...others] = healths.map(healthOf);
  return others.reduce<StoreHealth>((soFar, next) => {
    if (rank(next) !== rank(soFar)) return rank(next) > rank(soFar) ? next : soFar;
    return (next.latencyMs ?? 0) > (soFar.latencyMs ?? 0) ? next : soFar;
  }, first);
}

function refusedPerSecondByCode(processes: readonly ProcessFigures[]): Record<string, number> {
  const byCode = new Map<string, number>();
  for (const figures of processes) {
    for (const [code, count] of Object.entries(figures.refused)) {
      byCode.set(code, (byCode.get(code) ?? 0) + perSecond(count, figures));
    }
  }
  return Object.fromEntries([...byCode].sort().map(([code, rate]) => [code, rounded(rate)]));
}

function sumUp(processes: readonly ProcessFigures[]): FleetReport {
  const byClass = ROUTE_CLASSES.map((name) => [name, latenciesOf(name, processes)] as const);
  const all = new LatencyHistogram();
  for (const [, histogram] of byClass) all.add(histogram);
  const total = (of: (figures: ProcessFigures) => number): number => sum(processes.map(of));
  return {
    requestsPerSecond: rounded(total((figures) => perSecond(figures.answers, figures))),
    ordersPerSecond: rounded(total((figures) => perSecond(sum(Object.values(figures.orders)), figures))),
    errorsPerSecond: rounded(total(errorsPerSecond)),
    refusedPerSecondByCode: refusedPerSecondByCode(processes),
    latency: byClass
      .filter(([, histogram]) => histogram.count > 0)
      .map(([name, histogram]) => latencyOfClass(name, histogram, processes)),
    ...(all.count === 0 ? NO_QUANTILES : quantilesOf(all)),
    eventLoopUtilizationMax: rounded(Math.max(0, ...processes.map((figures) => figures.eventLoopUtilization))),
    cpu: rounded(total(({ cpu }) => cpu)),
    memoryBytes: total(({ memoryBytes }) => memoryBytes),
    webSockets: total(({ webSockets }) => webSockets),
    logLagRecords: total(({ logLagRecords }) => logLagRecords),
    failedRecords: total(({ failedRecords }) => failedRecords),
    paymentsInFlight: total(({ paymentsInFlight }) => paymentsInFlight),
    redis: worst(processes.map(({ redis }) => redis)),
    mysql: worst(processes.map(({ mysql }) => mysql)),
  };
}

// --- sales ------------------------------------------------------------------------------------------------------------

/** With what others count of it, and what its leader knows. Right after another one took over both may say so: then the newest. */
function withFleet(sale: SaleFacts, processes: readonly ProcessFigures[]): LiveSaleReport {
  const orders = processes.map((figures) => perSecond(figures.orders[sale.saleId] ?? 0, figures));
  const leading = processes.filter(({ admissions }) => admissions[sale.saleId] !== undefined);
  const [leader] = leading.sort((a, b) => b.atMs - a.atMs);
  const admission = leader?.admissions[sale.saleId];
  return {
    ...sale,
    ratePerSecond: rounded(admission?.ratePerSecond ?? sale.ratePerSecond),
    limitedBy: admission?.limitedBy ?? null,
    showRate: admission === undefined ? null : rounded(admission.showRate),
    ordersPerSecond: rounded(sum(orders)),
  };
}
