/** Paying twice, and payments and orders of others. */

import { IDEMPOTENCY_KEY_HEADER, pathOf } from '@fest/server/contract/paths';
import type { Payment } from '@fest/server/contract/schemas';
import http from 'k6/http';
import { metrics } from '../metrics.ts';
import { buy, getHold, type Pair } from './accomplices.ts';
import { strike, succeed } from './strike.ts';

const AT_ONCE = 4;

/** In the same moment, over several connections, with other keys and another method. */
export function paidTwice({ attacker }: Pair): void {
  const { holdId } = getHold(attacker).held;
  const url = attacker.baseUrl + pathOf('holdPayments', { holdId });
  const requests = Array.from({ length: AT_ONCE }, (_, index) => ({
    method: 'POST',
    url,
    body: JSON.stringify({ method: index % 2 === 0 ? 'card' : 'wallet' }),
    params: {
      headers: {
        ...attacker.authorized(),
        [IDEMPOTENCY_KEY_HEADER]: attacker.newKey(),
        'Content-Type': 'application/json',
      },
      tags: { name: 'attack' },
      responseType: 'text' as const,
    },
  }));
  const paymentIds = new Set<string>();
  for (const { status, body } of http.batch(requests)) {
    metrics.attackTries.add(1, { attack: 'paidTwice' });
    if (status === 202 && typeof body === 'string') paymentIds.add((JSON.parse(body) as Payment).paymentId);
    else if (status !== 429 && status !== 503) {
      metrics.unexpected.add(1, { name: 'attack', status: String(status), code: '-' });
    }
  }
  if (paymentIds.size > 1) succeed('paidTwice', `one hold has the payments ${[...paymentIds].join(', ')}`);
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
