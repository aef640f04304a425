/**
 * What MySQL has, read in one transaction with one snapshot: rows and the positions of the logs belong to the same moment.
 * A record up to a log's position is in this snapshot, whatever appliers do meanwhile.
 */
import { TICKET_NUMBER_MAX } from '../order-log/limits.ts';
import type { OrderLogRecord } from '../order-log/records.ts';
import { orderIdOf } from '../platform/ids.ts';
import type { MysqlPool } from '../platform/mysql.ts';
import { acquireConnection, type MysqlSession, type SqlValue, selectRows } from '../platform/mysql-statements.ts';
import { BoundedList, type SaleBooks } from './books.ts';
import { expectedPayment, paymentDifference } from './expected-payment.ts';
import { AUDIT_LIMITS } from './limits.ts';
import { SEEN } from './order-rows.ts';
import { counted } from './words.ts';

/** A sale as MySQL has it. */
export interface AuditedSale {
  readonly id: number;
  readonly name: string;
  readonly capacity: number;
  /** Minor units of `currency`. */
  readonly price: number;
  readonly currency: string;
  readonly limitPerBuyer: number;
  readonly holdSeconds: number;
  /** 1: its settings were never changed; else at least the time of the last change, Unix milliseconds. */
  readonly version: number;
  readonly epoch: number;
}

/** How far a log is in MySQL. */
export interface LogPosition {
  readonly logId: string;
  /** Name of the server that writes it. */
  readonly server: string;
  readonly lsn: number;
  /** Everything in it is in MySQL, and nobody writes it any more. */
  readonly retired: boolean;
}

/** A rebuild that was asked for and is not finished. */
export interface PendingRebuild {
  readonly saleId: number;
  readonly epoch: number;
  readonly reason: string;
}

export interface SetAsideRecord {
  readonly logId: string;
  readonly lsn: number;
  readonly error: string;
  readonly record: OrderLogRecord;
}

/** Facts of MySQL that are small and asked for more than once. */
export interface MysqlFacts {
  readonly sales: readonly AuditedSale[];
  readonly positions: readonly LogPosition[];
  readonly rebuilds: readonly PendingRebuild[];
}

/** A payment without an order. */
export interface ArchivedPayment {
  readonly paymentId: string;
  readonly saleId: number;
  readonly accountId: number;
  readonly amount: number;
  readonly currency: string;
  readonly status: string;
  readonly failureCode: string | null;
  readonly unfinished: number | null;
}

export interface Archive extends MysqlFacts {
  readonly setAside: readonly SetAsideRecord[];
  /** By payment id: rows of `payments` that are not closed just as the log has closed them; only these are of interest. */
  readonly payments: ReadonlyMap<string, ArchivedPayment>;
  /** Ticket rows without an order row, a sentence each. */
  readonly orphans: BoundedList<{ readonly saleId: number; readonly what: string }>;
}

export async function readMysqlFacts(session: MysqlSession, saleIds?: readonly number[]): Promise<MysqlFacts> {
  const where = saleIds === undefined ? '' : 'WHERE id IN (?)';
  const sales =
    saleIds?.length === 0
      ? []
      : await selectRows<AuditedSale>(
          session,
          `SELECT id, name, capacity, price, currency, limit_per_buyer AS limitPerBuyer, hold_seconds AS holdSeconds, version, epoch
             FROM sales ${where} ORDER BY id`,
          saleIds === undefined ? [] : [saleIds],
        );
  const positions = await selectRows<Omit<LogPosition, 'retired'> & { retired: number }>(
    session,
    `SELECT log_id AS logId, server, lsn, retired_at_ms IS NOT NULL AS retired FROM applier_positions ORDER BY server`,
  );
  const rebuilds = await selectRows<PendingRebuild>(session, 'SELECT sale_id AS saleId, epoch, reason FROM rebuilds');
  return { sales, positions: positions.map((row) => ({ ...row, retired: row.retired === 1 })), rebuilds };
}

