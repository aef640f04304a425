/** A checker is worth what it catches: one sale that is well, then the same sale with each fault planted. */
import { describe, expect, it } from 'vitest';
import type { Claim } from '../load/claims.ts';
import { type ClaimsEvidence, checkClaims } from './check-claims.ts';
import type { LedgerEntry } from './ledger.ts';
import type { OrderFacts } from './orders.ts';

function order(number: number, changes: Partial<OrderFacts> = {}): OrderFacts {
  return {
    orderId: `ord_1_${number}`,
    paymentId: `pay_1_${number}`,
    accountId: 100 + number,
    ticketNumbers: [number],
    amount: 5_000,
    cancelled: false,
    ...changes,
  };
}

function claim(number: number, changes: Partial<Claim> = {}): Claim {
  return {
    saleId: 1,
    accountId: 100 + number,
    paymentId: `pay_1_${number}`,
    orderId: `ord_1_${number}`,
    amount: 5_000,
    quantity: 1,
    told: 'succeeded',
    ticketNumbers: [number],
    ...changes,
  };
}

const captured = (changes: Partial<LedgerEntry> = {}): LedgerEntry => ({
  captures: [5_000],
  declines: 0,
  refunds: 0,
  ...changes,
});

/** 1 bought; 2 bought and cancelled; 3 declined; 4 refunded, its hold had gone; 5 paid and was never told. */
const ORDERS = [order(1), order(2, { cancelled: true }), order(5)];
const CLAIMS = [
  claim(1),
  claim(2, { cancellation: 'promised' }),
  claim(3, { told: 'failed' }),
  claim(4, { told: 'refunded' }),
  claim(5, { told: 'pending' }),
];
const LEDGER: Readonly<Record<string, LedgerEntry>> = {
  pay_1_1: captured(),
  pay_1_2: captured({ refunds: 1 }),
  pay_1_3: { captures: [], declines: 1, refunds: 0 },
  pay_1_4: captured({ refunds: 1 }),
  pay_1_5: captured(),
};

interface Planted {
  readonly orders?: readonly OrderFacts[];
  readonly claims?: readonly Claim[];
  readonly ledger?: Readonly<Record<string, LedgerEntry>>;
  readonly settled?: boolean;
}

function evidence({ orders = ORDERS, claims = CLAIMS, ledger = LEDGER, settled = true }: Planted = {}): ClaimsEvidence {
  return {
    saleId: 1,
    capacity: 10,
    orders: new Map(orders.map((each) => [each.orderId, each])),
    claims,
    ledger: new Map(Object.entries(ledger)),
    settled,
  };
}

const messagesOf = (planted?: Planted): readonly string[] =>
  checkClaims(evidence(planted)).map(({ check, message }) => `${check}: ${message}`);

const without = (number: number): readonly OrderFacts[] =>
  ORDERS.filter(({ orderId }) => orderId !== `ord_1_${number}`);

const CASES: ReadonlyArray<{ readonly name: string; readonly planted: Planted; readonly message: RegExp }> = [
  {
    name: 'a buyer who was told that a payment succeeded, and has no order',
    planted: { orders: without(1), ledger: { ...LEDGER, pay_1_1: captured({ refunds: 1 }) } },
    message: /told: Account 101 was told that pay_1_1 succeeded, and there is no order/,
  },
  {
    name: 'an order of somebody else',
    planted: { orders: [...without(1), order(1, { accountId: 7 })] },
    message: /told: .*account 101 \(there is 7\)/,
  },
  {
    name: 'an order with other tickets than were shown',
    planted: { orders: [...without(1), order(1, { ticketNumbers: [8] })] },
    message: /told: .*ticket numbers 1 \(there is 8\)/,
  },
  {
    name: 'an order with fewer tickets than were paid',
    planted: { claims: [claim(1, { quantity: 2, ticketNumbers: [1] })] },
    message: /told: .*tickets 2 \(there is 1\)/,
  },
  {
    name: 'a buyer who was told that a payment failed, and has its order',
    planted: { claims: [claim(1, { told: 'failed' })] },
    message: /told: Account 101 was told that pay_1_1 failed, and it has the order ord_1_1/,
  },
  {
    name: 'an order that was cancelled without its buyer',
    planted: { claims: [claim(2)] },
    message: /cancellation: Order ord_1_2 is cancelled, and its buyer did not ask/,
  },
  {
    name: 'a cancellation that was promised and never came',
    planted: { claims: [claim(1, { cancellation: 'promised' })] },
    message: /cancellation: The buyer of ord_1_1 was told that it is being cancelled, and it is not/,
  },
  {
    name: 'money without an order or a refund',
    planted: { ledger: { ...LEDGER, pay_1_9: captured() } },
    message: /money: pay_1_9 was charged 5000: there is no order and no refund/,
  },
  {
    name: 'money back for a live order',
    planted: { ledger: { ...LEDGER, pay_1_5: captured({ refunds: 1 }) } },
    message: /money: pay_1_5 was refunded, and its order ord_1_5 is live/,
  },
  {
    name: 'money taken twice',
    planted: { ledger: { ...LEDGER, pay_1_1: captured({ captures: [5_000, 5_000] }) } },
    message: /money: pay_1_1 was charged 2 times/,
  },
  {
    name: 'a cancelled order without a refund',
    planted: { ledger: { ...LEDGER, pay_1_2: captured() } },
    message: /money: Order ord_1_2 is cancelled and was not refunded/,
  },
  {
    name: 'an order nobody paid',
    planted: { orders: [...ORDERS, order(6)] },
    message: /money: Order ord_1_6 costs 5000, and the gateway took nothing/,
  },
  {
    name: 'an order for another amount than was taken',
    planted: { ledger: { ...LEDGER, pay_1_1: captured({ captures: [1] }) } },
    message: /money: Order ord_1_1 costs 5000, and the gateway took 1 /,
  },
  {
    name: 'a ticket in two live orders',
    planted: {
      orders: [...ORDERS, order(7, { ticketNumbers: [1] })],
      ledger: { ...LEDGER, pay_1_7: captured() },
    },
    message: /tickets: Ticket 1 is in the live orders ord_1_1 and ord_1_7/,
  },
  {
    name: 'a ticket that does not exist',
    planted: {
      orders: [...ORDERS, order(7, { ticketNumbers: [11] })],
      ledger: { ...LEDGER, pay_1_7: captured() },
    },
    message: /tickets: Order ord_1_7 has ticket 11 of 10/,
  },
];

describe('checkClaims', () => {
  it('finds nothing where all is well', () => {
    expect(messagesOf()).toEqual([]);
  });

  it.each(CASES)('catches $name', ({ planted, message }) => {
    expect(messagesOf(planted).filter((text) => message.test(text))).toHaveLength(1);
  });

  it('lets a cancelled number be sold again', () => {
    const orders = [...ORDERS, order(6, { ticketNumbers: [2] })];
    expect(messagesOf({ orders, ledger: { ...LEDGER, pay_1_6: captured() } })).toEqual([]);
  });

  it('waits for cancellations that have just begun, and for nothing else', () => {
    const begun: Planted = {
      claims: [claim(1, { cancellation: 'promised' })],
      ledger: { ...LEDGER, pay_1_2: captured() },
    };
    expect(messagesOf({ ...begun, settled: false })).toEqual([]);
    expect(messagesOf(begun)).toHaveLength(2);
  });
});
