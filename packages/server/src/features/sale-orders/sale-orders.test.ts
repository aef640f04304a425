import { expect, test } from 'vitest';
import type { Role } from '../../contract/words.ts';
import { type ArchivedOrder, maySeeOrders, toSaleOrder } from './sale-orders.ts';

test.each<[string, number, readonly Role[], boolean]>([
  ['an operator', 1, ['operator'], true],
  ['the organizer of the festival', 7, ['organizer'], true],
  ['another organizer', 8, ['organizer'], false],
])('%s may see the orders: %s', (_, accountId, roles, expected) => {
  expect(maySeeOrders({ accountId, roles }, { organizerId: 7 })).toBe(expected);
});

const order: ArchivedOrder = {
  number: 3,
  orderId: 'ord_1_a',
  paymentId: 'pay_1_a',
  saleId: 1,
  festivalId: 2,
  accountId: 9,
  name: 'Deleted account',
  email: undefined,
  ticketNumbers: [4, 5],
  amount: 9_900,
  currency: 'EUR',
  status: 'cancelled',
  paidAtMs: 0,
  cancelledAtMs: 1_000,
};

test('an order of a deleted account is shown without its person', () => {
  expect(toSaleOrder(order)).toMatchObject({ number: 3, name: 'Deleted account', email: '', ticketNumbers: [4, 5] });
});

test('times are RFC 3339, and an order that was not given back has none for that', () => {
  expect(toSaleOrder(order)).toMatchObject({
    paidAt: '1970-01-01T00:00:00.000Z',
    cancelledAt: '1970-01-01T00:00:01.000Z',
  });
  expect(toSaleOrder({ ...order, cancelledAtMs: undefined }).cancelledAt).toBeNull();
});
