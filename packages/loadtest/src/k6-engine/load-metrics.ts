/** Which metrics of k6 and of the scripts are counted, and as what. */
import { BENCH_METRICS } from '../bench/plan.ts';

/** Metrics of k6 itself. */
export const K6_METRICS = {
  duration: 'http_req_duration',
  /** A WebSocket has no `http_req_duration`; this is its connection with the server's answer to the upgrade. */
  webSocket: 'ws_connecting',
  /** Of a request that opened a connection; its value is then that of `http_req_blocked`, which has the name and TLS as well. */
  connecting: 'http_req_connecting',
  iterations: 'iterations',
  iterationDuration: 'iteration_duration',
  dropped: 'dropped_iterations',
  users: 'vus',
} as const;

/** Counters without tags of interest. */
export const SUMS = {
  [K6_METRICS.iterations]: 'iterations',
  [K6_METRICS.dropped]: 'dropped',
  [BENCH_METRICS.unexpected]: 'unexpected',
  [BENCH_METRICS.purchases]: 'purchases',
  [BENCH_METRICS.tickets]: 'tickets',
  [BENCH_METRICS.oversold]: 'oversold',
} as const;
export type Sum = (typeof SUMS)[keyof typeof SUMS];

/** Counters by tag. */
export const TAGGED = {
  [BENCH_METRICS.refused]: { by: 'code', into: 'refused' },
  [BENCH_METRICS.outcomes]: { by: 'outcome', into: 'outcomes' },
  [BENCH_METRICS.attackTries]: { by: 'attack', into: 'attackTries' },
  [BENCH_METRICS.attackUndecided]: { by: 'attack', into: 'attackUndecided' },
  [BENCH_METRICS.attackSuccesses]: { by: 'attack', into: 'attackSuccesses' },
} as const;
export type Tagged = (typeof TAGGED)[keyof typeof TAGGED]['into'];

export const TRENDS = {
  [K6_METRICS.iterationDuration]: 'iteration',
  [K6_METRICS.connecting]: 'connecting',
  [BENCH_METRICS.admission]: 'timeToAdmission',
  [BENCH_METRICS.acknowledgement]: 'timeToOrder',
  [BENCH_METRICS.liveDelay]: 'liveDelay',
} as const;
export type Trend = (typeof TRENDS)[keyof typeof TRENDS];

/** The others are for thresholds of k6 only, and are not decoded. */
export const WANTED_METRICS: ReadonlySet<string> = new Set([
  ...Object.values(K6_METRICS),
  ...Object.keys(SUMS),
  ...Object.keys(TAGGED),
  ...Object.keys(TRENDS),
  BENCH_METRICS.ticketNumber,
]);
