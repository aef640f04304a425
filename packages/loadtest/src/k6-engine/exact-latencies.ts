import type { Latencies } from '../bench/result.ts';

/**
 * Quantiles of few values, as they are: the nearest rank (the smallest value that at least so large a share does not exceed).
 * @param values milliseconds, in any order
 */
export function exactLatencies(values: readonly number[]): Latencies {
  const sorted = Float64Array.from(values).sort();
  const count = sorted.length;
  const at = (share: number): number | null => {
    const value = sorted[Math.ceil(share * count) - 1];
    return value === undefined ? null : rounded(value);
  };
  return {
    count,
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    maxMs: at(1),
    // Added up in the order of size: the same values have the same mean, whichever came first.
    meanMs: count === 0 ? null : rounded(sorted.reduce((sum, value) => sum + value, 0) / count),
  };
}

/** To a microsecond: what k6 measures behind it is no time. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}
