/** Paying twice, and payments and orders of others. */

import { IDEMPOTENCY_KEY_HEADER, pathOf } from '@fest/server/contract/paths';
import type { Payment } from '@fest/server/contract/schemas';
import { buy, getHold, type Pair } from './accomplices.ts';
import { type Strike, strike, strikeAtOnce, succeed } from './strike.ts';

const AT_ONCE = 4;

/** In the same moment, over several connections, with other keys and another method. */
export function paidTwice({ attacker }: Pair): void {
  const path = pathOf('holdPayments', { holdId: getHold(attacker).held.holdId });
  const aims = Array.from({ length: AT_ONCE }, (_, index): Strike<Payment> => {
    const headers = { ...attacker.authorized(), [IDEMPOTENCY_KEY_HEADER]: attacker.newKey() };
    const body = { method: index % 2 === 0 ? 'card' : 'wallet' };
    return { request: { method: 'POST', path, headers, body }, refusals: [], succeeds: () => false };
  });
  const payments = strikeAtOnce('paidTwice', attacker, aims).flatMap((answer) => (answer.ok ? [answer.body()] : []));
  const paymentIds = new Set(payments.map(({ paymentId }) => paymentId));
  if (paymentIds.size > 1) succeed('paidTwice', `one hold has ${paymentIds.size} payments`);
}

/** Of a hold that is sold, paying gives that payment. */
export function replayedPayment({ attacker }: Pair): void {
  const { held, payment } = buy(attacker);
  const path = pathOf('holdPayments', { holdId: held.holdId });
  const headers = { ...attacker.authorized(), [IDEMPOTENCY_KEY_HEADER]: attacker.newKey() };
  strike<Payment>('replayedPayment', attacker, {
    request: { method: 'POST', path, headers, body: { method: 'card' } },
    refusals: [],
    succeeds: (answer) => answer.body().paymentId !== payment.paymentId,
  });
}

export function foreignPayment({ attacker, victim }: Pair): void {
  const { paymentId } = buy(victim).payment;
  const path = pathOf('payment', { paymentId });
  strike('foreignPayment', attacker, {
    request: { method: 'GET', path, headers: attacker.authorized() },
    refusals: ['not_found'],
  });
}

export function foreignOrder({ attacker, victim }: Pair): void {
  const { orderId = '' } = buy(victim).payment;
  const headers = attacker.authorized();
  const refusals = ['not_found'] as const;
  strike('foreignOrder', attacker, {
    request: { method: 'GET', path: pathOf('order', { orderId }), headers },
    refusals,
  });
  strike('foreignOrder', attacker, {
    request: { method: 'POST', path: pathOf('orderCancel', { orderId }), headers },
    refusals,
  });
}
