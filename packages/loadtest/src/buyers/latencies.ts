import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Latencies as BenchLatencies } from '../bench/result.ts';
import { BUYER_LIMITS } from './limits.ts';
import type { Quantiles } from './report.ts';

/** Collects durations in constant memory, microseconds inside, with three significant figures. */
export class Latencies {
  readonly #histogram: RecordableHistogram;
  readonly #highestUs: number;

  /** @param highestUs longer ones count as this */
  constructor(highestUs: number = BUYER_LIMITS.latencyMaxUs) {
    this.#highestUs = highestUs;
    this.#histogram = createHistogram({ lowest: 1, highest: highestUs, figures: 3 });
  }

  record(milliseconds: number): void {
    const microseconds = Math.round(milliseconds * 1000);
    this.#histogram.record(Math.min(Math.max(microseconds, 1), this.#highestUs));
  }

  quantiles(): Quantiles {
    const { count } = this.#histogram;
    if (count === 0) return { count: 0, p50: 0, p95: 0, p99: 0, max: 0 };
    const at = (percentile: number): number => toMilliseconds(this.#histogram.percentile(percentile));
    return { count, p50: at(50), p95: at(95), p99: at(99), max: toMilliseconds(this.#histogram.max) };
  }

  /** The same for the result of a load test, where nothing is null rather than 0. */
  latencies(): BenchLatencies {
    const { count } = this.#histogram;
    const at = (percentile: number): number | null =>
      count === 0 ? null : toMilliseconds(this.#histogram.percentile(percentile));
    return {
      count,
      p50Ms: at(50),
      p90Ms: at(90),
      p95Ms: at(95),
      p99Ms: at(99),
      p999Ms: at(99.9),
      maxMs: count === 0 ? null : toMilliseconds(this.#histogram.max),
      meanMs: count === 0 ? null : toMilliseconds(this.#histogram.mean),
    };
  }
}

/** Microseconds → milliseconds with two decimals: finer than the histogram's own resolution above 1 ms. */
function toMilliseconds(microseconds: number): number {
  return Math.round(microseconds / 10) / 100;
}
