/** A checker is worth what it catches: one clean sale, the same with each fault planted, and with what only looks like one. */
import { describe, expect, it } from 'vitest';
import type { OrderLogRecord } from '../order-log/records.ts';
import { auditSale } from './audit-sale.ts';
import { type ArchivedOrder, BoundedList, type ReadingStage, SaleBooks } from './books.ts';
import type { RedisEvidence, SaleEvidence, Sources } from './evidence.ts';
import type { AuditedInvariant } from './finding.ts';
import type { UnreadableLine } from './gateway-statement.ts';
import type { Archive, ArchivedPayment, AuditedSale } from './mysql-reading.ts';
import { SEEN } from './order-rows.ts';
import { BoughtCounts, type RedisReading, type ToldPayment } from './redis-reading.ts';

const NOW = 100_000_000;

interface Order {
  readonly number: number;
  readonly tickets: readonly number[];
  readonly accountId: number;
}

/** 10 tickets: 1, 2 and 3 sold, 4 cancelled and back in stock, 5 held, 6 failed to be paid, 7–10 never given out. */
const ORDERS: readonly Order[] = [
  { number: 1, tickets: [1, 2], accountId: 101 },
  { number: 2, tickets: [3], accountId: 102 },
  { number: 3, tickets: [4], accountId: 103 },
];

const of = { saleId: 1, epoch: 1, at: 1_000 };
const orderId = (number: number): string => `ord_1_${number}`;
const paymentId = (number: number): string => `pay_1_${number}`;

function linesOf(...lines: readonly UnreadableLine[]): BoundedList<UnreadableLine> {
  const list = new BoundedList<UnreadableLine>();
  for (const line of lines) list.push(line);
  return list;
}

function intent({ number, tickets, accountId }: Order): OrderLogRecord {
  const common = { ...of, paymentId: paymentId(number), holdId: `hold_1_${number}`, accountId, method: 'card' };
  return { type: 'paymentIntent', ...common, ticketNumbers: tickets, amount: 1_000 * tickets.length, currency: 'EUR' };
}

function paid({ number, tickets, accountId }: Order, more: object = {}): OrderLogRecord {
  return {
    type: 'orderPaid',
    ...of,
    orderId: orderId(number),
    paymentId: paymentId(number),
    holdId: `hold_1_${number}`,
    festivalId: 7,
    accountId,
    confirmSeq: number,
    ticketNumbers: tickets,
    capacity: 10,
    amount: 1_000 * tickets.length,
    currency: 'EUR',
    ...more,
  };
}

function refundBegun(number: number): OrderLogRecord {
  const common = { ...of, at: NOW, paymentId: paymentId(number), orderId: orderId(number), holdId: '', accountId: 1 };
  return { type: 'refundStarted', ...common, amount: 1_000, currency: 'EUR', reason: 'cancelled_by_buyer' };
}

function refundDone(number: number): OrderLogRecord {
  return { type: 'refundCompleted', ...of, paymentId: paymentId(number), orderId: orderId(number) };
}

/** Of a payment that never became an order. */
function payBackBegun({ number, accountId, tickets }: Order): OrderLogRecord {
  const common = { ...of, at: NOW, paymentId: paymentId(number), holdId: '', accountId };
  return { type: 'refundStarted', ...common, amount: 1_000 * tickets.length, currency: 'EUR', reason: 'hold_expired' };
}

function payBackDone(number: number): OrderLogRecord {
  return { type: 'refundCompleted', ...of, paymentId: paymentId(number) };
}

function cancelled(number: number): OrderLogRecord {
  return { type: 'orderCancelled', ...of, orderId: orderId(number), ticketNumbers: [] };
}

const failed = (number: number): OrderLogRecord => ({
  type: 'paymentFailed',
  ...of,
  paymentId: paymentId(number),
  holdId: `hold_1_${number}`,
  failureCode: 'card_declined',
});

const FAILED: Order = { number: 9, tickets: [6], accountId: 109 };

const LOG: readonly OrderLogRecord[] = [
  ...ORDERS.flatMap((order) => [intent(order), paid(order)]),
  intent(FAILED),
  failed(9),
  refundBegun(3),
  refundDone(3),
  cancelled(3),
];

