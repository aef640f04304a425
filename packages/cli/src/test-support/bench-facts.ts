/** What load tests found, for tests: one that is fine, to be changed. */
import type { BenchTotals, EndpointResult, Latencies } from '@fest/loadtest/bench/result';
import type { RunFacts } from '../commands/bench/verdict.ts';

export const LATENCIES: Latencies = {
  count: 1_000,
  p50Ms: 2,
  p90Ms: 5,
  p95Ms: 8,
  p99Ms: 20,
  p999Ms: 40,
  maxMs: 55,
  meanMs: 3,
};

const NOTHING: Latencies = {
  count: 0,
  p50Ms: null,
  p90Ms: null,
  p95Ms: null,
  p99Ms: null,
  p999Ms: null,
  maxMs: null,
  meanMs: null,
};

export const TOTALS: BenchTotals = {
  seconds: 10,
  requests: 1_000,
  requestsPerSecond: 100,
  iterations: 200,
  dropped: 0,
  unexpected: 0,
  refused: {},
  purchases: 90,
  purchasesPerSecond: 9,
  tickets: 100,
  oversold: 0,
  latency: LATENCIES,
  iteration: LATENCIES,
  timeToAdmission: LATENCIES,
  liveDelay: NOTHING,
  outcomes: { bought: 90, soldOut: 110 },
};

export const ENDPOINT: EndpointResult = {
  ...LATENCIES,
  endpoint: 'poll',
  perSecond: 100,
  statuses: { '200': 1_000 },
  refused: {},
  unexpected: 0,
};

export const RUN_FACTS: RunFacts = {
  interrupted: false,
  totals: TOTALS,
  endpoints: [ENDPOINT],
  thresholds: [{ metric: 'http_req_duration{name:poll}', expression: 'p(95)<150', passed: true }],
  attacks: [],
  faults: [],
  audit: { status: 'clean', reasons: [] },
  sale: { capacity: 100, stock: { available: 0, held: 0, sold: 100 }, liveTickets: 100 },
  starved: null,
};
