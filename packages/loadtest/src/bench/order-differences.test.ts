import type { Order } from '@fest/server/contract/schemas';
import { expect, test } from 'vitest';
import { differencesOf } from './order-differences.ts';

const HOLD = { saleId: 7, ticketNumbers: [12, 3], amount: 9_000, currency: 'EUR' };
const ORDER: Order = {
  orderId: 'o1',
  saleId: 7,
  festivalId: 1,
  amount: 9_000,
  currency: 'EUR',
  paidAt: '2026-01-01T00:00:00Z',
  status: 'paid',
  tickets: [3, 12].map((ticketNumber) => ({ ticketNumber, code: `code-${ticketNumber}`, checkedInAt: null })),
};

test('an order for what was held is as it should be, in whichever order its tickets are', () => {
  expect(differencesOf(ORDER, 'o1', HOLD)).toEqual([]);
});

test.each<readonly [Partial<Order>, string]>([
  [{ orderId: 'o2' }, 'it is o2 instead of o1'],
  [{ saleId: 8 }, 'its sale is 8 instead of 7'],
  [{ amount: 4_500 }, 'its price is 4500 EUR instead of 9000 EUR'],
  [{ status: 'cancelled' }, 'its status is cancelled instead of paid'],
  [{ tickets: ORDER.tickets.slice(1) }, 'its list of tickets is 12 instead of 3, 12'],
  [
    { tickets: ORDER.tickets.map((ticket) => ({ ...ticket, ticketNumber: ticket.ticketNumber + 1 })) },
    'its list of tickets is 4, 13 instead of 3, 12',
  ],
  [{ tickets: ORDER.tickets.map((ticket) => ({ ...ticket, code: '' })) }, 'a ticket has no code'],
])('an order with %o is not the one that was paid for', (change, difference) => {
  expect(differencesOf({ ...ORDER, ...change }, 'o1', HOLD)).toEqual([difference]);
});
