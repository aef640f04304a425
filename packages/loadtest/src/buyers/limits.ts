/** Bounds of the simulated buyers. Units are in the names, reasons beside them. */
export const BUYER_LIMITS = {
  /** Sockets to one server, shared by all buyers: what a browser pool behind a load balancer would look like to it. */
  connectionsPerServer: 256,
  /** Above the server's own limit for a handler (15 s), so that its answer is seen rather than cut off. */
  answerTimeoutMs: 20_000,
  connectTimeoutMs: 5_000,
  /** Below the server's keep-alive time-out (65 s): the side that reuses a socket should be the first to let it go. */
  keepAliveTimeoutMs: 30_000,
  /** First and longest wait after a connection that failed; a restarted server is back within a few seconds. */
  reconnectFirstMs: 100,
  reconnectLongestMs: 2_000,
  /** A repeated request whose first one is still being worked on asks again after this. */
  inProgressMs: 500,
  /** When a 429 or 503 does not say how long to wait. */
  refusedDefaultMs: 1_000,
  /** Buyers wait up to this share longer than they were told, so that those who came together do not stay together. */
  jitterShare: 0.1,
  /** One look at the sale serves all buyers for this long. */
  saleWatchMs: 500,
  /** How often somebody looks whether the sale is over although nobody's poll said so. */
  saleFollowMs: 2_000,
  /** An admitted buyer who found everything held tries again after this. */
  holdRetryMs: 1_000,
  /** A pending payment without `pollAfterMs` is asked for again after this. */
  paymentPollMs: 500,
  /** How often one buyer joins again after losing its turn through no fault of its own. */
  rounds: 4,
  /** Examples of unexpected answers kept in the report. */
  failureExamples: 10,
  /** Longest latency a histogram tells apart, microseconds: ten minutes. */
  latencyMaxUs: 600_000_000,
  progressMs: 500,
} as const;
