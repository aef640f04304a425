import { WATCH_LIMITS } from './limits.ts';

/**
 * Milliseconds until the next attempt to connect.
 * @param failures attempts that failed one after the other, 1 or more
 * @param random 0 ≤ value < 1: many screens that lose the same server must not come back in the same moment
 */
export function retryDelayMs(failures: number, random: number): number {
  const doubled = WATCH_LIMITS.retryMinMs * 2 ** Math.min(failures - 1, 10);
  const delay = Math.min(doubled, WATCH_LIMITS.retryMaxMs);
  return Math.round(delay * (0.75 + random / 2));
}
