/** What the scripts count beside k6's own metrics. All of them in every scenario: thresholds may name what nobody counted. */
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
import { BENCH_METRICS } from '../bench/plan.ts';

export const metrics = {
  unexpected: new Counter(BENCH_METRICS.unexpected),
  refused: new Counter(BENCH_METRICS.refused),
  outcomes: new Counter(BENCH_METRICS.outcomes),
  cutOff: new Counter(BENCH_METRICS.cutOff),
  purchases: new Counter(BENCH_METRICS.purchases),
  tickets: new Counter(BENCH_METRICS.tickets),
  ticketNumber: new Gauge(BENCH_METRICS.ticketNumber),
  oversold: new Counter(BENCH_METRICS.oversold),
  stockMismatch: new Counter(BENCH_METRICS.stockMismatch),
  admission: new Trend(BENCH_METRICS.admission, true),
  acknowledgement: new Trend(BENCH_METRICS.acknowledgement, true),
  liveDelay: new Trend(BENCH_METRICS.liveDelay, true),
  liveHeard: new Rate(BENCH_METRICS.liveHeard),
  attackTries: new Counter(BENCH_METRICS.attackTries),
  attackRefusals: new Counter(BENCH_METRICS.attackRefusals),
  attackUndecided: new Counter(BENCH_METRICS.attackUndecided),
  attackSuccesses: new Counter(BENCH_METRICS.attackSuccesses),
} as const;
