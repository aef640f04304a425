/** Bounds of traces. Part of `LIMITS`. */
export const TRACE_LIMITS = {
  /** Requests of a process that are traced in a second, whatever share is configured and whoever asks for it: some ten spans each. */
  tracesPerSecond: 200,
  /** What a request began belongs to its trace for so long: payments take seconds, a refund that is tried again may take longer. */
  traceMs: 60_000,
  /** Spans that wait for the collector; more are dropped. Some 1 KiB each. */
  traceSpansWaiting: 4_096,
  /** Spans are gathered for so long. */
  traceBatchMs: 1_000,
  /** A collector that takes longer is away. Less than a stop has (`stopMs`). */
  traceExportMs: 3_000,
  /** Between two lines of the log about it. */
  traceTroubleMs: 60_000,
} as const;
