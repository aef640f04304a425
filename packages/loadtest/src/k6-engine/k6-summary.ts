/** The document that k6 writes at the end (`--summary-export`): what it made of thresholds, and its own counts. */
import type { ThresholdResult } from '../bench/result.ts';

export interface K6Summary {
  readonly thresholds: readonly ThresholdResult[];
  /** What k6 counted itself; undefined where it had nothing to count. */
  readonly requests: number | undefined;
  readonly iterations: number | undefined;
}

interface Metric {
  readonly count?: unknown;
  readonly thresholds?: Readonly<Record<string, unknown>>;
}

/** Undefined for anything else than such a document. @param text of the file */
export function parseSummary(text: string): K6Summary | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // Cut off: k6 was killed while it wrote.
    return undefined;
  }
  const metrics = (document as { readonly metrics?: unknown } | null)?.metrics;
  if (typeof metrics !== 'object' || metrics === null) return undefined;
  const byName = metrics as Readonly<Record<string, Metric>>;
  return {
    thresholds: Object.entries(byName)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .flatMap(([metric, { thresholds = {} }]) =>
        // It says whether the bound was crossed, not whether it was kept.
        Object.entries(thresholds).map(([expression, crossed]) => ({ metric, expression, passed: crossed === false })),
      ),
    requests: countOf(byName.http_reqs),
    iterations: countOf(byName.iterations),
  };
}

function countOf(metric: Metric | undefined): number | undefined {
  return typeof metric?.count === 'number' ? metric.count : undefined;
}
