/**
 * W1: the visit of the earlier system's own load test, with its think times. Two of its habits are kept as far as the contract
 * goes: it polls every three seconds, and this server refuses (429) who asks more than four times in the interval it told,
 * which is up to thirty seconds at the end of a long line; so a poll waits three seconds, or as long as was told if that is longer.
 * A payment is asked for every five seconds, which is longer than told.
 */
import { everyButAsTold } from '../../bench/poll-pause.ts';
import type { Outcome } from '../outcome.ts';
import type { Visitor } from '../visitor.ts';
import { browse } from './browse.ts';
import { hold, readHold } from './hold.ts';
import { join } from './join.ts';
import { outcomeOf, pay } from './pay.ts';
import { waitForTurn } from './wait.ts';

const THINK_MS = 500;
const POLL_MS = 3_000;
const PAYMENT_POLL_MS = 5_000;

export function festivalVisit(visitor: Visitor): Outcome {
  browse(visitor);
  const place = join(visitor);
  waitForTurn(visitor, place, everyButAsTold(POLL_MS));
  const held = hold(visitor, place.queueToken);
  visitor.rest(THINK_MS);
  readHold(visitor, held);
  visitor.rest(THINK_MS);
  return outcomeOf(pay(visitor, held, { thinkMs: THINK_MS, everyMs: PAYMENT_POLL_MS }));
}
