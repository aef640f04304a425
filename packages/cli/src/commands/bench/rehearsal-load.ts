/** What comes in one step of a rehearsal, and what is read off it. Pure. */
import { BENCH_BOUNDS } from '@fest/loadtest/bench/bounds';
import { arrivalsOf } from '@fest/loadtest/bench/load-sums';
import type { BenchEndpoint, BenchLoad } from '@fest/loadtest/bench/plan';
import { type ResolvedLoad, resolveLoad } from '@fest/loadtest/bench/profiles';
import type { BenchFault, TimelineRow } from '@fest/loadtest/bench/result';
import type { K6Run } from '@fest/loadtest/k6-engine/run-k6';
import { LIMITS } from '@fest/server/limits';
import type { RehearsalStep } from './knee.ts';
import { describeStarvation } from './starvation.ts';

/** A visit with an admission at once takes a few seconds; on a server that bends, longer: then k6 runs out, which is told. */
const VISIT_SECONDS = 12;
const USERS_MIN = 20;
/** For those who came last, and no longer: a server that bends would keep everybody waiting. */
const GRACE_SECONDS = 15;
const HOLD_SECONDS = 30;

/**
 * Visits of `onsale` to a sale that has tickets for everybody and admits everybody at once: whatever bends is the servers, and a
 * rate of arrivals is a rate of admission.
 */
export function rehearsalLoad(perSecond: number, seconds: number): ResolvedLoad {
  const load: BenchLoad = {
    kind: 'arrivals',
    startPerSecond: perSecond,
    stages: [{ perSecond, seconds }],
    users: Math.min(BENCH_BOUNDS.users, Math.max(USERS_MIN, perSecond * VISIT_SECONDS)),
    graceSeconds: GRACE_SECONDS,
  };
  const buyers = arrivalsOf(load);
  const like = resolveLoad('onsale', 'smoke');
  return {
    ...like,
    load,
    sale: {
      ...like.sale,
      capacity: buyers * like.sale.limitPerBuyer + 100,
      holdSeconds: HOLD_SECONDS,
      admissionSeconds: HOLD_SECONDS,
      admission: { mode: 'fixed', perSecond: LIMITS.perSecondMax, maxActive: LIMITS.maxActiveMax },
    },
    buyers,
  };
}

/** Those that a purchase waits for. */
const OF_A_PURCHASE: readonly BenchEndpoint[] = ['join', 'poll', 'hold', 'pay', 'payment'];
const OVERLOAD_CODES: readonly string[] = ['overloaded', 'rate_limited'];

export interface StepFacts {
  readonly perSecond: number;
  readonly pass: number;
  readonly run: Pick<K6Run, 'totals' | 'endpoints' | 'faults'>;
  readonly timeline: readonly TimelineRow[];
  /** Processes that ended, a sentence each. */
  readonly died: readonly string[];
}

export function describeStep({ perSecond, pass, run, timeline, died }: StepFacts): RehearsalStep {
  const { totals, endpoints, faults } = run;
  const refused = OVERLOAD_CODES.reduce((sum, code) => sum + (totals.refused[code] ?? 0), 0);
  const latencies = endpoints
    .filter(({ endpoint }) => OF_A_PURCHASE.includes(endpoint))
    .flatMap(({ p95Ms }) => (p95Ms === null ? [] : [p95Ms]));
  return {
    perSecond,
    pass,
    arrivals: totals.iterations,
    dropped: totals.dropped,
    requests: totals.requests,
    errors: totals.unexpected + refused,
    purchases: totals.purchases,
    p95Ms: latencies.length === 0 ? null : Math.max(...latencies),
    active: activeOf(timeline),
    broken: died[0] ?? faults.find(isOfTheRun)?.message ?? null,
    starved: describeStarvation(timeline),
  };
}

/** What is thrown because of thresholds of a scenario says nothing of a step. */
function isOfTheRun({ code }: BenchFault): boolean {
  return code === 'k6' || code === 'serverDied';
}

/** While they came: the first of them are not inside yet, and in the end all leave. */
function activeOf(timeline: readonly TimelineRow[]): number | null {
  const seen = timeline.slice(Math.floor(timeline.length / 4), Math.ceil((timeline.length * 3) / 4));
  const known = seen.flatMap(({ sale }) => (sale === null ? [] : [sale.active]));
  return known.length === 0 ? null : known.reduce((sum, active) => sum + active, 0) / known.length;
}
