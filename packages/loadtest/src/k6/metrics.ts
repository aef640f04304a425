/** What the scripts count beside k6's own metrics. All of them in every scenario: thresholds may name what nobody counted. */
import { Counter, Trend } from 'k6/metrics';
import { BENCH_METRICS } from '../bench/plan.ts';

export const metrics = {
  unexpected: new Counter(BENCH_METRICS.unexpected),
  refused: new Counter(BENCH_METRICS.refused),
  outcomes: new Counter(BENCH_METRICS.outcomes),
  purchases: new Counter(BENCH_METRICS.purchases),
  tickets: new Counter(BENCH_METRICS.tickets),
  oversold: new Counter(BENCH_METRICS.oversold),
  admission: new Trend(BENCH_METRICS.admission, true),
  acknowledgement: new Trend(BENCH_METRICS.acknowledgement, true),
  liveDelay: new Trend(BENCH_METRICS.liveDelay, true),
  attackTries: new Counter(BENCH_METRICS.attackTries),
  attackSuccesses: new Counter(BENCH_METRICS.attackSuccesses),
} as const;
