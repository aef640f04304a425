/** How long an answer may take, and so how long k6 has to wait for the last of them. Pure. */
import { REQUEST_LIMITS } from '@fest/server/limits/requests';

/** Longer than the servers' own bound for a handler, so that its answer is seen rather than cut off. */
export const ANSWER_TIMEOUT_SECONDS = Math.ceil(REQUEST_LIMITS.handlerTimeoutMs / 1_000) + 1;

/**
 * Between the moment after which no visit asks any more and the one at which k6 cuts off what still goes on: whatever was asked
 * last has been answered by then, or counted as not answered. What k6 cuts off is counted nowhere.
 */
export const CUT_OFF_SECONDS = ANSWER_TIMEOUT_SECONDS + 2;
