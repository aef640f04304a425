/** What a sale needs to be opened without a second thought. Part of `LIMITS`. */
export const READINESS_LIMITS = {
  /** Each question to a store, the disk or the gateway; all are asked at once. What has not answered by then is unknown. */
  readinessMs: 3_000,
  /** An order of one ticket is an intent and an order, under 1 KiB with their headers; as much again for cards that are declined. */
  logBytesPerTicket: 2_048,
  /** Beside the orders: the segment that is prepared, the one being written, checkpoints, and what else the disk is for. */
  logSpareBytes: 256 * 1024 * 1024,
  /** Records that are not in MySQL yet: what an applier takes at once, some seconds' worth. */
  readyLagRecords: 4_000,
  /** As large a line as was measured. */
  readyWaiters: 1_000_000,
  /** 8.6 to 12.7 were measured. */
  redisBytesPerWaiter: 16,
  /** A hold and its payment, with their places in the sorted sets. */
  redisBytesPerBuyer: 2_048,
  /** An order until it is archived, and what its buyer has. */
  redisBytesPerTicket: 1_024,
  /** Servers say every ten seconds that they live. */
  serverSilentSeconds: 60,
  /** People need so long to notice that it is their turn. */
  admissionSecondsComfortable: 30,
} as const;
