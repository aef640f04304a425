/** An archive of a test's own, histories of orders to put into it, and everything that is in it afterwards. */
import { createRandom, type Random } from '@fest/loadtest/buyers/random';
import type { OrderLogRecord, OrderPaid, PaymentIntent, StoredRecord } from '@fest/server/order-log/records';
import { createMysqlPool, type MysqlPool, migrate } from '@fest/server/platform/mysql';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { createStores } from './test-app.ts';

export interface TestArchive {
  readonly mysqlUrl: string;
  readonly redisUrl: string;
  readonly pool: MysqlPool;
}

/** A database with its tables, a festival without sales, and nothing else. */
export async function createArchive(connections = 4): Promise<TestArchive> {
  const { mysqlUrl, redisUrl } = await createStores();
  await migrate(mysqlUrl);
  const pool = createMysqlPool(mysqlUrl, connections);
  await changeRows(pool, "INSERT INTO accounts (id, name, roles, created_at_ms) VALUES (1, 'O', 'organizer', 0)");
  await changeRows(
    pool,
    `INSERT INTO festivals (id, organizer_id, title, description, venue, starts_at_ms, ends_at_ms, created_at_ms)
     VALUES (1, 1, 'F', '', 'V', 1, 2, 0)`,
  );
  return { mysqlUrl, redisUrl, pool };
}

/** What logs say; tables of accounts and the like are none of it. */
const TABLES = [
  'orders',
  'tickets',
  'payments',
  'cancelled_orders',
  'log_epochs',
  'operator_actions',
  'rebuilds',
] as const;

/** Every row that logs decide, table by table, in an order of its own: equal texts mean equal archives. */
export async function rowsOf(pool: MysqlPool): Promise<Record<string, readonly string[]>> {
  const all: Record<string, readonly string[]> = {};
  for (const table of TABLES) {
    const rows = await selectRows<Record<string, unknown>>(pool, `SELECT * FROM ${table}`);
    all[table] = rows.map((row) => JSON.stringify({ ...row, requested_at_ms: undefined })).sort();
  }
  const sales = await selectRows(pool, 'SELECT id, phase, phase_seq, admission_mode, per_second, epoch FROM sales');
  all.sales = sales.map((row) => JSON.stringify(row)).sort();
  const failed = await selectRows(pool, 'SELECT log_id, lsn, record FROM failed_records');
  all.failed = failed.map((row) => JSON.stringify(row)).sort();
  return all;
}

export async function emptyArchive(pool: MysqlPool): Promise<void> {
  const tables = ['tickets', ...TABLES.filter((table) => table !== 'tickets'), 'failed_records', 'applier_positions'];
  for (const table of [...tables, 'sales']) await changeRows(pool, `DELETE FROM ${table}`);
}

export async function insertSale(pool: MysqlPool, saleId: number): Promise<void> {
  await changeRows(
    pool,
    `INSERT INTO sales (id, festival_id, name, price, currency, capacity, limit_per_buyer, opens_at_ms, closes_at_ms,
       refund_until_ms, rejoin, hold_seconds, admission_seconds, per_second, max_active, created_at_ms) VALUES (?)`,
    [[saleId, 1, 'S', 100, 'EUR', 1000, 2, 0, 9e12, 9e12, 'keep', 60, 60, 10, 10, 0]],
  );
}

export function intentOf(n: number, ticketNumbers: readonly number[] = [n], saleId = 7): PaymentIntent {
  return {
    type: 'paymentIntent',
    saleId,
    epoch: 1,
    at: 1_800_000_000_000 + n,
    paymentId: `pay_${saleId}_${n}`,
    holdId: `hold_${saleId}_${n}`,
    accountId: 1000 + n,
    ticketNumbers,
    amount: 100 * ticketNumbers.length,
    currency: 'EUR',
    method: 'card',
  };
}

export function orderOf(n: number, ticketNumbers: readonly number[] = [n], saleId = 7): OrderPaid {
  const { type: _, method: __, ...intent } = intentOf(n, ticketNumbers, saleId);
  return {
    ...intent,
    type: 'orderPaid',
    at: intent.at + 10,
    orderId: `ord_${saleId}_${n}`,
    festivalId: 3,
    confirmSeq: n,
    capacity: 1000,
  };
}

export function cancelledOf({ saleId, orderId, ticketNumbers }: OrderPaid, at: number): OrderLogRecord {
  return { type: 'orderCancelled', saleId, epoch: 1, at, orderId, ticketNumbers };
}

export function numbered(records: readonly OrderLogRecord[], afterLsn = 0): readonly StoredRecord[] {
  return records.map((record, index) => ({ lsn: afterLsn + index + 1, record }));
}

/** Which log a record goes to. */
export interface HistoryEntry {
  readonly log: number;
  readonly record: OrderLogRecord;
}

const at = 1_900_000_000_000;

/**
 * What a few servers could have written, in the order in which it happened: payments that become orders, fail, are refunded
 * or are left open; orders that are cancelled through any server, at any stage; tickets that are sold again afterwards.
 */
