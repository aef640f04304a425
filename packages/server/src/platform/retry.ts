import { setTimeout as sleep } from 'node:timers/promises';

export interface RetryOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Ends the waiting; the last error is thrown. */
  readonly signal?: AbortSignal;
  /** Errors it returns false for are thrown at once. */
  readonly isTransient: (error: unknown) => boolean;
  readonly onRetry?: (error: unknown, waitMs: number) => void;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

/** Exponential backoff with full jitter around the second half, so that many callers do not return together. */
export function backoffMs(attempt: number, firstMs: number, maxMs: number, random: () => number): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** attempt);
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}

/** Runs until it succeeds, fails for good, or is aborted. For idempotent work only. */
export async function retry<Result>(work: () => Promise<Result>, options: RetryOptions): Promise<Result> {
  const { firstMs, maxMs, signal, isTransient, onRetry, random = Math.random } = options;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || signal?.aborted === true) throw error;
      const waitMs = backoffMs(attempt, firstMs, maxMs, random);
      onRetry?.(error, waitMs);
      try {
        await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
      } catch {
        throw error;
      }
    }
  }
}
