/** From everything that was seen to the one document. Pure. */

import { arrivalsOf } from '@fest/loadtest/bench/load-sums';
import type { BenchPlan } from '@fest/loadtest/bench/plan';
import type { ResolvedLoad } from '@fest/loadtest/bench/profiles';
import {
  BENCH_RESULT_FORMAT,
  type BenchFault,
  type BenchResult,
  type CpuUse,
  type GatewayConfig,
} from '@fest/loadtest/bench/result';
import type { K6Program } from '@fest/loadtest/k6-engine/k6-program';
import type { K6Run } from '@fest/loadtest/k6-engine/run-k6';
import type { DeskAdmission } from '../../sale-desk.ts';
import type { Afterwards } from './afterwards.ts';
import { describeStarvation } from './starvation.ts';
import { averageCpu, mergeTimeline, type Observation } from './timeline.ts';
import { judge } from './verdict.ts';

export interface ResultFacts {
  readonly id: string;
  readonly plan: BenchPlan;
  readonly resolved: ResolvedLoad;
  readonly admission: DeskAdmission;
  readonly gatewayMs: number | null;
  readonly gateway: GatewayConfig | null;
  readonly run: K6Run;
  /** When k6 was started, and when it had ended: it does not say when it did nothing. */
  readonly beganAtMs: number;
  readonly endedAtMs: number;
  readonly observations: readonly Observation[];
  /** Processes of the stack that ended by themselves, a sentence each. */
  readonly died: readonly string[];
  readonly afterwards: Afterwards;
  readonly notes: readonly string[];
  readonly k6: K6Program;
  readonly fest: BenchResult['fest'];
  readonly machine: BenchResult['machine'];
  readonly target: BenchResult['target'];
}

const NO_CPU: CpuUse = { processors: 0, generator: null, observer: null, processes: {}, others: null, stolen: null };

export function composeResult(facts: ResultFacts): BenchResult {
  const { id, plan, resolved, run, afterwards, machine } = facts;
  const timeline = mergeTimeline(run.rows, facts.observations);
  const deaths = facts.died.map((message): BenchFault => ({ code: 'serverDied', message }));
  const { verdict, faults, noLatencyClaim } = judge({
    interrupted: run.interrupted,
    due: resolved.load.kind === 'arrivals' ? arrivalsOf(resolved.load) : undefined,
    totals: run.totals,
    endpoints: run.endpoints,
    thresholds: run.thresholds,
    attacks: run.attacks,
    faults: [...deaths, ...run.faults],
    audit: afterwards.audit,
    sale: afterwards.sale,
    starved: describeStarvation(timeline),
  });
  const during = facts.observations.filter(({ atMs }) => atMs > run.startedAtMs && atMs <= run.endedAtMs);
  return {
    format: BENCH_RESULT_FORMAT,
    id,
    scenario: plan.scenario,
    profile: plan.profile,
    startedAt: new Date(run.startedAtMs || facts.beganAtMs).toISOString(),
    endedAt: new Date(run.endedAtMs || facts.endedAtMs).toISOString(),
    interrupted: run.interrupted,
    verdict,
    faults,
    noLatencyClaim,
    notes: facts.notes,
    fest: facts.fest,
    k6: { version: facts.k6.version, path: facts.k6.path, origin: facts.k6.origin },
    target: facts.target,
    machine,
    config: {
      load: plan.load,
      capacity: plan.capacity,
      limitPerBuyer: plan.limitPerBuyer,
      admission: facts.admission,
      neverHoldShare: plan.behaviour.neverHoldShare,
      neverPayShare: plan.behaviour.neverPayShare,
      waitersBeforehand: resolved.waitersBeforehand,
      gatewayMs: facts.gatewayMs,
      gateway: facts.gateway,
      thresholdFactor: plan.thresholdFactor,
      seed: plan.seed,
    },
    totals: run.totals,
    endpoints: run.endpoints,
    thresholds: run.thresholds,
    attacks: run.attacks,
    cpu: averageCpu(during.flatMap(({ cpu }) => (cpu === null ? [] : [cpu]))) ?? {
      ...NO_CPU,
      processors: machine.processors,
    },
    timeline,
    audit: afterwards.audit,
  };
}