function archived({ number, tickets, accountId }: Order, more: Partial<ArchivedOrder> = {}): ArchivedOrder {
  return {
    orderId: orderId(number),
    paymentId: paymentId(number),
    festivalId: 7,
    accountId,
    confirmSeq: number,
    ticketNumbers: tickets,
    amount: 1_000 * tickets.length,
    currency: 'EUR',
    paidAtMs: 1_000,
    status: number === 3 ? 'cancelled' : 'paid',
    ...more,
  };
}

const FAILED_ROW: ArchivedPayment = {
  paymentId: paymentId(9),
  saleId: 1,
  accountId: 109,
  amount: 1_000,
  currency: 'EUR',
  status: 'failed',
  failureCode: 'card_declined',
  unfinished: null,
};

const SETTINGS = { version: 1, capacity: 10, price: 1_000, limitPerBuyer: 2 };
const TOOLS = { fest: 'fest', redisCli: 'redis-cli -h r', mysql: 'mysql -h m fest' };

const STOCK = {
  status: 'state',
  epoch: 1,
  run: '',
  version: 1,
  capacity: 10,
  limitPerBuyer: 2,
  available: 6,
  held: 1,
  sold: 3,
  nextFresh: 7,
  confirmSeq: 3,
  releasedCount: 2,
  liveHolds: 1,
  through: undefined,
  released: [
    { first: 4, last: 4 },
    { first: 6, last: 6 },
  ],
  holdIds: ['hold_1_a'],
} as const satisfies RedisReading['slices'][number]['stock'];

const HOLD = { holdId: 'hold_1_a', quantity: 1, ticketNumbers: [5] };

interface Scene {
  /** Read before Redis was looked at, after it, and last of all. */
  readonly before: readonly OrderLogRecord[];
  readonly after: readonly OrderLogRecord[];
  readonly last: readonly OrderLogRecord[];
  readonly archived: readonly ArchivedOrder[];
  readonly payments: readonly ArchivedPayment[];
  readonly tombstones: readonly number[];
  readonly stock: Partial<RedisReading['slices'][number]['stock']>;
  readonly holds: RedisReading['slices'][number]['holds'];
  readonly reading: Partial<Omit<RedisReading, 'bought'>>;
  readonly bought: ReadonlyMap<number, number>;
  readonly redis: RedisEvidence | undefined;
  readonly sale: Partial<AuditedSale>;
  readonly settings: SaleEvidence['settings'];
  readonly sources: Partial<Sources>;
  readonly appliedLsn: number;
  /** Payment numbers the gateway has captured, and given back. */
  readonly captured: readonly number[];
  readonly returned: readonly number[];
  readonly claims: SaleEvidence['claims'];
  readonly captureNotes: SaleEvidence['captureNotes'];
  /** Changes what MySQL is said to have. */
  readonly adjust: (books: SaleBooks) => void;
}

const CLEAN: Scene = {
  before: LOG,
  after: [],
  last: [],
  archived: ORDERS.map((order) => archived(order)),
  payments: [FAILED_ROW],
  tombstones: [3],
  stock: {},
  holds: [HOLD],
  reading: {},
  bought: new Map([
    [101, 2],
    [102, 1],
    [103, 0],
  ]),
  redis: undefined,
  sale: {},
  settings: undefined,
  sources: {},
  appliedLsn: 100,
  captured: [1, 2, 3],
  returned: [3],
  claims: [
    { paymentId: paymentId(1), orderId: orderId(1) },
    { paymentId: paymentId(2), orderId: orderId(2) },
  ],
  captureNotes: [],
  adjust: () => undefined,
};

