/** Looks at the order: it has the tickets that were held, each with its code. */

import { pathOf } from '@fest/server/contract/paths';
import type { Hold, Order, Payment } from '@fest/server/contract/schemas';
import { check } from 'k6';
import type { Visitor } from '../visitor.ts';

export function readOrder(visitor: Visitor, { orderId = '' }: Payment, hold: Hold): Order {
  const path = pathOf('order', { orderId });
  const order = visitor.ask<Order>({ endpoint: 'order', method: 'GET', path, headers: visitor.authorized() }).body();
  check(order, {
    'an order is paid and has as many tickets as were held, each with a code': ({ status, tickets }) =>
      status === 'paid' && tickets.length === hold.ticketNumbers.length && tickets.every(({ code }) => code.length > 0),
  });
  return order;
}
