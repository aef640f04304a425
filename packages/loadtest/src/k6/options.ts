/** A load → k6's options. */
import type { Options, Scenario } from 'k6/options';
import { CUT_OFF_SECONDS } from '../bench/answer-time.ts';
import { CLOSED_GRACE_SECONDS } from '../bench/load-sums.ts';
import type { BenchLoad } from '../bench/plan.ts';
import { thresholdsOf } from '../bench/thresholds.ts';
import { plan } from './plan.ts';

/** @param exec the exported function that makes one visit */
export function executorOf(load: BenchLoad, exec = 'default'): Scenario {
  switch (load.kind) {
    case 'users':
      return {
        executor: 'per-vu-iterations',
        exec,
        vus: load.users,
        iterations: 1,
        maxDuration: `${load.maxSeconds}s`,
        gracefulStop: graceOf(0),
      };
    case 'arrivals':
      return {
        executor: 'ramping-arrival-rate',
        exec,
        startRate: load.startPerSecond,
        timeUnit: '1s',
        stages: load.stages.map(({ perSecond, seconds }) => ({ target: perSecond, duration: `${seconds}s` })),
        // All are made before the beginning: making them in the middle would take the processors from the load.
        preAllocatedVUs: load.users,
        maxVUs: load.users,
        gracefulStop: graceOf(load.graceSeconds),
      };
    case 'closed':
      return {
        executor: 'constant-vus',
        exec,
        vus: load.users,
        duration: `${load.seconds}s`,
        gracefulStop: graceOf(CLOSED_GRACE_SECONDS),
      };
  }
}

/** Visits leave after their grace, and then k6 waits for what was asked last. @param seconds of the visits */
export function graceOf(seconds: number): string {
  return `${seconds + CUT_OFF_SECONDS}s`;
}

/** A rate that stays, for whoever comes beside the load. */
export function steadyArrivals(
  exec: string,
  {
    perSecond,
    seconds,
    users,
    graceSeconds,
  }: { perSecond: number; seconds: number; users: number; graceSeconds: number },
): Scenario {
  return {
    executor: 'constant-arrival-rate',
    exec,
    rate: perSecond,
    timeUnit: '1s',
    duration: `${seconds}s`,
    preAllocatedVUs: users,
    maxVUs: users,
    gracefulStop: graceOf(graceSeconds),
  };
}

/** @param scenarios beside the load itself */
export function optionsOf(scenarios: Record<string, Scenario> = {}): Options {
  // Asked of the first instance of a script only; the thousands after it are made the quicker.
  if (__VU > 0) return {};
  return {
    scenarios: { [plan.scenario]: executorOf(plan.load), ...scenarios },
    thresholds: thresholdsOf(plan),
    summaryTrendStats: ['avg', 'min', 'med', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)', 'max', 'count'],
    // By what an endpoint is called, never by its address: each hold has one of its own. Each tag costs k6 time on every sample:
    // thresholds and figures need no others.
    systemTags: ['name', 'status', 'expected_response', 'scenario'],
    discardResponseBodies: true,
    noConnectionReuse: false,
    noVUConnectionReuse: false,
    setupTimeout: '120s',
    teardownTimeout: '60s',
    userAgent: 'fest-bench',
  };
}
