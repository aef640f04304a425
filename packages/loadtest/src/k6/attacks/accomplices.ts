/** What attackers do honestly first: draw a number, get in, hold, buy. */
import type { Hold, Payment } from '@fest/server/contract/schemas';
import { asTold } from '../../bench/poll-pause.ts';
import { hold } from '../flows/hold.ts';
import { join, type Place } from '../flows/join.ts';
import { pay } from '../flows/pay.ts';
import { waitForTurn } from '../flows/wait.ts';
import type { Visitor } from '../visitor.ts';

/** Of two accounts; the second is the victim where there is one. */
export interface Pair {
  readonly attacker: Visitor;
  readonly victim: Visitor;
}

export function getIn(visitor: Visitor): Place {
  const place = join(visitor);
  waitForTurn(visitor, place, asTold);
  return place;
}

export function getHold(visitor: Visitor, quantity = 1): { readonly place: Place; readonly held: Hold } {
  const place = getIn(visitor);
  return { place, held: hold(visitor, place.queueToken, quantity) };
}

export function buy(
  visitor: Visitor,
  quantity = 1,
): { readonly place: Place; readonly held: Hold; readonly payment: Payment } {
  const { place, held } = getHold(visitor, quantity);
  const payment = pay(visitor, held, { thinkMs: 300, everyMs: 500 });
  // Without an order there is nothing to attack.
  if (payment.status !== 'succeeded') visitor.leave('declined');
  return { place, held, payment };
}
