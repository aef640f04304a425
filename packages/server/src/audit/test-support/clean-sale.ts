/** A clean sale, and the evidence of it with whatever a test changes. */
import type { OrderLogRecord } from '../../order-log/records.ts';
import { type ArchivedOrder, BoundedList, type ReadingStage, SaleBooks } from '../books.ts';
import type { RedisEvidence, SaleEvidence, Sources } from '../evidence.ts';
import type { UnreadableLine } from '../gateway-statement.ts';
import type { Archive, ArchivedPayment, AuditedSale } from '../mysql-reading.ts';
import { SEEN } from '../order-rows.ts';
import { BoughtCounts, type RedisReading, type ToldPayment } from '../redis-reading.ts';

const NOW = 100_000_000;

export interface Order {
  readonly number: number;
  readonly tickets: readonly number[];
  readonly accountId: number;
}

/** 10 tickets: 1, 2 and 3 sold, 4 cancelled and back in stock, 5 held, 6 failed to be paid, 7–10 never given out. */
export const ORDERS: readonly Order[] = [
  { number: 1, tickets: [1, 2], accountId: 101 },
  { number: 2, tickets: [3], accountId: 102 },
  { number: 3, tickets: [4], accountId: 103 },
];

const of = { saleId: 1, epoch: 1, at: 1_000 };
export const orderId = (number: number): string => `ord_1_${number}`;
export const paymentId = (number: number): string => `pay_1_${number}`;

export function linesOf(...lines: readonly UnreadableLine[]): BoundedList<UnreadableLine> {
  const list = new BoundedList<UnreadableLine>();
  for (const line of lines) list.push(line);
  return list;
}

export function intent({ number, tickets, accountId }: Order): OrderLogRecord {
  const common = { ...of, paymentId: paymentId(number), holdId: `hold_1_${number}`, accountId, method: 'card' };
  return { type: 'paymentIntent', ...common, ticketNumbers: tickets, amount: 1_000 * tickets.length, currency: 'EUR' };
}

export function paid({ number, tickets, accountId }: Order, more: object = {}): OrderLogRecord {
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

export function refundBegun(number: number): OrderLogRecord {
  const common = { ...of, at: NOW, paymentId: paymentId(number), orderId: orderId(number), holdId: '', accountId: 1 };
  return { type: 'refundStarted', ...common, amount: 1_000, currency: 'EUR', reason: 'cancelled_by_buyer' };
}

export function refundDone(number: number): OrderLogRecord {
  return { type: 'refundCompleted', ...of, paymentId: paymentId(number), orderId: orderId(number) };
}

/** Of a payment that never became an order. */
export function payBackBegun({ number, accountId, tickets }: Order): OrderLogRecord {
  const common = { ...of, at: NOW, paymentId: paymentId(number), holdId: '', accountId };
  return { type: 'refundStarted', ...common, amount: 1_000 * tickets.length, currency: 'EUR', reason: 'hold_expired' };
}

export function payBackDone(number: number): OrderLogRecord {
  return { type: 'refundCompleted', ...of, paymentId: paymentId(number) };
}

export function cancelled(number: number): OrderLogRecord {
  return { type: 'orderCancelled', ...of, orderId: orderId(number), ticketNumbers: [] };
}

const failed = (number: number): OrderLogRecord => ({
  type: 'paymentFailed',
  ...of,
  paymentId: paymentId(number),
  holdId: `hold_1_${number}`,
  failureCode: 'card_declined',
});

export const FAILED: Order = { number: 9, tickets: [6], accountId: 109 };

export const LOG: readonly OrderLogRecord[] = [
  ...ORDERS.flatMap((order) => [intent(order), paid(order)]),
  intent(FAILED),
  failed(9),
  refundBegun(3),
  refundDone(3),
  cancelled(3),
];

export function archived({ number, tickets, accountId }: Order, more: Partial<ArchivedOrder> = {}): ArchivedOrder {
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

export const FAILED_ROW: ArchivedPayment = {
  paymentId: paymentId(9),
  saleId: 1,
  accountId: 109,
  amount: 1_000,
  currency: 'EUR',
  status: 'failed',
  failureCode: 'card_declined',
  unfinished: null,
};

export const SETTINGS = { version: 1, capacity: 10, price: 1_000, limitPerBuyer: 2 };
const TOOLS = { fest: 'fest', redisCli: 'redis-cli -h r', mysql: 'mysql -h m fest' };

export const STOCK = {
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

export const HOLD = { holdId: 'hold_1_a', quantity: 1, ticketNumbers: [5] };

export interface Scene {
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

export const CLEAN: Scene = {
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

export function evidenceOf(changes: Partial<Scene>): SaleEvidence {
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

export function sourcesOf({ sources, appliedLsn }: Scene, lastLsn: number): Sources {
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

export const told = (status: string, number: number, more: Partial<ToldPayment> = {}): Partial<Scene> => ({
  reading: { told: [{ paymentId: paymentId(number), status, orderId: orderId(number), logId: 'a', ...more }] },
});

export const fourth: Order = { number: 4, tickets: [6], accountId: 104 };
