/** Pays for a hold, and asks until the outcome is known. */
import { IDEMPOTENCY_KEY_HEADER, pathOf } from '@fest/server/contract/paths';
import type { Hold, Payment } from '@fest/server/contract/schemas';
import { metrics } from '../metrics.ts';
import type { Outcome } from '../outcome.ts';
import type { Visitor } from '../visitor.ts';

export interface PayOptions {
  /** Before asking for the first time, ms. */
  readonly thinkMs: number;
  /** Between two questions, ms; undefined: as told. */
  readonly everyMs?: number;
}

const UNTOLD_MS = 500;

/** One attempt. Leaves when the hold has ended. */
export function pay(visitor: Visitor, { holdId, ticketNumbers }: Hold, { thinkMs, everyMs }: PayOptions): Payment {
  const headers = { ...visitor.authorized(), [IDEMPOTENCY_KEY_HEADER]: visitor.newKey() };
  const path = pathOf('holdPayments', { holdId });
  const started = visitor.ask<Payment>({ endpoint: 'pay', method: 'POST', path, headers, body: { method: 'card' } });
  if (!started.ok) visitor.leave('holdExpired');
  const startedAtMs = Date.now();
  let payment = started.body();
  let waitMs = thinkMs;
  while (payment.status === 'pending') {
    visitor.rest(waitMs);
    payment = ask(visitor, payment.paymentId);
    waitMs = everyMs ?? payment.pollAfterMs ?? UNTOLD_MS;
  }
  if (payment.status === 'succeeded') {
    metrics.acknowledgement.add(Date.now() - startedAtMs);
    metrics.purchases.add(1);
    metrics.tickets.add(ticketNumbers.length);
    for (const ticketNumber of ticketNumbers) metrics.ticketNumber.add(ticketNumber);
  }
  return payment;
}

/** Of a visit that ends with its payment. */
export function outcomeOf({ status }: Payment): Outcome {
  if (status === 'succeeded') return 'bought';
  return status === 'refunded' ? 'refunded' : 'declined';
}

function ask(visitor: Visitor, paymentId: string): Payment {
  const path = pathOf('payment', { paymentId });
  return visitor.ask<Payment>({ endpoint: 'payment', method: 'GET', path, headers: visitor.authorized() }).body();
}
