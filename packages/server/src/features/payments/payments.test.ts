import { describe, expect, it } from 'vitest';
import type { OrderLogRecord, PaymentIntent } from '../../order-log/records.ts';
import { afterCharge, afterLookup, orderOf, UnfinishedWork } from './payments.ts';

const INTENT: PaymentIntent = {
  type: 'paymentIntent',
  saleId: 1,
  epoch: 1,
  at: 1,
  paymentId: 'pay_1_abcdefghijklmnop',
  holdId: 'hold_1_abcdefghijklmnop',
  accountId: 7,
  ticketNumbers: [3, 4],
  amount: 10_000,
  currency: 'EUR',
  method: 'card',
};
const FULL = { amount: 10_000, currency: 'EUR' } as const;

describe('afterCharge', () => {
  it('confirms exactly the amount that was asked for', () => {
    expect(afterCharge(INTENT, { kind: 'captured', ...FULL })).toEqual({ kind: 'confirm' });
  });
  it.each([
    ['less money', { amount: 9_999, currency: 'EUR' }],
    ['more money', { amount: 10_001, currency: 'EUR' }],
    ['another currency', { amount: 10_000, currency: 'USD' }],
  ])('gives back %s', (_, taken) => {
    expect(afterCharge(INTENT, { kind: 'captured', ...taken })).toEqual({
      kind: 'refund',
      failureCode: 'amount_differs',
    });
  });
  it('fails what was declined', () => {
    expect(afterCharge(INTENT, { kind: 'declined', failureCode: 'card_declined' })).toEqual({
      kind: 'fail',
      failureCode: 'card_declined',
    });
  });
  it('looks up what is unknown, and never guesses', () => {
    expect(afterCharge(INTENT, { kind: 'unknown', reason: 'timeout' }).kind).toBe('lookUp');
  });
});

describe('afterLookup', () => {
  it.each([
    ['captured money is confirmed', { kind: 'captured', ...FULL, refunded: false }, 'confirm'],
    ['refunded money stays refunded', { kind: 'captured', ...FULL, refunded: true }, 'refund'],
    ['a decline fails', { kind: 'declined', failureCode: 'x' }, 'fail'],
    ['a charge that never arrived fails', { kind: 'notFound' }, 'fail'],
    ['a charge under way is asked for again', { kind: 'processing' }, 'lookUp'],
    ['no answer is asked for again', { kind: 'unknown', reason: 'timeout' }, 'lookUp'],
  ] as const)('%s', (_, record, kind) => {
    expect(afterLookup(INTENT, record).kind).toBe(kind);
  });
});

describe('orderOf', () => {
  it('refuses to make an order of another number of tickets than were paid', () => {
    const confirmed = { status: 'confirmed', confirmSeq: 1, capacity: 10, ticketNumbers: [3] } as const;
    expect(() => orderOf(INTENT, confirmed, { festivalId: 1, epoch: 1, nowMs: 1 })).toThrow(
      /paid 2 tickets and was given 1/,
    );
  });
});

describe('what a log leaves to be done', () => {
  const base = { saleId: 1, epoch: 1, at: 1, paymentId: INTENT.paymentId, holdId: INTENT.holdId } as const;
  const paid: OrderLogRecord = orderOf(
    INTENT,
    { status: 'confirmed', confirmSeq: 1, capacity: 10, ticketNumbers: [3, 4] },
    { festivalId: 1, epoch: 1, nowMs: 2 },
  );
  const refundStarted: OrderLogRecord = {
    ...base,
    type: 'refundStarted',
    accountId: 7,
    amount: 10_000,
    currency: 'EUR',
    reason: 'hold_expired',
  };
  function unfinished(...records: OrderLogRecord[]) {
    const work = new UnfinishedWork();
    for (const record of records) work.add(record);
    const { intents, orders, refunds } = work.result();
    return { intents: [...intents.keys()], orders: orders.map(({ orderId }) => orderId), refunds: [...refunds.keys()] };
  }
  const { paymentId } = INTENT;

  it('is an intent without an outcome', () => {
    expect(unfinished(INTENT)).toEqual({ intents: [paymentId], orders: [], refunds: [] });
  });
  it('is nothing after a failed payment', () => {
    const failed: OrderLogRecord = { ...base, type: 'paymentFailed', failureCode: 'card_declined' };
    expect(unfinished(INTENT, failed)).toEqual({ intents: [], orders: [], refunds: [] });
  });
  it('is an order that MySQL does not have: it may not have been shown', () => {
    expect(unfinished(INTENT, paid)).toEqual({ intents: [], orders: ['ord_1_abcdefghijklmnop'], refunds: [] });
  });
  it('is a refund that was begun, until it is complete', () => {
    expect(unfinished(INTENT, refundStarted)).toEqual({ intents: [], orders: [], refunds: [paymentId] });
    const completed: OrderLogRecord = { type: 'refundCompleted', saleId: 1, epoch: 1, at: 3, paymentId };
    expect(unfinished(INTENT, refundStarted, completed)).toEqual({ intents: [], orders: [], refunds: [] });
  });
});
