/**
 * Slows down guessing of one account's password. Keyed by the e-mail address as it was typed in, whether or not an account
 * has it, so that the answer does not tell. Counts per process: N servers allow N times as much, which is still nothing
 * against a password of eight characters.
 *
 * GCRA: an attempt moves the account's "theoretical arrival time" on by one interval; how far that time may run ahead of
 * the clock is the burst. One number per account, no timers, and the waiting time falls out of it.
 */
import { LRUCache } from 'lru-cache';
import { LIMITS } from '../../limits.ts';

export type LoginAttempt =
  | { readonly status: 'allowed' }
  | { readonly status: 'limited'; readonly retryAfterMs: number };

export interface LoginLimiter {
  /** Counts the attempt as failed in advance: many at once must not all pass before the first has failed. */
  begin(email: string, nowMs: number): LoginAttempt;
  /** The password was right: forget the failures. */
  succeeded(email: string): void;
  /** The attempt was not decided (the server was busy): it does not count. */
  undecided(email: string): void;
}

export interface LoginLimiterOptions {
  /** Failures in a row that are let through. */
  readonly burst?: number;
  /** Time after which `burst` failures are forgotten, evenly. */
  readonly windowMs?: number;
  /** Accounts remembered; the least recently tried are forgotten first. */
  readonly accounts?: number;
}

export function createLoginLimiter({
  burst = LIMITS.failedLoginsPerAccount,
  windowMs = LIMITS.failedLoginWindowMs,
  accounts = LIMITS.failedLoginAccounts,
}: LoginLimiterOptions = {}): LoginLimiter {
  const intervalMs = windowMs / burst;
  const arrivals = new LRUCache<string, number>({ max: accounts });
  return {
    begin(email, nowMs) {
      const next = Math.max(arrivals.get(email) ?? 0, nowMs) + intervalMs;
      const aheadMs = next - nowMs;
      if (aheadMs > windowMs) return { status: 'limited', retryAfterMs: Math.ceil(aheadMs - windowMs) };
      arrivals.set(email, next);
      return { status: 'allowed' };
    },
    succeeded(email) {
      arrivals.delete(email);
    },
    undecided(email) {
      const arrival = arrivals.get(email);
      if (arrival !== undefined) arrivals.set(email, arrival - intervalMs);
    },
  };
}
