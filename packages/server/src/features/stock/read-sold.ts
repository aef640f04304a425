/**
 * What is sold of a sale, from MySQL: archived orders, and those MySQL refused. Page by page, so that neither a statement nor
 * its rows in memory grow with the sale, and in one transaction, so that all pages are of one moment.
 */
import type { OrderPaid } from '../../order-log/records.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { inTransaction, type MysqlSession, selectRows } from '../../platform/mysql-statements.ts';
import { selectFailed } from '../archive/failed-rows.ts';
import { readTombstones } from '../archive/order-rows.ts';
import type { SoldTickets } from './rebuild-store.ts';

/** A statement of some ten milliseconds: far from the limit of a statement's time, and worth its round trip. */
const TICKETS_PER_PAGE = 10_000;

interface TicketRow {
  readonly saleId: number;
  readonly number: number;
  readonly account: number;
  /** Null: its order is being cancelled. */
  readonly live: number | null;
  readonly orderId: string;
}

export function readSold(
  pool: MysqlPool,
  saleId: number,
  ticketsPerPage: number = TICKETS_PER_PAGE,
): Promise<SoldTickets> {
  return inTransaction(pool, async (connection) => {
    // First: a database that isolates less than it should shows an order that is retried meanwhile twice, and not never.
    const refused = await readRefusedOrders(connection, saleId);
    const tally = new SoldTally(refused.live);
    for await (const rows of pagesOfTickets(connection, saleId, ticketsPerPage)) {
      for (const row of rows) if (row.saleId === saleId) tally.add(row);
    }
    const [archived] = await selectRows<{ lastConfirmSeq: number }>(
      connection,
      'SELECT COALESCE(MAX(confirm_seq), 0) AS lastConfirmSeq FROM orders WHERE sale_id = ?',
      [saleId],
    );
    return tally.finish(refused.returned, Math.max(refused.lastConfirmSeq, archived?.lastConfirmSeq ?? 0));
  });
}

class SoldTally {
  readonly #refused: readonly OrderPaid[];
  /** Ticket numbers of refused orders → who has that ticket in the archive. */
  readonly #archivedOwner = new Map<number, number | undefined>();
  readonly #numbers: number[] = [];
  readonly #byAccount = new Map<number, number>();
  readonly #returned = new Set<string>();

  constructor(refused: readonly OrderPaid[]) {
    this.#refused = refused;
    for (const { ticketNumbers } of refused)
      for (const number of ticketNumbers) this.#archivedOwner.set(number, undefined);
  }

  add({ number, account, live, orderId }: TicketRow): void {
    if (live === null) {
      this.#returned.add(orderId);
      return;
    }
    this.#numbers.push(number);
    this.#count(account);
    if (this.#archivedOwner.has(number)) this.#archivedOwner.set(number, account);
  }

  finish(returned: readonly string[], lastConfirmSeq: number): SoldTickets {
    for (const orderId of returned) this.#returned.add(orderId);
    for (const order of this.#refused) if (!this.#returned.has(order.orderId)) this.#addRefused(order);
    return {
      numbers: ascending(this.#numbers),
      byAccount: this.#byAccount,
      returnedOrders: [...this.#returned],
      lastConfirmSeq,
    };
  }

  /** Its buyer was told that it is paid. That somebody else may have the number as well is one more reason not to sell it. */
  #addRefused({ ticketNumbers, accountId }: OrderPaid): void {
    for (const number of ticketNumbers) {
      // It was retried between two statements: counted already.
      if (this.#archivedOwner.get(number) === accountId) continue;
      this.#numbers.push(number);
      this.#count(accountId);
    }
  }

  #count(account: number): void {
    this.#byAccount.set(account, (this.#byAccount.get(account) ?? 0) + 1);
  }
}

/** Each once. */
function ascending(numbers: readonly number[]): readonly number[] {
  return [...Float64Array.from(numbers).sort()].filter((number, index, all) => number !== all[index - 1]);
}

/**
 * In the order in which they are stored, which takes half the time of the order of their numbers: the ids of a sale's orders
 * begin alike, so its tickets lie together. The sale is no condition of the statement, which might take another index for it;
 * were there tickets of other sales in between, they are read and left out. One statement says whether an order is live or
 * being cancelled: never both, and never neither.
 */
async function* pagesOfTickets(
  session: MysqlSession,
  saleId: number,
  ticketsPerPage: number,
): AsyncGenerator<readonly TicketRow[]> {
  const [bounds] = await selectRows<{ first: string | null; last: string | null }>(
    session,
    'SELECT MIN(order_id) AS first, MAX(order_id) AS last FROM orders WHERE sale_id = ?',
    [saleId],
  );
  let after = { orderId: bounds?.first ?? null, number: -1 };
  const lastOrder = bounds?.last ?? null;
  while (after.orderId !== null) {
    const { orderId, number } = after;
    const rows = await selectRows<TicketRow>(
      session,
      `SELECT t.sale_id AS saleId, t.ticket_number AS number, t.account_id AS account, t.live, t.order_id AS orderId
         FROM tickets t LEFT JOIN orders o ON t.live IS NULL AND o.order_id = t.order_id
        WHERE t.order_id >= ? AND t.order_id <= ? AND (t.order_id > ? OR t.ticket_number > ?)
          AND (t.live = 1 OR o.status = 'cancelling')
        ORDER BY t.order_id, t.ticket_number LIMIT ?`,
      [orderId, lastOrder, orderId, number, ticketsPerPage],
    );
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < ticketsPerPage) return;
    after = { orderId: last.orderId, number: last.number };
  }
}

/** Their buyers were told that they have tickets; that MySQL cannot take the row is ours to mend. */
async function readRefusedOrders(session: MysqlSession, saleId: number) {
  const failed = await selectFailed(session, { saleId, types: ['orderPaid'] });
  const orders = failed.flatMap(({ record }) => (record.type === 'orderPaid' ? [record] : []));
  if (orders.length === 0) return { live: [], returned: [], lastConfirmSeq: 0 };
  const orderIds = orders.map(({ orderId }) => orderId);
  const tombstones = await readTombstones(session, orderIds);
  return {
    live: orders.filter(({ orderId }) => !tombstones.has(orderId)),
    // What is cancelled to its end is in the stock and forgotten; what is being cancelled is not to be returned twice.
    returned: orderIds.filter((orderId) => tombstones.get(orderId)?.status === 'cancelling'),
    lastConfirmSeq: Math.max(...orders.map(({ confirmSeq }) => confirmSeq)),
  };
}
