/** What one buyer has in mind, decided before it starts: pure, and the same for the same seed. */
import { createRandom, drawIndex } from '@fest/loadtest/buyers/random';

export interface VisitPlan {
  readonly quantity: number;
  /** Where the buyer walks away; holds that nobody pays must come back. */
  readonly leaves: 'never' | 'beforeHold' | 'beforePaying' | 'releasing';
  /** Hangs up this long after sending, as if the reply had been lost, then repeats the request under the same key. */
  readonly holdReplyLostAfterMs: number | undefined;
  readonly paymentReplyLostAfterMs: number | undefined;
  /** Sends the payment once more, after it succeeded: it has to be answered with the same payment. */
  readonly repeatsPayment: boolean;
  /** Tries again after a decline. */
  readonly triesAgain: boolean;
  /** Reads the order. */
  readonly looks: boolean;
  readonly cancels: boolean;
}

const QUANTITIES = [6, 3, 1] as const;
const LEAVES = ['never', 'beforeHold', 'beforePaying', 'releasing'] as const;
const LEAVE_WEIGHTS = [94, 2, 2, 2] as const;
const LOST_REPLY_SHARE = 0.015;
/** Within this a server has usually received the request, and often answered it. */
const LOST_REPLY_MS = 25;

/** A buyer who wants one ticket and does nothing else: finds out whether the sale sells. */
export const PLAIN_PLAN: VisitPlan = {
  quantity: 1,
  leaves: 'never',
  holdReplyLostAfterMs: undefined,
  paymentReplyLostAfterMs: undefined,
  repeatsPayment: false,
  triesAgain: false,
  looks: false,
  cancels: false,
};

export function planVisit(seed: string, index: number): VisitPlan {
  const random = createRandom(`${seed}/visit/${index}`);
  const lostAfterMs = (): number | undefined => {
    const [drawn, ms] = [random(), random()];
    return drawn < LOST_REPLY_SHARE ? ms * LOST_REPLY_MS : undefined;
  };
  return {
    quantity: drawIndex(random, QUANTITIES) + 1,
    leaves: LEAVES[drawIndex(random, LEAVE_WEIGHTS)] ?? 'never',
    holdReplyLostAfterMs: lostAfterMs(),
    paymentReplyLostAfterMs: lostAfterMs(),
    repeatsPayment: random() < 0.03,
    triesAgain: random() < 0.5,
    looks: random() < 0.15,
    cancels: random() < 0.04,
  };
}
