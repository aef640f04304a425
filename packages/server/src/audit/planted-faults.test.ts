/** A checker is worth what it catches: the clean sale with each fault planted. */
import { expect, it } from 'vitest';
import { auditSale } from './audit-sale.ts';
import type { Sources } from './evidence.ts';
import type { AuditedInvariant } from './finding.ts';
import {
  archived,
  CLEAN,
  evidenceOf,
  FAILED,
  FAILED_ROW,
  fourth,
  HOLD,
  intent,
  LOG,
  linesOf,
  ORDERS,
  type Order,
  orderId,
  paid,
  payBackBegun,
  payBackDone,
  paymentId,
  type Scene,
  SETTINGS,
  STOCK,
  sourcesOf,
  told,
} from './test-support/clean-sale.ts';

interface Planted extends Partial<Scene> {
  readonly name: string;
  readonly finds: AuditedInvariant;
  readonly message: RegExp;
}

const PLANTED: readonly Planted[] = [
  {
    name: 'a ticket number in two orders',
    before: [...LOG, paid({ ...fourth, tickets: [3] })],
    finds: 'I1',
    message: /^Ticket 3 belongs to ord_1_2 and to ord_1_4\.$/,
  },
  {
    name: 'a ticket twice, once only in the log and once only in MySQL',
    archived: [...CLEAN.archived, archived({ ...fourth, tickets: [1] })],
    finds: 'I1',
    message: /^Ticket 1 belongs to ord_1_1 and to ord_1_4\.$/,
  },
  {
    name: 'a ticket number beyond the capacity',
    before: [...LOG, paid({ ...fourth, tickets: [11] })],
    finds: 'I1',
    message: /has ticket 11, and the capacity is 10/,
  },
  {
    name: 'a number that MySQL has twice',
    adjust: (books) => books.doubles.push({ ticketNumber: 1, first: 'ord_1_1', second: 'ord_1_2' }),
    finds: 'I1',
    message: /MySQL has ticket 1 as live in ord_1_1 and in ord_1_2/,
  },
  {
    name: 'counters that do not add up',
    stock: { available: 7 },
    finds: 'I2',
    message: /^available 7 \+ held 1 \+ sold 3 = 11, and the capacity is 10\.$/,
  },
  { name: 'stock that is not there', stock: { available: 7, sold: 2 }, finds: 'I2', message: /available is 7, and 6/ },
  { name: 'fewer sold than left the stock', stock: { sold: 2 }, finds: 'I2', message: /^sold is 2, and 3 ticket/ },
  { name: 'a negative counter', stock: { held: -1 }, finds: 'I2', message: /held is -1\./ },
  { name: 'a counter that is gone', stock: { sold: Number.NaN }, finds: 'I2', message: /no whole number for sold/ },
  { name: 'held tickets without holds', holds: [], finds: 'I2', message: /held is 1, and .* 0 tickets/ },
  {
    name: 'a capacity that differs',
    sale: { capacity: 11 },
    settings: { redis: SETTINGS, mysql: { ...SETTINGS, capacity: 11 }, lasting: true },
    finds: 'I2',
    message: /capacity 10, MySQL 11/,
  },
  {
    name: 'a price and a limit that differ',
    settings: { redis: SETTINGS, mysql: { ...SETTINGS, price: 1_250, limitPerBuyer: 3 }, lasting: true },
    finds: 'I2',
    message: /price 10\.00 EUR, MySQL 12\.50 EUR|limit per buyer 2, MySQL 3/,
  },
  {
    name: 'a line of the statement that nobody understands',
    sources: {
      unreadableLines: linesOf({ file: '/g/server-1.ndjson', line: 7, why: 'it is not JSON', paymentIds: [] }),
    },
    finds: 'I10',
    message: /^Line 7 of \/g\/server-1\.ndjson cannot be understood: it is not JSON\.$/,
  },
  {
    name: 'a hold with a ticket twice',
    holds: [{ ...HOLD, ticketNumbers: [5, 5] }],
    finds: 'I2',
    message: /Ticket 5 is held by hold_1_a and held by hold_1_a/,
  },
  {
    name: 'a hold with another quantity',
    holds: [{ ...HOLD, quantity: 2 }],
    finds: 'I2',
    message: /is for 2 tickets and has 1/,
  },
  {
    name: 'a sold ticket in stock',
    stock: {
      released: [
        { first: 3, last: 4 },
        { first: 6, last: 6 },
      ],
      releasedCount: 3,
    },
    finds: 'I2',
    message: /^Ticket 3 is sold in ord_1_2 and released to stock\.$/,
  },
  {
    name: 'a number that was never given out and came back',
    stock: { released: [...STOCK.released, { first: 8, last: 8 }] },
    finds: 'I2',
    message: /^Ticket 8 is released to stock and never given out\.$/,
  },
  {
    name: 'a number that the sale has not',
    stock: { released: [...STOCK.released, { first: 99, last: 99 }] },
    finds: 'I2',
    message: /Redis has ticket 99 .* no such number/,
  },
  {
    name: 'a ticket that is nowhere',
    stock: { released: [{ first: 4, last: 4 }] },
    finds: 'I2',
    message: /^1 ticket is neither in stock nor held nor sold: 6\.$/,
  },
  {
    name: 'a cancelled ticket that never came back',
    stock: { released: [{ first: 6, last: 6 }] },
    finds: 'I2',
    message: /neither in stock nor held nor sold: 4/,
  },
  {
    name: 'a Redis that was set back',
    stock: { confirmSeq: 1 },
    finds: 'I2',
    message: /ord_1_2 is number 2 of the sale, and Redis has confirmed only 1/,
  },
  { name: 'a sale Redis has lost', redis: { status: 'missing' }, finds: 'I2', message: /Redis has no state of sale 1/ },
  {
    name: 'a promise without an order',
    claims: [{ paymentId: paymentId(8), orderId: orderId(8) }],
    finds: 'I3',
    message: /A buyer was told that payment pay_1_8 succeeded, and no order log has an order/,
  },
  {
    name: 'a promise of Redis without an order',
    ...told('succeeded', 8),
    finds: 'I3',
    message: /Redis says .* pay_1_8/,
  },
  {
    name: 'a promise of another order',
    ...told('succeeded', 1, { orderId: 'ord_1_77' }),
    finds: 'I3',
    message: /Redis says order ord_1_77 for payment pay_1_1, and the log has ord_1_1/,
  },
  {
    name: 'a buyer with an order who is told that the payment failed',
    ...told('failed', 1),
    finds: 'I3',
    message: /Redis says that payment pay_1_1 failed, and the log has a live order/,
  },
  {
    name: 'a log that cannot be read',
    sources: {
      logs: [
        {
          ...sourcesOf(CLEAN, 20).logs[0],
          state: 'corrupt',
          lastLsn: 5,
          damage: { file: '/log/1.seg', offset: 99, lsn: 6 },
        } as Sources['logs'][number],
      ],
    },
    finds: 'I3',
    message:
      /corrupt at \/log\/1.seg, offset 99, record 6\. MySQL has applied it up to record 20, so it has .* 6 to 20/,
  },
  {
    name: 'an order in two logs that differ',
    before: [...LOG, paid({ number: 1, tickets: [1, 7], accountId: 101 })],
    finds: 'I4',
    message: /ord_1_1 is in the logs twice and differs in tickets/,
  },
  {
    name: 'an order whose payment is another one',
    before: [...LOG, paid(fourth, { paymentId: 'pay_1_1' })],
    finds: 'I4',
    message: /ord_1_4 names payment pay_1_1, whose order would be ord_1_1/,
  },
  {
    name: 'a payment that failed and has an order',
    before: [...LOG, paid(FAILED)],
    finds: 'I4',
    message: /pay_1_9 ended as failed in the logs, and has order ord_1_9/,
  },
  {
    name: 'two orders with one number of the sale',
    before: [...LOG, paid(fourth, { confirmSeq: 2 })],
    finds: 'I4',
    message: /Orders ord_1_2 and ord_1_4 are both number 2/,
  },
  {
    name: 'a buyer above the limit',
    before: [...LOG, paid({ ...fourth, accountId: 101 })],
    finds: 'I5',
    message: /Account 101 has 3 tickets, and the limit is 2/,
  },
  {
    name: 'a buyer whose tickets Redis forgot',
    bought: new Map([[101, 2]]),
    finds: 'I5',
    message: /Redis counts no tickets for account 102, which has 1/,
  },
  {
    name: 'a buyer of whom Redis counts too many',
    bought: new Map([...CLEAN.bought, [102, 2]]),
    finds: 'I5',
    message: /Redis counts 2 tickets for account 102, which has 1/,
  },
  {
    name: 'an order MySQL does not have',
    archived: CLEAN.archived.slice(1),
    finds: 'I8',
    message: /ord_1_1 is in the log, applied as far as MySQL knows, and not in MySQL/,
  },
  {
    name: 'an order that no log has',
    archived: [...CLEAN.archived, archived(fourth)],
    finds: 'I8',
    message: /MySQL has order ord_1_4, which no order log has/,
  },
  {
    name: 'an order with another amount',
    archived: [archived(ORDERS[0] as Order, { amount: 1 }), ...CLEAN.archived.slice(1)],
    finds: 'I8',
    message: /ord_1_1 differs in amount \(log 20\.00 EUR, MySQL 0\.01 EUR\)/,
  },
  {
    name: 'an order with another ticket',
    archived: [archived(ORDERS[0] as Order, { ticketNumbers: [2, 9] }), ...CLEAN.archived.slice(1)],
    finds: 'I8',
    message: /ord_1_1 differs in tickets \(log 1, 2, MySQL 2, 9\)/,
  },
  {
    name: 'an order that is cancelled in the log only',
    archived: [...CLEAN.archived.slice(0, 2), archived(ORDERS[2] as Order, { status: 'paid' })],
    finds: 'I8',
    message: /ord_1_3 is cancelled in the log, and paid in MySQL/,
  },
  {
    name: 'an order that is cancelled in MySQL only',
    archived: [archived(ORDERS[0] as Order, { status: 'cancelled' }), ...CLEAN.archived.slice(1)],
    finds: 'I8',
    message: /ord_1_1 is cancelled in MySQL, and no log says so/,
  },
  { name: 'a tombstone that is gone', tombstones: [], finds: 'I8', message: /does not remember that order ord_1_3/ },
  {
    name: 'a tombstone nobody wrote',
    tombstones: [3, 1],
    finds: 'I8',
    message: /remembers order ord_1_1 as given back/,
  },
  {
    name: 'a payment MySQL does not have',
    payments: [],
    finds: 'I8',
    message: /pay_1_9 is failed by the log, and not in/,
  },
  {
    name: 'a payment MySQL has otherwise',
    payments: [{ ...FAILED_ROW, status: 'refunded' }],
    finds: 'I8',
    message: /pay_1_9 differs in status \(log failed, MySQL refunded\)/,
  },
  {
    name: 'a payment that is an order',
    payments: [FAILED_ROW, { ...FAILED_ROW, paymentId: paymentId(1) }],
    finds: 'I8',
    message: /pay_1_1 has an order in the log, and MySQL has it as failed/,
  },
  {
    name: 'rows of MySQL that contradict each other',
    adjust: (books) => books.archiveFaults.push('MySQL has order ord_1_3 as cancelled, but not so 1 of its tickets.'),
    finds: 'I8',
    message: /ord_1_3 as cancelled, but not so/,
  },
  {
    name: 'money for nothing',
    captured: [1, 2, 3, 8],
    finds: 'I10',
    message: /taken 10\.00 EUR for payment pay_1_8, and there is neither an order nor a refund/,
  },
  {
    name: 'money for a payment that failed',
    captured: [1, 2, 3, 9],
    finds: 'I10',
    message: /taken 10\.00 EUR for payment pay_1_9, which failed by the log/,
  },
  {
    name: 'money that was to go back and stayed',
    before: [...LOG, intent(fourth), payBackBegun(fourth), payBackDone(4)],
    captured: [1, 2, 3, 4],
    finds: 'I10',
    message: /Payment pay_1_4 was given back by the log, and the gateway still has its 10\.00 EUR/,
  },
  {
    name: 'the money of a live order given back',
    returned: [3, 1],
    finds: 'I10',
    message: /20\.00 EUR of order ord_1_1 back/,
  },
  {
    name: 'a cancelled order whose money stayed',
    returned: [],
    finds: 'I10',
    message: /ord_1_3 was given back by the log/,
  },
  {
    name: 'an order nobody paid for',
    captured: [2, 3],
    finds: 'I10',
    message: /ord_1_1 costs 20\.00 EUR, and .* nothing/,
  },
  {
    name: 'another amount than the order has',
    captureNotes: [{ row: 0, kind: 'amountDiffers', amount: 1, currency: 'EUR' }],
    finds: 'I10',
    message: /taken 0\.01 EUR for payment pay_1_1, which is over 20\.00 EUR/,
  },
  {
    name: 'a payment taken twice',
    captureNotes: [{ row: 0, kind: 'capturedTwice', amount: 2_000, currency: 'EUR' }],
    finds: 'I10',
    message: /taken 20\.00 EUR for payment pay_1_1 twice/,
  },
];

it.each(PLANTED)('auditSale catches $name', ({ finds, message, name: _, ...changes }) => {
  const found = auditSale(evidenceOf(changes)).findings.filter(
    (finding) => finding.invariant === finds && message.test(finding.message),
  );
  expect(found).not.toEqual([]);
  for (const { remedy } of found) expect(remedy).toMatch(/\w/);
});
