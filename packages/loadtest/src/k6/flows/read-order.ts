/** Looks at the order: it is that of this payment, for the tickets that were held and at their price, each with its code. */

import { pathOf } from '@fest/server/contract/paths';
import type { Hold, Order, Payment } from '@fest/server/contract/schemas';
import { differencesOf } from '../../bench/order-differences.ts';
import { complain } from '../http.ts';
import { metrics } from '../metrics.ts';
import type { Visitor } from '../visitor.ts';

export function readOrder(visitor: Visitor, { orderId = '' }: Payment, hold: Hold): Order {
  const path = pathOf('order', { orderId });
  const order = visitor.ask<Order>({ endpoint: 'order', method: 'GET', path, headers: visitor.authorized() }).body();
  const differences = differencesOf(order, orderId, hold);
  if (differences.length > 0) {
    metrics.unexpected.add(1, { name: 'order', status: '200', code: 'otherOrder' });
    complain(`unexpected: order ${orderId}: ${differences.join('; ')}`);
  }
  return order;
}
