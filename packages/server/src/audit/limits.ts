import { LIMITS } from '../limits.ts';

/** Bounds of an audit. Units are in the names, reasons beside them. */
export const AUDIT_LIMITS = {
  /** Of one look at Redis, in which no other command runs: 5,000 released numbers take some 10 ms, 20,000 ids of holds 30. */
  releasedPerSlice: 5_000,
  holdsAtOnce: 20_000,
  /** Slices of one sale: more than the largest sale can have. */
  slicesAtMost: 250,
  /** Keys of one SCAN or fields of one HSCAN: small enough not to hold up a sale that is running. */
  keysPerScan: 1_000,
  /** How long confirmations under way may take to reach an order log. A payment is charged before it is confirmed, so this
   * is a write and an fdatasync, or the time a server needs to be started again. */
  settleMs: 15_000,
  settlePollMs: 200,
  /** All waiting together, whatever it is for. */
  waitMs: 15_000,
  /** How long MySQL may take to have what the logs had. */
  applierWaitMs: 15_000,
  applierPollMs: 200,
  /** An applier that has not moved for this long will not by waiting. */
  applierStandstillMs: 5_000,
  /** And where no server of this machine has the log open: the time a server elsewhere needs for a batch. */
  unusedStandstillMs: 1_500,
  /** A change of settings is in both stores after this, or a server has put it right: twice what servers take to compare. */
  settingsWaitMs: 2 * LIMITS.compareSettingsMs,
  settingsPollMs: 500,
  /** A sale that is missing in Redis was perhaps lost a moment ago: its servers ask for a rebuild within this. */
  missingWaitMs: 3_000,
  missingPollMs: 250,
  /** Damage is believed when it is still there after this: what was being written is complete by then. */
  readAgainMs: 300,
  /** Captures younger than this say nothing yet: the statement of a gateway may be ahead of what it has told us. */
  graceMs: 30_000,
  /** A payment or cancellation that is unfinished for longer is worth a remark. */
  unfinishedMs: 10 * 60_000,
  /** Log records read at once. */
  recordsPerBatch: 1_000,
  /** Orders of one page; with 20 tickets each that is at most 40,000 rows in memory at once. */
  ordersPerPage: 2_000,
  rowsPerPage: 5_000,
  mysqlConnections: 2,
  /** A broken sale can break thousands of times: so many of each kind are told one by one, the rest is counted. */
  findingsPerCheck: 10,
  /** Differences kept while reading, of each kind; the rest is counted. */
  keptDifferences: 1_000,
} as const;