function evidenceOf(changes: Partial<Scene>): SaleEvidence {
  const scene = { ...CLEAN, ...changes };
  const books = new SaleBooks(1);
  let lsn = 0;
  const take = (records: readonly OrderLogRecord[], stage: ReadingStage): void => {
    for (const record of records) {
      lsn += 1;
      books.takeRecord(record, { log: 0, lsn }, stage);
    }
  };
  take(scene.before, 'before');
  take(scene.after, 'after');
  for (const number of scene.captured) {
    books.takeCapture(books.ensure(orderId(number)), { amount: number === 1 ? 2_000 : 1_000, currency: 'EUR' });
  }
  for (const number of scene.returned) books.takeReturn(books.ensure(orderId(number)));
  for (const order of scene.archived) books.takeArchivedOrder(order);
  for (const { paymentId: id } of scene.payments) {
    books.mark(books.ensure(id.replace('pay', 'ord')), SEEN.archivedPayment);
  }
  for (const number of scene.tombstones) {
    books.mark(books.ensure(orderId(number)), SEEN.tombstone | SEEN.tombstoneDone);
  }
  scene.adjust(books);
  take(scene.last, 'last');
  const sale = {
    id: 1,
    name: 'S',
    capacity: 10,
    price: 1_000,
    currency: 'EUR',
    limitPerBuyer: 2,
    holdSeconds: 60,
    version: 1,
    epoch: 1,
    ...scene.sale,
  };
  const archive: Archive = {
    sales: [sale],
    positions: [],
    rebuilds: [],
    setAside: [],
    payments: new Map(scene.payments.map((payment) => [payment.paymentId, payment])),
    orphans: new BoundedList(),
  };
  return {
    sources: sourcesOf(scene, lsn),
    saleId: 1,
    sale,
    books,
    redis: scene.redis ?? { status: 'read', reading: readingOf(scene) },
    rebuild: undefined,
    settings: scene.settings,
    archive,
    captureNotes: scene.captureNotes,
    drained: scene.appliedLsn >= lsn,
    claims: scene.claims,
  };
}

function readingOf(scene: Scene): RedisReading {
  const bought = new BoughtCounts();
  for (const [account, count] of scene.bought) bought.push(account, count);
  const stock = { ...STOCK, ...scene.stock };
  return {
    slices: [{ from: 1, stock, holds: scene.holds }],
    bought,
    confirmSeqBefore: stock.confirmSeq,
    confirmSeqAfter: stock.confirmSeq,
    promises: 2,
    told: [],
    confirming: new Set(),
    ...scene.reading,
  };
}

function sourcesOf({ sources, appliedLsn }: Scene, lastLsn: number): Sources {
  const read = { state: 'read' } as const;
  return {
    redis: read,
    mysql: read,
    gateway: read,
    logs: [
      {
        state: 'read',
        directory: '/log',
        logId: 'a',
        server: 'server-1',
        firstLsn: 1,
        lastLsn,
        appliedLsn: Math.min(appliedLsn, lastLsn),
        inUse: true,
        problem: undefined,
        damage: undefined,
      },
    ],
    logsComplete: true,
    logsFromStart: true,
    gatewayComplete: true,
    unreadableLines: new BoundedList(),
    tools: TOOLS,
    nowMs: NOW,
    ...sources,
  };
}

function findingsOf(changes: Partial<Scene>): string[] {
  return auditSale(evidenceOf(changes)).findings.map(({ invariant, message }) => `${invariant} ${message}`);
}

const told = (status: string, number: number, more: Partial<ToldPayment> = {}): Partial<Scene> => ({
  reading: { told: [{ paymentId: paymentId(number), status, orderId: orderId(number), logId: 'a', ...more }] },
});

const fourth: Order = { number: 4, tickets: [6], accountId: 104 };

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

