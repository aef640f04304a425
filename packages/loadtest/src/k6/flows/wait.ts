/** Polls until it is one's turn. */
import { pathOf, QUEUE_TOKEN_HEADER } from '@fest/server/contract/paths';
import type { QueuePosition, Sale } from '@fest/server/contract/schemas';
import type { PollPause } from '../../bench/poll-pause.ts';
import { metrics } from '../metrics.ts';
import { plan } from '../plan.ts';
import type { Visitor } from '../visitor.ts';
import type { Place } from './join.ts';

/** So often somebody who is told that all is sold looks whether anything can come back. */
const LOOK_EVERY = 2;

/** Leaves when the turn is lost, or nothing can come back any more. */
export function waitForTurn(visitor: Visitor, place: Place, pause: PollPause, saleId: number = plan.saleId): void {
  const path = pathOf('saleQueue', { saleId });
  const headers = { [QUEUE_TOKEN_HEADER]: place.queueToken };
  let { admitted, pollAfterMs } = place;
  let soldOut = 0;
  while (!admitted) {
    visitor.rest(pause(pollAfterMs, visitor.random));
    const answer = visitor.ask<QueuePosition>({ endpoint: 'poll', method: 'GET', path, headers });
    if (!answer.ok) visitor.leave('admissionExpired');
    const position = answer.body();
    ({ admitted, pollAfterMs } = position);
    if (position.phase === 'closed') visitor.leave('soldOut');
    if (!admitted && position.phase === 'soldOut') {
      if (soldOut % LOOK_EVERY === 0) leaveIfOver(visitor);
      soldOut += 1;
    }
  }
  metrics.admission.add(Date.now() - place.joinedAtMs);
}

/** Sold out is not over: a hold that is given back opens the sale again. */
export function leaveIfOver(visitor: Visitor): void {
  const path = pathOf('sale', { saleId: plan.saleId });
  const { phase, stock } = visitor.ask<Sale>({ endpoint: 'sale', method: 'GET', path }).body();
  if ((phase === 'soldOut' || phase === 'closed') && stock.held === 0) visitor.leave('soldOut');
}