/**
 * Orders whose cancellation was finished before now. For orders that only MySQL knows: nothing else tells which of their
 * tickets were in stock again when Redis was looked at.
 */
export async function markCancelledBefore(session: MysqlSession, books: SaleBooks): Promise<void> {
  for await (const rows of pages<{ key: string }>(
    session,
    `SELECT order_id AS \`key\` FROM orders WHERE sale_id = ? AND status = 'cancelled' AND order_id > ?
      ORDER BY order_id LIMIT ?`,
    [books.saleId],
  )) {
    for (const { key } of rows) books.mark(books.ensure(key), SEEN.cancelledBefore);
  }
}

/** Fills the books of the audited sales from one snapshot. */
export async function readArchive(pool: MysqlPool, books: ReadonlyMap<number, SaleBooks>): Promise<Archive> {
  const connection = await acquireConnection(pool);
  try {
    await connection.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
    const facts = await readMysqlFacts(connection, [...books.keys()]);
    const orphans = new BoundedList<{ saleId: number; what: string }>();
    for (const sale of books.values()) await readOrders(connection, sale, orphans);
    const payments = await readPayments(connection, books);
    await readTombstones(connection, books);
    const setAside = await readSetAside(connection, books);
    await connection.query('COMMIT');
    return { ...facts, payments, setAside, orphans };
  } finally {
    // Not back to the pool: after a failure the transaction may be open still.
    connection.destroy();
  }
}

/** Rows page by page, by a text key that the statement gives back as `key`. */
async function* pages<Row extends { readonly key: string }>(
  session: MysqlSession,
  sql: string,
  values: readonly SqlValue[],
): AsyncGenerator<readonly Row[], void, void> {
  let after = '';
  for (;;) {
    const rows = await selectRows<Row>(session, sql, [...values, after, AUDIT_LIMITS.rowsPerPage]);
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < AUDIT_LIMITS.rowsPerPage) return;
    after = last.key;
  }
}

interface OrderRow {
  readonly orderId: string;
  readonly paymentId: string;
  readonly festivalId: number;
  readonly accountId: number;
  readonly confirmSeq: number;
  readonly quantity: number;
  readonly amount: number;
  readonly currency: string;
  readonly status: string;
  readonly paidAtMs: number;
}

interface TicketRow {
  readonly orderId: string;
  readonly saleId: number;
  readonly accountId: number;
  readonly ticketNumber: number;
  readonly live: number | null;
}

async function readOrders(
  session: MysqlSession,
  books: SaleBooks,
  orphans: BoundedList<{ saleId: number; what: string }>,
): Promise<void> {
  const { saleId } = books;
  const owners = new LiveOwners(books);
  let ticketsSeen = 0;
  for await (const rows of orderPages(session, saleId)) {
    const tickets = await readTickets(session, rows);
    for (const row of rows) {
      const own = tickets.get(row.orderId) ?? [];
      ticketsSeen += own.filter((ticket) => ticket.saleId === saleId).length;
      takeOrder(books, row, own, owners);
    }
  }
  await findOrphans(session, saleId, ticketsSeen, orphans);
}

/**
 * By the number of the sale, which has an index. Its unique key may be gone when rows were changed by hand: so the last
 * number of a page is read once more with the next one, and what was seen is passed over.
 */
