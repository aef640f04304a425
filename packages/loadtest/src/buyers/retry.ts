/** Whether and when a buyer repeats a request. Pure. */
import { BUYER_LIMITS } from './limits.ts';
import type { Random } from './random.ts';
import type { Retries } from './report.ts';

/** An answer, as far as it decides on a repetition. Status 0: there was none, the connection failed. */
export interface Attempt {
  readonly status: number;
  /** Problem code. */
  readonly code: string | undefined;
  /** From `retryAfterMs` or `Retry-After`, milliseconds. */
  readonly retryAfterMs: number | undefined;
}

export interface Retry {
  readonly reason: keyof Retries;
  readonly afterMs: number;
  /** Ask the next server: this one is away or busy. */
  readonly elsewhere: boolean;
}

/** A gateway between buyer and server answers 502 and 504 for a server that is away; 408 means the server saw no request. */
const AWAY: readonly number[] = [0, 408, 502, 504];

/**
 * Undefined: the answer is final. `attempt` counts the repetitions so far, from 0. A time the server asked for is never
 * undercut: jitter only adds to it.
 */
export function decideRetry(answer: Attempt, attempt: number, random: Random): Retry | undefined {
  if (AWAY.includes(answer.status)) {
    const longest = Math.min(BUYER_LIMITS.reconnectFirstMs * 2 ** attempt, BUYER_LIMITS.reconnectLongestMs);
    return { reason: 'network', afterMs: longest * (0.5 + random() / 2), elsewhere: true };
  }
  if (answer.status === 429 || answer.status === 503) {
    const asked = answer.retryAfterMs ?? BUYER_LIMITS.refusedDefaultMs;
    const reason = answer.status === 429 ? 'rateLimited' : 'overloaded';
    return { reason, afterMs: asked * (1 + random() / 2), elsewhere: answer.status === 503 };
  }
  if (answer.status === 409 && answer.code === 'request_in_progress') {
    const asked = answer.retryAfterMs ?? BUYER_LIMITS.inProgressMs;
    return { reason: 'inProgress', afterMs: asked * (1 + random() / 2), elsewhere: false };
  }
  return undefined;
}

/** Seconds, or an HTTP date (then undefined: our servers send seconds). */
export function parseRetryAfterMs(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d+$/.test(header) ? Number(header) * 1000 : undefined;
}

/** `pollAfterMs` as told, plus a little, so that buyers who came together drift apart. Never less than told. */
export function pollDelayMs(pollAfterMs: number, random: Random): number {
  return pollAfterMs * (1 + random() * BUYER_LIMITS.jitterShare);
}
