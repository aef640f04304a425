/** Draws a queue number. */
import { pathOf } from '@fest/server/contract/paths';
import type { QueueTicket } from '@fest/server/contract/schemas';
import { plan } from '../plan.ts';
import type { Visitor } from '../visitor.ts';

export interface Place extends QueueTicket {
  /** Unix milliseconds, when the request was sent. */
  readonly joinedAtMs: number;
}

/** Leaves when there is nothing to wait for. */
export function join(visitor: Visitor, saleId: number = plan.saleId): Place {
  const joinedAtMs = Date.now();
  const path = pathOf('saleQueue', { saleId });
  const answer = visitor.ask<QueueTicket>({ endpoint: 'join', method: 'POST', path, headers: visitor.authorized() });
  if (!answer.ok) visitor.leave('soldOut');
  return { ...answer.body(), joinedAtMs };
}