/** Moments of a running sale that are no faults. */
const MOMENTS: Readonly<Record<string, Partial<Scene>>> = {
  'an order that was confirmed after the look at Redis, whose ticket was in stock then': {
    after: [intent(fourth), paid(fourth)],
    archived: [...CLEAN.archived, archived(fourth)],
    captured: [1, 2, 3, 4],
  },
  'an order that was confirmed before the look and written after it': {
    after: [intent(fourth), paid(fourth)],
    archived: [...CLEAN.archived, archived(fourth)],
    captured: [1, 2, 3, 4],
    stock: { available: 5, sold: 4, confirmSeq: 4, released: [{ first: 4, last: 4 }], releasedCount: 1 },
    bought: new Map([...CLEAN.bought, [104, 1]]),
  },
  'a payment that Redis has confirmed and whose server has still to write the order': {
    before: [...LOG, intent(fourth)],
    payments: [
      FAILED_ROW,
      { ...FAILED_ROW, paymentId: paymentId(4), accountId: 104, status: 'pending', failureCode: null, unfinished: 1 },
    ],
    captured: [1, 2, 3, 4],
    stock: { available: 5, sold: 4, confirmSeq: 4, released: [{ first: 4, last: 4 }], releasedCount: 1 },
    reading: { confirming: new Set([6]) },
    bought: new Map([...CLEAN.bought, [104, 1]]),
  },
  'an order that is being given back: its ticket may be in stock already': {
    last: [refundBegun(2)],
    stock: {
      available: 7,
      sold: 2,
      releasedCount: 3,
      released: [
        { first: 3, last: 4 },
        { first: 6, last: 6 },
      ],
    },
    bought: new Map([...CLEAN.bought, [102, 0]]),
    appliedLsn: LOG.length,
    returned: [3, 2],
  },
  'an order that is being given back: its ticket may still be sold': { last: [refundBegun(2)], appliedLsn: LOG.length },
  'a cancellation that MySQL knows before the logs do': {
    archived: [
      CLEAN.archived[0] as ArchivedOrder,
      archived(ORDERS[1] as Order, { status: 'cancelling' }),
      ...CLEAN.archived.slice(2),
    ],
  },
  'a number that was sold again, with the cancellation written to another log a moment later': {
    after: [intent({ ...fourth, tickets: [3] }), paid({ ...fourth, tickets: [3] })],
    archived: [...CLEAN.archived, archived({ ...fourth, tickets: [3] })],
    captured: [1, 2, 3, 4],
    returned: [3, 2],
    last: [refundBegun(2), refundDone(2), cancelled(2)],
    stock: { confirmSeq: 4 },
    bought: new Map([...CLEAN.bought, [104, 1]]),
    appliedLsn: LOG.length + 2,
  },
  'an order that was read last of all and has the number of one that is about to be given back': {
    last: [intent({ ...fourth, tickets: [3] }), paid({ ...fourth, tickets: [3] })],
    appliedLsn: LOG.length,
  },
  'records that MySQL has not applied yet': { archived: [], payments: [], tombstones: [], appliedLsn: 0 },
  'an order of the snapshot of MySQL that the logs were not read to yet': {
    last: [intent(fourth), paid(fourth)],
    archived: [...CLEAN.archived, archived(fourth)],
  },
  'a capture whose payment is under way': {
    last: [intent(fourth)],
    captured: [1, 2, 3, 4],
    appliedLsn: LOG.length,
  },
  'settings that are being changed': {
    sale: { capacity: 20, version: 2 },
    settings: { redis: SETTINGS, mysql: { ...SETTINGS, capacity: 20, version: 2 }, lasting: false },
  },
  'a buyer who bought more before the limit was lowered': {
    sale: { limitPerBuyer: 1, version: 2_000 },
    stock: { limitPerBuyer: 1 },
  },
  'a payment whose refund was written down after the statement of the gateway was read': {
    before: [...LOG, intent(fourth), payBackBegun(fourth)],
    last: [payBackDone(4)],
    captured: [1, 2, 3, 4],
    appliedLsn: LOG.length,
  },
  'released numbers that were read in two slices, one moment after the other': {
    // 4 was in stock in the first look; between the looks 6 was sold and 8 was held.
    after: [intent(fourth), paid(fourth)],
    archived: [...CLEAN.archived, archived(fourth)],
    captured: [1, 2, 3, 4],
    bought: new Map([...CLEAN.bought, [104, 1]]),
    reading: {
      slices: [
        { from: 1, stock: { ...STOCK, through: 4, released: [{ first: 4, last: 4 }] }, holds: [HOLD] },
        {
          from: 5,
          stock: {
            ...STOCK,
            available: 4,
            held: 2,
            sold: 4,
            nextFresh: 9,
            confirmSeq: 4,
            released: [{ first: 7, last: 7 }],
          },
          holds: [HOLD, { holdId: 'hold_1_b', quantity: 1, ticketNumbers: [8] }],
        },
      ],
      confirmSeqAfter: 4,
    },
  },
  'a refund that was written down after the statement of the gateway was read': {
    before: LOG.filter((record) => record.type !== 'refundCompleted' && record.type !== 'orderCancelled'),
    last: [refundDone(3), cancelled(3)],
    returned: [],
    stock: { sold: 4, available: 5, releasedCount: 1, released: [{ first: 6, last: 6 }] },
    bought: new Map([...CLEAN.bought, [103, 1]]),
  },
  'a log that was not given': {
    sources: { logsComplete: false, logsFromStart: false },
    archived: [...CLEAN.archived, archived(fourth)],
    captured: [1, 2, 3, 4, 8],
    claims: [{ paymentId: paymentId(8), orderId: orderId(8) }],
    stock: { available: 5, sold: 4, confirmSeq: 4, released: [{ first: 4, last: 4 }], releasedCount: 1 },
    bought: new Map([...CLEAN.bought, [104, 1], [108, 1]]),
  },
  'a payment whose order stands behind the damage of its log, and is in MySQL': {
    before: [...LOG, intent(fourth)],
    sources: { logsComplete: false, logsFromStart: false },
    archived: [...CLEAN.archived, archived(fourth)],
    captured: [1, 2, 3, 4],
    stock: { available: 5, sold: 4, confirmSeq: 4, released: [{ first: 4, last: 4 }], releasedCount: 1 },
    bought: new Map([...CLEAN.bought, [104, 1]]),
  },
  'a state that is being built anew': { redis: { status: 'unsettled', why: 'it is being built anew' } },
};

