/** Bounds of rebuilding a sale after Redis lost it. Part of `LIMITS`. */
export const REBUILD_LIMITS = {
  /** How often each server looks whether a rebuild was asked for: one small statement on an empty table. */
  rebuildPollMs: 500,
  /** How often one under way is taken a step further. */
  rebuildStepMs: 50,
  /** Sales worked on at once by one process; the others wait their turn. */
  rebuildsAtOnce: 4,
  /** With many sales: after so long it is looked again whether a more urgent one waits. */
  rebuildRoundMs: 500,
  /** Epochs whose beginning is appended together: a few batches of the log. */
  epochsBegunAtOnce: 1_000,
  /** Sales whose states are looked at together when they cannot be trusted. */
  suspectsPerLook: 500,
  /** A state is put in place within milliseconds of its epoch's commit. When it is missing for longer, it was lost. */
  rebuildSettleMs: 1_000,
  /** Sales without a state that one refresh asks for, in turn: thousands of them must not take Redis's time from the rest. */
  lostSalesPerRefresh: 500,
  /** Between two looks at a sale whose state cannot be trusted. */
  rebuildRetryMs: 250,
  /** How often it is said for which order logs a rebuild waits. */
  rebuildComplainMs: 5_000,
  /** What a rebuild that died had prepared in Redis goes away after this. */
  stagedTtlSeconds: 600,
  /** Large enough to be quick, small enough not to keep Redis from others. */
  rebuildEntriesPerCommand: 1_000,
  /** Every epoch draws from its own range, so numbers never repeat without anything having to be logged per number. */
  queueNumbersPerEpoch: 10_000_000,
} as const;
