import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { BUYER_LIMITS } from './limits.ts';
import type { Quantiles } from './report.ts';

/** Collects durations in constant memory, microseconds inside, with three significant figures. */
export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({
    lowest: 1,
    highest: BUYER_LIMITS.latencyMaxUs,
    figures: 3,
  });

  record(milliseconds: number): void {
    const microseconds = Math.round(milliseconds * 1000);
    this.#histogram.record(Math.min(Math.max(microseconds, 1), BUYER_LIMITS.latencyMaxUs));
  }

  quantiles(): Quantiles {
    const { count } = this.#histogram;
    if (count === 0) return { count: 0, p50: 0, p95: 0, p99: 0, max: 0 };
    const at = (percentile: number): number => toMilliseconds(this.#histogram.percentile(percentile));
    return { count, p50: at(50), p95: at(95), p99: at(99), max: toMilliseconds(this.#histogram.max) };
  }
}

/** Microseconds → milliseconds with two decimals: finer than the histogram's own resolution above 1 ms. */
function toMilliseconds(microseconds: number): number {
  return Math.round(microseconds / 10) / 100;
}
