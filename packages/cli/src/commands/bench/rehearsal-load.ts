/** What comes in one step of a rehearsal, and what is read off it. Pure. */
import { BENCH_BOUNDS } from '@fest/loadtest/bench/bounds';
import { arrivalsOf } from '@fest/loadtest/bench/load-sums';
import { BENCH_METRICS, type BenchLoad } from '@fest/loadtest/bench/plan';
import { type ResolvedLoad, resolveLoad } from '@fest/loadtest/bench/profiles';
import type { BenchAudit, BenchFault, BenchFaultCode, TimelineRow } from '@fest/loadtest/bench/result';
import type { K6Run } from '@fest/loadtest/k6-engine/run-k6';
import { LIMITS } from '@fest/server/limits';
import { OF_A_PURCHASE, type RehearsalStep, type StepPart } from './knee.ts';
import { describeStarvation } from './starvation.ts';
import { judge, type SoldFacts } from './verdict.ts';

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

const OVERLOAD_CODES: readonly string[] = ['overloaded', 'rate_limited'];
/** How visits end that went as their buyers meant. */
const AS_MEANT: readonly string[] = ['bought', 'neverHeld', 'neverPaid', 'declined'];
/** What ends a rehearsal: that the servers are slow is what it looks for, and these are not that. */
const SERIOUS: readonly BenchFaultCode[] = ['oversold', 'stock', 'audit', 'serverDied', 'k6'];

export interface StepFacts {
  readonly perSecond: number;
  readonly part: StepPart;
  /** Visits that were due. */
  readonly due: number;
  readonly run: Pick<K6Run, 'totals' | 'endpoints' | 'faults' | 'thresholds'>;
  readonly timeline: readonly TimelineRow[];
  /** Processes that ended, a sentence each. */
  readonly died: readonly string[];
  readonly afterwards: { readonly audit: BenchAudit; readonly sale: SoldFacts | undefined };
}

export function describeStep({ perSecond, part, due, run, timeline, died, afterwards }: StepFacts): RehearsalStep {
  const { totals, endpoints } = run;
  const refused = OVERLOAD_CODES.reduce((sum, code) => sum + (totals.refused[code] ?? 0), 0);
  const p95Ms = OF_A_PURCHASE.flatMap((name) => {
    const value = endpoints.find(({ endpoint }) => endpoint === name)?.p95Ms ?? null;
    return value === null ? [] : [[name, value] as const];
  });
  const payMs = endpoints.find(({ endpoint }) => endpoint === 'pay')?.meanMs ?? 0;
  const toOrderMs = totals.timeToOrder?.meanMs ?? null;
  return {
    perSecond,
    part,
    due,
    arrivals: totals.iterations,
    dropped: totals.dropped,
    lost: lostVisits(run, due),
    requests: totals.requests,
    errors: totals.unexpected + refused,
    purchases: totals.purchases,
    p95Ms: Object.fromEntries(p95Ms),
    orderMs: toOrderMs === null ? null : toOrderMs + payMs,
    active: activeOf(timeline),
    faults: seriousFaults({ run, died, afterwards }),
    starved: describeStarvation(timeline),
  };
}

/**
 * Those that ended otherwise than meant, and those that k6 cut off, which have no end that was counted: it tells that there were
 * some. Without that, visits that are missing never began: on a busy machine k6 begins up to one in a hundred fewer than are due,
 * and drops none.
 */
function lostVisits({ totals, thresholds }: StepFacts['run'], due: number): number {
  const { outcomes, iterations, dropped } = totals;
  const otherwise = Object.entries(outcomes).filter(([outcome]) => !AS_MEANT.includes(outcome));
  const wereCutOff = thresholds.some(({ metric, passed }) => metric === BENCH_METRICS.cutOff && !passed);
  const cutOff = wereCutOff ? Math.max(1, due - iterations - dropped) : 0;
  return otherwise.reduce((sum, [, count]) => sum + count, cutOff);
}

/** The same rules as for any load test; whether it was fast enough is not asked here. */
function seriousFaults({
  run,
  died,
  afterwards,
}: Pick<StepFacts, 'run' | 'died' | 'afterwards'>): readonly BenchFault[] {
  const { faults } = judge({
    interrupted: false,
    totals: run.totals,
    endpoints: run.endpoints,
    thresholds: run.thresholds,
    attacks: [],
    faults: [...died.map((message): BenchFault => ({ code: 'serverDied', message })), ...run.faults],
    audit: afterwards.audit,
    sale: afterwards.sale,
    starved: null,
  });
  return faults.filter(({ code }) => SERIOUS.includes(code));
}

/** While they came: the first of them are not inside yet, and in the end all leave. */
function activeOf(timeline: readonly TimelineRow[]): number | null {
  const seen = timeline.slice(Math.floor(timeline.length / 4), Math.ceil((timeline.length * 3) / 4));
  const known = seen.flatMap(({ sale }) => (sale === null ? [] : [sale.active]));
  return known.length === 0 ? null : known.reduce((sum, active) => sum + active, 0) / known.length;
}
