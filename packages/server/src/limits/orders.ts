/** Bounds of orders on their way into MySQL, and of the applier that brings them there. Part of `LIMITS`. */
export const ORDER_LIMITS = {
  /** Two thousand orders, each an intent and an order: some ten statements a batch are then a two-hundredth for each order. */
  applierBatchRecords: 4_000,
  /** Wait for more records before a small batch: statements per order matter more than half a second of archive lag. */
  applierLingerMs: 250,
  /** So many in that time (200 orders a second): then it goes on waiting, so that 600 orders a second have 1/100 statement each. */
  applierBusyRecords: 100,
  /** But not for longer: so old is what MySQL has while many buy, as long as nobody waits for it. */
  applierLingerMaxMs: 2_000,
  /** How long appliers keep to the short wait after somebody waited for one of them. */
  archiveWantedMs: 1_000,
  /** Redis may take so long to say whether somebody does; else somebody does. */
  archiveWantedAnswerMs: 100,
  /** While it waits, it looks whether something has come that somebody waits for. */
  applierLookMs: 25,
  applierRetryFirstMs: 200,
  applierRetryMaxMs: 10_000,
  /** How often a waiting `drain` looks how far the applier is. */
  drainPollMs: 10,
  /** How often the records MySQL refused are counted: operators put them right by hand, and the alarm has to end. */
  failedRecordsRefreshMs: 10_000,
  /** Of the orders MySQL refused, shown in their buyers' lists; each alone is found however many there are. */
  refusedOrders: 10_000,
  /** Between two looks for segments of the order log that may go: they only take room. */
  trimEveryMs: 60_000,
  /** Of what operators did, shown before it is archived; nobody does more to a sale while appliers are late. */
  freshActions: 100,
  /** A database that is away for longer takes the rest of the history with it until it is back. */
  freshActionTtlSeconds: 24 * 3600,
  /** Fresh orders are deleted from Redis once applied; this only bounds what a crash leaves behind. */
  freshOrderTtlSeconds: 7 * 24 * 3600,
} as const;