describe('auditSale', () => {
  it('finds nothing in a sale that is as it should be, and says how much it compared', () => {
    const audit = auditSale(evidenceOf({}));
    expect(audit.findings).toEqual([]);
    expect(audit.unproven).toEqual([]);
    expect(audit.compared).toEqual({
      capacity: 10,
      logRecords: 11,
      logOrders: 3,
      archiveOrders: 3,
      liveOrders: 2,
      liveTickets: 3,
      redisAvailable: 6,
      redisHeld: 1,
      redisSold: 3,
      succeededPayments: 4,
    });
    expect(audit.counts).toEqual({
      gateway: { captured: 3, refunded: 1 },
      log: { orders: 3, cancelled: 1, tickets: 4, sold: 3, open: 0, ended: 1 },
      mysql: { orders: 3, cancelled: 1, tickets: 4, sold: 3, payments: 1 },
      redis: { available: 6, held: 1, sold: 3, promises: 2 },
    });
  });

  it.each(PLANTED)('catches $name', ({ finds, message, name: _, ...changes }) => {
    const found = auditSale(evidenceOf(changes)).findings.filter(
      (finding) => finding.invariant === finds && message.test(finding.message),
    );
    expect(found).not.toEqual([]);
    for (const { remedy } of found) expect(remedy).toMatch(/\w/);
  });

  it.each(Object.entries(MOMENTS))('takes no offence at %s', (_, changes) => {
    expect(findingsOf(changes)).toEqual([]);
  });

  it('says what it could not compare', () => {
    const { unproven } = auditSale(
      evidenceOf({
        redis: { status: 'unsettled', why: 'it is being built anew' },
        appliedLsn: 4,
        archived: CLEAN.archived.slice(0, 2).map((order) => ({ ...order, status: 'paid' })),
        payments: [],
        tombstones: [],
        sources: { gateway: { state: 'unreachable', why: 'no such folder' }, gatewayComplete: false },
      }),
    );
    expect(unproven).toMatchObject([
      { invariants: ['I10'], reason: expect.stringContaining('no such folder') },
      { invariants: ['I2', 'I3', 'I5'], reason: 'Redis was not compared: it is being built anew.' },
      { invariants: ['I8'], reason: 'MySQL is 7 records behind the log of server-1.' },
    ]);
  });

  it('advises a capacity that can be reached, where tickets above the one of MySQL were given out', () => {
    const remedyOf = (capacity: number) => {
      const settings = { redis: SETTINGS, mysql: { ...SETTINGS, capacity }, lasting: true };
      const { findings } = auditSale(evidenceOf({ sale: { capacity }, settings }));
      return findings.find(({ message }) => message === `Redis has capacity 10, MySQL ${capacity}.`);
    };
    // Numbers 1 to 6 were given out.
    expect(remedyOf(5)).toMatchObject({ remedy: expect.stringContaining('{"capacity": 6}') });
    expect(remedyOf(5)?.command).toBeUndefined();
    expect(remedyOf(6)).toMatchObject({ command: 'fest sale rebuild 1' });
  });

  it('does not take settings that differ for a change that is under way for ever, nor the other way round', () => {
    const settings = { redis: SETTINGS, mysql: { ...SETTINGS, capacity: 20, version: 2 }, lasting: false };
    expect(auditSale(evidenceOf({ sale: { capacity: 20 }, settings })).unproven).toMatchObject([
      { invariants: ['I2'], reason: expect.stringContaining('Redis has version 1 with capacity 10, MySQL version 2') },
    ]);
  });

  it('goes on with money where a line of the statement cannot be read, and says what is not proven', () => {
    const line = { file: '/g/server-1.ndjson', line: 7, why: 'it is not JSON' };
    const unreadableLines = linesOf({ ...line, paymentIds: [paymentId(2)] }, { ...line, line: 9, paymentIds: [] });
    const audit = auditSale(evidenceOf({ captured: [1, 2, 3, 8], sources: { unreadableLines } }));
    expect(audit.findings.map(({ message }) => message)).toEqual([
      `Line 7 of /g/server-1.ndjson (${paymentId(2)}) cannot be understood: it is not JSON.`,
      'Line 9 of /g/server-1.ndjson cannot be understood: it is not JSON.',
      'The gateway has taken 10.00 EUR for payment pay_1_8, and there is neither an order nor a refund.',
    ]);
    expect(audit.findings[0]?.command).toBe('sed -n 7p /g/server-1.ndjson');
    expect(audit.unproven).toMatchObject([
      {
        invariants: ['I10'],
        reason: expect.stringMatching(/^2 lines .*not judged\. A capture or refund that is missing/),
      },
    ]);
  });

  it('gives commands that can be pasted', () => {
    const { findings } = auditSale(
      evidenceOf({
        archived: [archived(ORDERS[0] as Order, { status: 'cancelled' }), ...CLEAN.archived.slice(1)],
        tombstones: [3, 1],
        ...told('succeeded', 8),
      }),
    );
    expect(findings.flatMap(({ command }) => command ?? [])).toEqual([
      `redis-cli -h r DEL 'fest:{1}:payment:pay_1_8'`,
      `mysql -h m fest -e "DELETE FROM cancelled_orders WHERE order_id = 'ord_1_1'; UPDATE orders SET status = 'paid', ` +
        `cancelled_at_ms = NULL WHERE order_id = 'ord_1_1'" && fest log replay --dir /log --repair --live`,
    ]);
  });

  it('has MySQL put right before a rebuild, which reads it', () => {
    const both = { stock: { available: 7 }, archived: CLEAN.archived.slice(1) };
    const { findings } = auditSale(evidenceOf(both));
    expect(findings.map(({ command }) => command)).toEqual([
      'fest log replay --dir /log --repair --live',
      'fest sale rebuild 1',
      'fest sale rebuild 1',
    ]);
    expect(findings[1]?.remedy).toMatch(/^First put MySQL right, .* Then: Have the sale built anew/);
    const [only] = auditSale(evidenceOf({ stock: { available: 7 } })).findings;
    expect(only?.remedy).toMatch(/^Have the sale built anew/);
  });

  it('remarks on what has been unfinished for long', () => {
    const { notes, findings } = auditSale(
      evidenceOf({ before: [...LOG, intent(fourth)], appliedLsn: LOG.length, captured: [1, 2, 3, 4] }),
    );
    expect(findings).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(/^1 payment is unfinished for more than 10 min, of server-1/)]);
  });

  it('shortens a long list of the same kind', () => {
    const many = Array.from({ length: 50 }, (_, index) => ({ paymentId: paymentId(1_000 + index), orderId: 'ord' }));
    const findings = auditSale(evidenceOf({ claims: many })).findings;
    expect(findings).toHaveLength(11);
    expect(findings.at(-1)?.message).toBe('… and 40 more like this.');
  });
});
