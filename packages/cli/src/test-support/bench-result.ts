/** A load test for tests: two minutes of an opening, made by arithmetic, always the same. */
import type { BenchEndpoint } from '@fest/loadtest/bench/plan';
import {
  BENCH_RESULT_FORMAT,
  type BenchProgress,
  type BenchResult,
  type CpuUse,
  type EndpointResult,
  type Latencies,
  type TimelineRow,
} from '@fest/loadtest/bench/result';

export const BENCH_AT = '2026-07-01T12:00:00.000Z';
const BEGIN_MS = Date.parse(BENCH_AT);
const SECONDS = 120;
const CAPACITY = 1_000;

/** Shares of all requests, and how long half of them takes, ms. */
const ENDPOINTS: Readonly<Partial<Record<BenchEndpoint, readonly [share: number, medianMs: number]>>> = {
  poll: [0.7, 0.8],
  join: [0.12, 1.4],
  state: [0.08, 0.5],
  hold: [0.04, 2.1],
  pay: [0.03, 3.2],
  payment: [0.03, 0.9],
};

/** A long tail: what half takes, and the rest in the proportions of a busy server. */
export function latencies(count: number, medianMs: number): Latencies {
  return {
    count,
    p50Ms: medianMs,
    p90Ms: medianMs * 2.4,
    p95Ms: medianMs * 3.6,
    p99Ms: medianMs * 8.2,
    p999Ms: medianMs * 21,
    maxMs: medianMs * 44,
    meanMs: medianMs * 1.5,
  };
}

export const NO_LATENCIES: Latencies = {
  count: 0,
  p50Ms: null,
  p90Ms: null,
  p95Ms: null,
  p99Ms: null,
  p999Ms: null,
  maxMs: null,
  meanMs: null,
};

/** Up in ten seconds, level, and down in the last thirty. */
function loadAt(second: number): number {
  return Math.min(1, (second + 1) / 10, (SECONDS - second) / 30);
}

function cpuAt(second: number): CpuUse {
  const load = loadAt(second);
  return {
    processors: 2,
    generator: 0.08 + 0.44 * load,
    observer: 0.03,
    processes: {
      'server-1': 0.1 + 0.5 * load,
      'server-2': 0.1 + 0.3 * load,
      redis: 0.02 + 0.12 * load,
      mysql: 0.02 + 0.05 * load,
    },
    others: 0.05 + 0.02 * Math.sin(second / 5),
    stolen: 0,
  };
}

/** @param second of the run, from 0 on */
export function benchRow(second: number, change: Partial<TimelineRow> = {}): TimelineRow {
  const load = loadAt(second);
  const requests = Math.round(1_600 * load + 60 * Math.sin(second / 3));
  const slowness = 1 + 0.6 * load + 0.3 * Math.sin(second / 7);
  const sold = Math.min(CAPACITY, Math.round(11 * second));
  const entries = Object.entries(ENDPOINTS).map(([name, [share, median]]) => [
    name,
    latencies(Math.round(requests * share), median * slowness),
  ]);
  return {
    atMs: BEGIN_MS + second * 1_000,
    seconds: 1,
    requests,
    unexpected: 0,
    refused: Math.round(requests * 0.05),
    purchases: sold < CAPACITY ? 11 : 0,
    dropped: 0,
    users: Math.round(900 * load),
    latency: latencies(requests, 0.9 * slowness),
    endpoints: Object.fromEntries(entries),
    cpu: cpuAt(second),
    server: {
      requestsPerSecond: requests - 3,
      p50Ms: 0.5 * slowness,
      p99Ms: 5.1 * slowness,
      eventLoopUtilizationMax: 0.2 + 0.5 * load,
      cpu: 0.2 + 0.8 * load,
      memoryBytes: 312 * 1_048_576,
      refusedPerSecond: requests * 0.05,
      errorsPerSecond: 0,
      logLagRecords: Math.round(14 * load),
    },
    sale: {
      phase: sold < CAPACITY ? 'open' : 'soldOut',
      waiting: Math.max(0, Math.round(9_000 * load - 30 * second)),
      active: Math.round(120 * load),
      available: CAPACITY - sold - Math.min(40, CAPACITY - sold),
      held: Math.min(40, CAPACITY - sold),
      sold,
      servingNumber: 25 * second,
      admittedPerSecond: 25 * load,
      ordersPerSecond: sold < CAPACITY ? 11 : 0,
    },
    ...change,
  };
}

export function benchRows(seconds: number = SECONDS): readonly TimelineRow[] {
  return Array.from({ length: seconds }, (_, second) => benchRow(second));
}

const total = (rows: readonly TimelineRow[], of: (row: TimelineRow) => number): number =>
  rows.reduce((sum, row) => sum + of(row), 0);

