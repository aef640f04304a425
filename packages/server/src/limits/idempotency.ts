/** Bounds of repeated requests. Part of `LIMITS`. */
export const IDEMPOTENCY_LIMITS = {
  idempotencyKeyCharacters: 100,
  /** How long a repeated request finds its answer. */
  idempotencyTtlSeconds: 24 * 3600,
  /** A request that died without an answer frees its key after this; longer than any handler runs. */
  idempotencyPendingSeconds: 60,
} as const;
