import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor, mergePage, orderDocument } from './orders.ts';
import type { StoredOrder } from './store.ts';

function order(orderId: string, paidAtMs: number, status: StoredOrder['status'] = 'paid'): StoredOrder {
  const tickets = [{ ticketNumber: 1, checkedInAtMs: null }];
  return {
    orderId,
    paymentId: '',
    saleId: 1,
    festivalId: 1,
    accountId: 1,
    amount: 1,
    currency: 'EUR',
    status,
    paidAtMs,
    tickets,
  };
}
const idsOf = (page: ReturnType<typeof mergePage>) => page.items.map(({ orderId }) => orderId);

describe('mergePage', () => {
  it('shows what is archived and what is not yet, newest first', () => {
    const page = mergePage([order('b', 20), order('a', 10)], [order('c', 30)], 10, undefined);
    expect(idsOf(page)).toEqual(['c', 'b', 'a']);
    expect(page.next).toBeUndefined();
  });
  it('shows an order once while it is in both, as the archive has it', () => {
    const page = mergePage([order('a', 10, 'cancelled')], [order('a', 10)], 10, undefined);
    expect(page.items.map(({ status }) => status)).toEqual(['cancelled']);
  });
  it('cuts at the limit and says where to go on', () => {
    const page = mergePage([order('b', 20), order('a', 10)], [order('c', 30)], 2, undefined);
    expect(idsOf(page)).toEqual(['c', 'b']);
    expect(page.next).toEqual({ paidAtMs: 20, orderId: 'b' });
  });
  it('does not show a fresh order again on a later page', () => {
    const page = mergePage([order('a', 10)], [order('c', 30)], 2, { paidAtMs: 20, orderId: 'b' });
    expect(idsOf(page)).toEqual(['a']);
  });
  it('orders those of the same millisecond by id, in both places alike', () => {
    expect(idsOf(mergePage([order('b', 10)], [order('a', 10), order('c', 10)], 10, undefined))).toEqual([
      'c',
      'b',
      'a',
    ]);
  });
});

describe('cursors', () => {
  it('come back as they were made', () => {
    const cursor = { paidAtMs: 1_795_231_599_497, orderId: 'ord_1_EpDr2VjQlCqNPapo' };
    expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor);
  });
  it.each(['', 'x', 'AAAA', Buffer.from('1 ord; DROP').toString('base64url')])('%j is not one', (text) => {
    expect(decodeCursor(text)).toBeUndefined();
  });
});

describe('orderDocument', () => {
  it('shows no tickets of an order that was given back', () => {
    expect(orderDocument(order('a', 1, 'cancelling'), () => 'code').tickets).toEqual([]);
    expect(orderDocument(order('a', 1, 'paid'), () => 'code').tickets).toHaveLength(1);
  });
});