export function randomHistory(
  seed: string,
  options: { readonly payments: number; readonly logs?: number; readonly adoption?: boolean },
): HistoryEntry[] {
  const random = createRandom(seed);
  const logs = options.logs ?? 2;
  const entries: HistoryEntry[] = [];
  const under = { running: [] as Iterator<void>[], free: Array.from({ length: 400 }, (_, index) => index + 1) };
  let confirmSeq = 0;
  let now = at;
  /** What the writer of each log takes to be sold. */
  const held = Array.from({ length: logs }, () => new Map<number, string>());
  const write = (log: number, record: OrderLogRecord): void => {
    now += 1;
    entries.push({ log, record: { ...record, at: now } });
    const tickets = held[log] ?? new Map();
    if (record.type === 'orderPaid') for (const number of record.ticketNumbers) tickets.set(number, record.orderId);
    else if (record.type === 'orderCancelled' || record.type === 'ticketsReleased') {
      for (const number of record.ticketNumbers) if (tickets.get(number) === record.orderId) tickets.delete(number);
    }
  };
  /** Its order was cancelled through another server, or not to its end. */
  const release = (log: number, ticketNumbers: readonly number[]): void => {
    for (const number of ticketNumbers) {
      const orderId = held[log]?.get(number);
      if (orderId === undefined) continue;
      write(log, { type: 'ticketsReleased', saleId: 7, epoch: 1, at: 0, orderId, ticketNumbers: [number] });
    }
  };
  const anyLog = (): number => Math.floor(random() * logs);
  /** Now and then a server is gone for good, and another one goes on with its payments. */
  const goesOn = (log: number): number => (options.adoption === true && random() < 0.1 ? anyLog() : log);

  function* cancellation(order: OrderPaid): Generator<void> {
    const { saleId, paymentId, orderId, accountId, amount, currency } = order;
    const log = anyLog();
    const base = { saleId, epoch: 1, at: 0, paymentId, orderId };
    const reason = 'cancelled_by_buyer';
    write(log, { type: 'refundStarted', ...base, holdId: '', accountId, amount, currency, reason });
    // From here on the numbers may be sold again.
    under.free.push(...order.ticketNumbers);
    yield;
    if (random() < 0.1) return;
    write(log, { type: 'refundCompleted', ...base });
    yield;
    if (random() < 0.1) return;
    write(log, cancelledOf(order, 0));
    // Two servers may both tell of it.
    if (random() < 0.2) write(anyLog(), cancelledOf(order, 0));
  }

  function* payment(n: number): Generator<void> {
    let log = anyLog();
    const ticketNumbers = under.free.splice(0, 1 + Math.floor(random() * 3));
    const intent = intentOf(n, ticketNumbers);
    write(log, intent);
    while (random() < 0.5) yield;
    log = goesOn(log);
    const { saleId, paymentId, holdId, accountId, amount, currency } = intent;
    const outcome = random();
    if (outcome < 0.1) return;
    if (outcome < 0.25) {
      under.free.push(...ticketNumbers);
      write(log, { type: 'paymentFailed', saleId, epoch: 1, at: 0, paymentId, holdId, failureCode: 'declined' });
      return;
    }
    if (outcome < 0.45) {
      under.free.push(...ticketNumbers);
      const reason = 'hold_expired';
      write(log, {
        type: 'refundStarted',
        saleId,
        epoch: 1,
        at: 0,
        paymentId,
        holdId,
        accountId,
        amount,
        currency,
        reason,
      });
      while (random() < 0.5) yield;
      log = goesOn(log);
      if (random() < 0.3) return;
      write(log, { type: 'refundCompleted', saleId, epoch: 1, at: 0, paymentId });
      return;
    }
    release(log, ticketNumbers);
    confirmSeq += 1;
    const order: OrderPaid = { ...orderOf(n, ticketNumbers), confirmSeq };
    write(log, order);
    while (random() < 0.7) yield;
    if (random() < 0.5) yield* cancellation(order);
  }

  for (let n = 1; n <= options.payments; n += 1) {
    under.running.push(payment(n));
    const steps = 1 + Math.floor(random() * 3);
    for (let step = 0; step < steps; step += 1) advanceOne(under.running, random);
    if (n % 20 === 0) writeSaleChange(n, write, anyLog());
  }
  while (under.running.length > 0) advanceOne(under.running, random);
  return entries;
}

function advanceOne(running: Iterator<void>[], random: Random): void {
  if (running.length === 0) return;
  const index = Math.floor(random() * running.length);
  if (running[index]?.next().done === true) running.splice(index, 1);
}

function writeSaleChange(n: number, write: (log: number, record: OrderLogRecord) => void, log: number): void {
  const base = { saleId: 7, epoch: 1, at: 0 };
  write(log, { type: 'phaseChanged', ...base, from: 'open', to: n % 40 === 0 ? 'open' : 'paused', phaseSeq: n });
  write(log, {
    type: 'admissionChanged',
    ...base,
    mode: 'fixed',
    perSecond: n,
    maxActive: n,
    operatorId: 1,
    admissionSeq: n,
  });
  write(log, { type: 'epochStarted', ...base, saleId: 8, epoch: 1 + n / 20, queueHighWater: 0, reason: 'test' });
}