async function* orderPages(session: MysqlSession, saleId: number): AsyncGenerator<readonly OrderRow[], void, void> {
  let from = 0;
  let seen: ReadonlySet<string> = new Set();
  for (;;) {
    const rows = await selectRows<OrderRow>(
      session,
      `SELECT order_id AS orderId, payment_id AS paymentId, festival_id AS festivalId, account_id AS accountId,
              confirm_seq AS confirmSeq, quantity, amount, currency, status, paid_at_ms AS paidAtMs
         FROM orders WHERE sale_id = ? AND confirm_seq >= ? ORDER BY confirm_seq LIMIT ?`,
      [saleId, from, AUDIT_LIMITS.ordersPerPage],
    );
    const fresh = rows.filter(({ orderId }) => !seen.has(orderId));
    if (fresh.length > 0) yield fresh;
    const last = rows.at(-1);
    if (last === undefined || rows.length < AUDIT_LIMITS.ordersPerPage) return;
    if (last.confirmSeq === from)
      throw new Error(`more than ${rows.length} orders of sale ${saleId} have number ${from}`);
    from = last.confirmSeq;
    seen = new Set(rows.filter(({ confirmSeq }) => confirmSeq === last.confirmSeq).map(({ orderId }) => orderId));
  }
}

async function readTickets(session: MysqlSession, orders: readonly OrderRow[]): Promise<Map<string, TicketRow[]>> {
  const rows = await selectRows<TicketRow>(
    session,
    `SELECT order_id AS orderId, sale_id AS saleId, account_id AS accountId, ticket_number AS ticketNumber, live
       FROM tickets WHERE order_id IN (?)`,
    [orders.map(({ orderId }) => orderId)],
  );
  return Map.groupBy(rows, ({ orderId }) => orderId);
}

function takeOrder(books: SaleBooks, row: OrderRow, tickets: readonly TicketRow[], owners: LiveOwners): void {
  const { orderId, status } = row;
  const ticketNumbers = tickets.map(({ ticketNumber }) => ticketNumber);
  const index = books.takeArchivedOrder({ ...row, ticketNumbers });
  const fault = (what: string): void => books.archiveFaults.push(`MySQL has order ${orderId} ${what}.`);
  if (row.quantity !== tickets.length) fault(`with quantity ${row.quantity}, and ${counted(tickets.length, 'ticket')}`);
  const foreign = tickets.filter(({ saleId, accountId }) => saleId !== books.saleId || accountId !== row.accountId);
  if (foreign.length > 0) fault(`with ${counted(foreign.length, 'ticket')} of another sale or account`);
  // `cancelling` and `cancelled` orders have no live tickets, paid ones only live tickets: both are written together.
  const shouldLive = status === 'paid';
  const wrong = tickets.filter(({ live }) => (live === 1) !== shouldLive);
  if (wrong.length > 0) fault(`as ${status}, but not so ${wrong.length} of its tickets`);
  for (const { ticketNumber, live } of tickets) if (live === 1) owners.take(ticketNumber, index);
}

/** Which order has each live ticket number. MySQL's unique key forbids two; an audit does not rely on it. */
class LiveOwners {
  readonly #books: SaleBooks;
  #rows = new Int32Array(1_024).fill(-1);

  constructor(books: SaleBooks) {
    this.#books = books;
  }

