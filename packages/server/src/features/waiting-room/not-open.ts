/** Why no number is drawn now, and when to come again. */
import { toTimeText } from '../../contract/json-time.ts';
import { LIMITS } from '../../limits.ts';
import { ProblemError } from '../../platform/problem.ts';
import type { NotOpen } from '../../redis/scripts/waiting-room.ts';

/**
 * Whoever is told when to come again is told another moment than the others: a crowd that was sent away together would be back
 * together.
 *
 * @param random a whole number from 0 to below its argument, anew for each refusal
 */
export function saleNotOpen(
  { phase, opensAtMs }: NotOpen,
  nowMs: number,
  random: (below: number) => number,
): ProblemError {
  switch (phase) {
    case 'scheduled': {
      const fromMs = opensAtMs - LIMITS.earlyJoinMs;
      const detail = `The sale opens at ${toTimeText(opensAtMs)}; joining begins at ${toTimeText(fromMs)}.`;
      const retryAfterMs = fromMs - nowMs + random(LIMITS.earlyJoinSpreadMs);
      return new ProblemError('sale_not_open', detail, { retryAfterMs });
    }
    case 'paused':
      return new ProblemError('sale_not_open', 'The sale is paused; the line keeps its order. Try again soon.', {
        retryAfterMs: LIMITS.pausedRetryMs + random(LIMITS.pausedRetryMs),
      });
    case 'closed':
      return new ProblemError('sale_not_open', 'The sale is closed.');
  }
}
