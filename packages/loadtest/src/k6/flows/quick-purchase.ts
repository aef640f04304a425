/**
 * W5: join, poll, hold, pay, ask, without a pause for thought. The line moves five times a second and the order is durable some
 * milliseconds after the payment, so what is not settled yet is asked again after such a time, sooner than told: a fresh
 * buyer has ten questions at once, and needs two or three.
 */
import { soonerThanTold } from '../../bench/poll-pause.ts';
import type { Outcome } from '../outcome.ts';
import type { Visitor } from '../visitor.ts';
import { hold } from './hold.ts';
import { join } from './join.ts';
import { outcomeOf, pay } from './pay.ts';
import { waitForTurn } from './wait.ts';

const POLL_MS = 250;
const PAYMENT_POLL_MS = 20;

export function quickPurchase(visitor: Visitor): Outcome {
  const place = join(visitor);
  waitForTurn(visitor, place, soonerThanTold(POLL_MS));
  const held = hold(visitor, place.queueToken);
  return outcomeOf(pay(visitor, held, { thinkMs: PAYMENT_POLL_MS, everyMs: PAYMENT_POLL_MS }));
}