function endpointResults(rows: readonly TimelineRow[]): readonly EndpointResult[] {
  const requests = total(rows, (row) => row.requests);
  return Object.entries(ENDPOINTS).map(([name, [share, median]]) => {
    const count = Math.round(requests * share);
    const refused = name === 'hold' ? { sold_out: 812, not_admitted: 31 } : name === 'join' ? { sold_out: 6_204 } : {};
    return {
      ...latencies(count, median * 1.5),
      // The names of an object's fields are texts to the compiler.
      endpoint: name as BenchEndpoint,
      perSecond: count / SECONDS,
      statuses: name === 'hold' ? { 201: count - 843, 409: 812, 403: 31 } : { 200: count },
      refused,
      unexpected: 0,
    };
  });
}

export function benchResult(change: Partial<BenchResult> = {}): BenchResult {
  const rows = benchRows();
  const requests = total(rows, (row) => row.requests);
  return {
    format: BENCH_RESULT_FORMAT,
    id: '20260701-120000-onsale-average',
    scenario: 'onsale',
    profile: 'average',
    startedAt: BENCH_AT,
    endedAt: new Date(BEGIN_MS + SECONDS * 1_000).toISOString(),
    interrupted: false,
    verdict: 'passed',
    faults: [],
    noLatencyClaim: null,
    notes: [],
    fest: { version: '0.1.0', revision: 'c28e484', dirty: false },
    k6: { version: 'v2.2.0', path: '/srv/fest/.fest/bin/k6', origin: '.fest/bin' },
    target: {
      baseUrls: ['http://127.0.0.1:8080', 'http://127.0.0.1:8081'],
      local: true,
      sameMachine: true,
      servers: 2,
      redis: '7.4.1',
      mysql: '8.4.3',
    },
    machine: {
      processors: 2,
      processor: 'Some Processor 2.4 GHz',
      memoryGiB: 7.7,
      system: 'Linux 6.8.0 x64',
      node: 'v24.4.0',
      fileSystem: 'ext4',
    },
    config: {
      load: {
        kind: 'arrivals',
        startPerSecond: 0,
        stages: [
          { perSecond: 200, seconds: 10 },
          { perSecond: 200, seconds: 80 },
          { perSecond: 0, seconds: 30 },
        ],
        users: 4_000,
        graceSeconds: 30,
      },
      capacity: CAPACITY,
      limitPerBuyer: 2,
      admission: { mode: 'auto', perSecond: 50, maxActive: 500 },
      neverHoldShare: 0.2,
      neverPayShare: 0.2,
      waitersBeforehand: 0,
      gatewayMs: 200,
      gateway: { latencyMs: 200, latencySigma: 0, declineShare: 0.05, timeoutShare: 0, unknownShare: 0 },
      thresholdFactor: 1,
      seed: 'fest',
    },
    totals: {
      seconds: SECONDS,
      requests,
      requestsPerSecond: requests / SECONDS,
      iterations: 20_000,
      dropped: 0,
      unexpected: 0,
      refused: { sold_out: 7_016, not_admitted: 31 },
      purchases: 1_000,
      purchasesPerSecond: 1_000 / SECONDS,
      tickets: 1_000,
      oversold: 0,
      latency: latencies(requests, 1.3),
      iteration: latencies(20_000, 9_100),
      timeToAdmission: latencies(3_020, 8_200),
      liveDelay: NO_LATENCIES,
      outcomes: { bought: 1_000, soldOut: 18_016, neverHeld: 604, neverPaid: 380 },
    },
    endpoints: endpointResults(rows),
    thresholds: [
      { metric: 'http_req_duration{name:poll}', expression: 'p(99)<50', passed: true },
      { metric: 'http_req_duration{name:hold}', expression: 'p(99)<250', passed: true },
      { metric: 'tickets_oversold', expression: 'count==0', passed: true },
    ],
    attacks: [],
    cpu: cpuAt(60),
    timeline: rows,
    audit: { status: 'clean', reasons: [] },
    ...change,
  };
}

/** In the middle of the run. */
export function benchProgress(change: Partial<BenchProgress> = {}): BenchProgress {
  const rows = benchRows(48);
  return {
    scenario: 'onsale',
    profile: 'average',
    stage: 'running',
    doing: 'buyers come',
    elapsedMs: 48_000,
    plannedMs: SECONDS * 1_000,
    row: rows.at(-1) ?? null,
    rows,
    totals: {
      requests: total(rows, (row) => row.requests),
      iterations: 8_412,
      dropped: 0,
      unexpected: 0,
      purchases: 517,
      tickets: 517,
      oversold: 0,
      refused: { sold_out: 0, not_admitted: 12, rate_limited: 3 },
    },
    ...change,
  };
}
