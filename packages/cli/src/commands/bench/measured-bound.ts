/** What was measured of that which a bound of k6 is about. Pure. */
import { BENCH_METRICS } from '@fest/loadtest/bench/plan';
import type { AttackResult, BenchResult, Latencies, ThresholdResult } from '@fest/loadtest/bench/result';
import { parseMetric } from './verdict.ts';

/** A time, or a count; undefined: the result does not have it. */
export type Measured =
  | { readonly kind: 'time'; readonly milliseconds: number }
  | { readonly kind: 'count'; readonly count: number };

const QUANTILES: Readonly<Record<string, Exclude<keyof Latencies, 'count'>>> = {
  'p(50)': 'p50Ms',
  med: 'p50Ms',
  'p(90)': 'p90Ms',
  'p(95)': 'p95Ms',
  'p(99)': 'p99Ms',
  'p(99.9)': 'p999Ms',
  max: 'maxMs',
  avg: 'meanMs',
};

export function measuredOf(result: BenchResult, { metric, expression }: ThresholdResult): Measured | undefined {
  const { name, tags } = parseMetric(metric);
  const [, statistic = ''] = /^\s*([\w.()]+)/.exec(expression.replaceAll(' ', '')) ?? [];
  if (statistic === 'count') {
    const count = countOf(result, name, tags);
    return count === undefined ? undefined : { kind: 'count', count };
  }
  const quantile = QUANTILES[statistic];
  const value = quantile === undefined ? undefined : latenciesOf(result, name, tags)?.[quantile];
  return value === undefined || value === null ? undefined : { kind: 'time', milliseconds: value };
}

type Tags = Readonly<Record<string, string>>;

function countOf({ totals, attacks }: BenchResult, name: string, tags: Tags): number | undefined {
  const { attack, outcome, ...others } = tags;
  // Of a part of the visits the result does not tell.
  if (Object.keys(others).length > 0) return undefined;
  if (outcome !== undefined) return name === BENCH_METRICS.outcomes ? (totals.outcomes[outcome] ?? 0) : undefined;
  const of = attacks.filter((each) => attack === undefined || each.attack === attack);
  const sum = (count: (each: AttackResult) => number): number => of.reduce((soFar, each) => soFar + count(each), 0);
  switch (name) {
    case BENCH_METRICS.unexpected:
      return totals.unexpected;
    case BENCH_METRICS.oversold:
      return totals.oversold;
    case BENCH_METRICS.purchases:
      return totals.purchases;
    case 'dropped_iterations':
      return totals.dropped;
    case BENCH_METRICS.attackTries:
      return sum(({ tries }) => tries);
    case BENCH_METRICS.attackSuccesses:
      return sum(({ successes }) => successes);
    case BENCH_METRICS.attackRefusals:
      return sum(({ tries, successes, undecided = 0 }) => tries - successes - undecided);
    default:
      return undefined;
  }
}

function latenciesOf({ totals, endpoints }: BenchResult, name: string, tags: Tags): Latencies | undefined {
  const { timeToAdmission, liveDelay, timeToOrder } = totals;
  switch (name) {
    case BENCH_METRICS.admission:
      return timeToAdmission;
    case BENCH_METRICS.acknowledgement:
      return timeToOrder;
    case BENCH_METRICS.liveDelay:
      return liveDelay;
    case 'http_req_duration':
      return tags.name === undefined ? totals.latency : endpoints.find(({ endpoint }) => endpoint === tags.name);
    default:
      return undefined;
  }
}