  take(ticketNumber: number, row: number): void {
    // Far beyond any capacity: found as that.
    if (ticketNumber > TICKET_NUMBER_MAX) return;
    while (ticketNumber >= this.#rows.length) {
      const larger = new Int32Array(this.#rows.length * 2).fill(-1);
      larger.set(this.#rows);
      this.#rows = larger;
    }
    const other = this.#rows[ticketNumber] ?? -1;
    if (other >= 0) {
      const { doubles } = this.#books;
      doubles.push({ ticketNumber, first: this.#books.orderId(other), second: this.#books.orderId(row) });
    }
    this.#rows[ticketNumber] = row;
  }
}

/** The orders say which tickets they have; this finds rows that no order has. */
async function findOrphans(
  session: MysqlSession,
  saleId: number,
  ticketsSeen: number,
  orphans: BoundedList<{ saleId: number; what: string }>,
): Promise<void> {
  const [all] = await selectRows<{ count: number }>(
    session,
    'SELECT COUNT(*) AS count FROM tickets WHERE sale_id = ?',
    [saleId],
  );
  if (all === undefined || all.count <= ticketsSeen) return;
  const rows = await selectRows<{ orderId: string; ticketNumber: number }>(
    session,
    `SELECT t.order_id AS orderId, t.ticket_number AS ticketNumber FROM tickets t
       LEFT JOIN orders o ON o.order_id = t.order_id AND o.sale_id = t.sale_id
      WHERE t.sale_id = ? AND o.order_id IS NULL LIMIT ${AUDIT_LIMITS.keptDifferences}`,
    [saleId],
  );
  for (const { orderId, ticketNumber } of rows) {
    orphans.push({ saleId, what: `MySQL has ticket ${ticketNumber} of order ${orderId}, and no such order.` });
  }
}

async function readPayments(
  session: MysqlSession,
  books: ReadonlyMap<number, SaleBooks>,
): Promise<ReadonlyMap<string, ArchivedPayment>> {
  const payments = new Map<string, ArchivedPayment>();
  for await (const rows of pages<ArchivedPayment & { readonly key: string }>(
    session,
    `SELECT payment_id AS \`key\`, payment_id AS paymentId, sale_id AS saleId, account_id AS accountId, amount, currency,
            status, failure_code AS failureCode, unfinished
       FROM payments WHERE payment_id > ? ORDER BY payment_id LIMIT ?`,
    [],
  )) {
    for (const { key: _, ...payment } of rows) {
      const sale = books.get(payment.saleId);
      if (sale === undefined) continue;
      const row = sale.ensure(orderIdOf(payment.paymentId));
      sale.mark(row, SEEN.archivedPayment);
      if (!sale.hasMoney(row)) sale.setPayment(row, payment);
      if (!isClosedAlike(sale, row, payment)) payments.set(payment.paymentId, payment);
    }
  }
  return payments;
}

/** A payment that ended stays as it is: what is alike now need not be looked at again. */
function isClosedAlike(books: SaleBooks, row: number, payment: ArchivedPayment): boolean {
  const expected = expectedPayment(books, row);
  return expected?.closed === true && paymentDifference(books, row, expected, payment) === '';
}

async function readTombstones(session: MysqlSession, books: ReadonlyMap<number, SaleBooks>): Promise<void> {
  for await (const rows of pages<{ key: string; saleId: number; status: string }>(
    session,
    `SELECT order_id AS \`key\`, sale_id AS saleId, status FROM cancelled_orders WHERE order_id > ?
      ORDER BY order_id LIMIT ?`,
    [],
  )) {
    for (const { key: orderId, saleId, status } of rows) {
      const sale = books.get(saleId);
      if (sale === undefined) continue;
      const flags = SEEN.tombstone | (status === 'cancelled' ? SEEN.tombstoneDone : 0);
      sale.mark(sale.ensure(orderId), flags);
    }
  }
}

/** Records MySQL refused: few, or something is very wrong and the first ones say what. */
async function readSetAside(
  session: MysqlSession,
  books: ReadonlyMap<number, SaleBooks>,
): Promise<readonly SetAsideRecord[]> {
  const rows = await selectRows<{ logId: string; lsn: number; error: string; record: string }>(
    session,
    `SELECT log_id AS logId, lsn, error, record FROM failed_records ORDER BY log_id, lsn LIMIT ${AUDIT_LIMITS.rowsPerPage}`,
  );
  const setAside = rows.map((row) => ({ ...row, record: JSON.parse(row.record) as OrderLogRecord }));
  for (const { record } of setAside) {
    const sale = books.get(record.saleId);
    if (sale !== undefined && record.type === 'orderPaid') sale.mark(sale.ensure(record.orderId), SEEN.setAside);
  }
  return setAside.filter(({ record }) => books.has(record.saleId));
}

/** Positions of the logs now. */
export async function readPositions(pool: MysqlPool): Promise<ReadonlyMap<string, number>> {
  const rows = await selectRows<{ logId: string; lsn: number }>(
    pool,
    'SELECT log_id AS logId, lsn FROM applier_positions',
  );
  return new Map(rows.map(({ logId, lsn }) => [logId, lsn]));
}
