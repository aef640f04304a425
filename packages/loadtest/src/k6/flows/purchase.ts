/** A whole visit: join, wait, hold, pay, look at the order. */
import { asTold } from '../../bench/poll-pause.ts';
import type { Outcome } from '../outcome.ts';
import type { Visitor } from '../visitor.ts';
import { hold, release } from './hold.ts';
import { join } from './join.ts';
import { pay } from './pay.ts';
import { readOrder } from './read-order.ts';
import { waitForTurn } from './wait.ts';

/** A declined buyer tries another card once. */
const PAYMENT_ATTEMPTS = 2;
const FIRST_QUESTION_MS = 500;

export function purchase(visitor: Visitor): Outcome {
  const { holds, pays } = visitor.intentions;
  const place = join(visitor);
  waitForTurn(visitor, place, asTold);
  if (!holds) return 'neverHeld';
  const held = hold(visitor, place.queueToken);
  if (!pays) return 'neverPaid';
  for (let attempt = 0; attempt < PAYMENT_ATTEMPTS; attempt += 1) {
    const payment = pay(visitor, held, { thinkMs: FIRST_QUESTION_MS });
    if (payment.status === 'refunded') return 'refunded';
    if (payment.status === 'succeeded') {
      readOrder(visitor, payment, held);
      return 'bought';
    }
  }
  release(visitor, held);
  return 'declined';
}
