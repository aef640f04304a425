/** Takes tickets, looks at them, gives them back. */
import { IDEMPOTENCY_KEY_HEADER, pathOf } from '@fest/server/contract/paths';
import type { Hold } from '@fest/server/contract/schemas';
import { metrics } from '../metrics.ts';
import { plan } from '../plan.ts';
import type { Visitor } from '../visitor.ts';
import { leaveIfOver } from './wait.ts';

/** Who finds everything held tries again after this. */
const TRY_AGAIN_MS = 1_000;

/** Leaves when the turn has passed, or everything is sold. */
export function hold(visitor: Visitor, queueToken: string, quantity = 1): Hold {
  const path = pathOf('saleHolds', { saleId: plan.saleId });
  const headers = { ...visitor.authorized(queueToken), [IDEMPOTENCY_KEY_HEADER]: visitor.newKey() };
  for (;;) {
    const answer = visitor.ask<Hold>({ endpoint: 'hold', method: 'POST', path, headers, body: { quantity } });
    if (answer.ok) return checked(answer.body());
    if (answer.code !== 'sold_out') visitor.leave('admissionExpired');
    leaveIfOver(visitor);
    visitor.rest(TRY_AGAIN_MS);
  }
}

export function readHold(visitor: Visitor, { holdId }: Hold): void {
  const path = pathOf('hold', { holdId });
  visitor.ask({ endpoint: 'readHold', method: 'GET', path, headers: visitor.authorized() });
}

/** Whatever the answer, they go back when the hold ends. */
export function release(visitor: Visitor, { holdId }: Pick<Hold, 'holdId'>): void {
  const path = pathOf('hold', { holdId });
  visitor.ask({ endpoint: 'release', method: 'DELETE', path, headers: visitor.authorized() });
}

/** Ticket numbers are 1 to the capacity, and none is there twice. */
function checked(found: Hold): Hold {
  const { ticketNumbers } = found;
  const wrong = ticketNumbers.filter(
    (number, index) => number < 1 || number > plan.capacity || ticketNumbers.indexOf(number) !== index,
  );
  if (wrong.length > 0) {
    metrics.oversold.add(wrong.length);
    console.error(`oversold: hold ${found.holdId} has the tickets ${ticketNumbers.join(', ')} of ${plan.capacity}`);
  }
  return found;
}
