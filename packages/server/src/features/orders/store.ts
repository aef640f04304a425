/** Orders in the archive. */
import type { OrderStatus } from '../../contract/words.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { changeRows, inTransaction, type MysqlSession, selectRows } from '../../platform/mysql-statements.ts';

export interface StoredOrder {
  readonly orderId: string;
  readonly paymentId: string;
  readonly saleId: number;
  readonly festivalId: number;
  readonly accountId: number;
  readonly amount: number;
  readonly currency: string;
  readonly status: OrderStatus;
  readonly paidAtMs: number;
  readonly tickets: readonly { readonly ticketNumber: number; readonly checkedInAtMs: number | null }[];
}

/** Keyset of a page: orders older than this one. */
export interface OrderCursor {
  readonly paidAtMs: number;
  readonly orderId: string;
}

interface OrderRow {
  readonly order_id: string;
  readonly payment_id: string;
  readonly sale_id: number;
  readonly festival_id: number;
  readonly account_id: number;
  readonly amount: number;
  readonly currency: string;
  readonly status: OrderStatus;
  readonly paid_at_ms: number;
}

interface TicketRow {
  readonly order_id: string;
  readonly ticket_number: number;
  readonly checked_in_at_ms: number | null;
}

const ORDER_COLUMNS = 'order_id, payment_id, sale_id, festival_id, account_id, amount, currency, status, paid_at_ms';

function orderFrom(row: OrderRow, tickets: readonly TicketRow[]): StoredOrder {
  return {
    orderId: row.order_id,
    paymentId: row.payment_id,
    saleId: row.sale_id,
    festivalId: row.festival_id,
    accountId: row.account_id,
    amount: row.amount,
    currency: row.currency,
    status: row.status,
    paidAtMs: row.paid_at_ms,
    tickets: tickets.map((ticket) => ({
      ticketNumber: ticket.ticket_number,
      checkedInAtMs: ticket.checked_in_at_ms,
    })),
  };
}

async function withTickets(session: MysqlSession, rows: readonly OrderRow[]): Promise<readonly StoredOrder[]> {
  if (rows.length === 0) return [];
  const tickets = await selectRows<TicketRow>(
    session,
    'SELECT order_id, ticket_number, checked_in_at_ms FROM tickets WHERE order_id IN (?) ORDER BY ticket_number',
    [rows.map((row) => row.order_id)],
  );
  const byOrder = Map.groupBy(tickets, (ticket) => ticket.order_id);
  return rows.map((row) => orderFrom(row, byOrder.get(row.order_id) ?? []));
}

export async function findOrder(pool: MysqlPool, orderId: string): Promise<StoredOrder | undefined> {
  const rows = await selectRows<OrderRow>(pool, `SELECT ${ORDER_COLUMNS} FROM orders WHERE order_id = ?`, [orderId]);
  return (await withTickets(pool, rows))[0];
}

/** Newest first, at most `limit`. */
export async function listOrders(
  pool: MysqlPool,
  accountId: number,
  limit: number,
  after: OrderCursor | undefined,
): Promise<readonly StoredOrder[]> {
  const rows = await selectRows<OrderRow>(
    pool,
    `SELECT ${ORDER_COLUMNS} FROM orders WHERE account_id = ?
      ${after === undefined ? '' : 'AND (paid_at_ms < ? OR (paid_at_ms = ? AND order_id < ?))'}
      ORDER BY paid_at_ms DESC, order_id DESC LIMIT ?`,
    [accountId, ...(after === undefined ? [] : [after.paidAtMs, after.paidAtMs, after.orderId]), limit],
  );
  return withTickets(pool, rows);
}

export type CancelStart =
  | { readonly status: 'cancelling'; readonly order: StoredOrder }
  | { readonly status: 'notFound' }
  | { readonly status: 'checkedIn' };

/**
 * Voids an order's tickets, once: from here on no gate lets them in, and their numbers may be sold again as soon as they
 * are back in stock. One transaction, so that a check-in at the same moment either comes first or finds nothing.
 */
export async function startCancel(pool: MysqlPool, orderId: string, nowMs: number): Promise<CancelStart> {
  return inTransaction<CancelStart>(pool, async (connection) => {
    const [row] = await selectRows<OrderRow>(
      connection,
      `SELECT ${ORDER_COLUMNS} FROM orders WHERE order_id = ? FOR UPDATE`,
      [orderId],
    );
    if (row === undefined) return { status: 'notFound' };
    const tickets = await selectRows<TicketRow>(
      connection,
      'SELECT order_id, ticket_number, checked_in_at_ms FROM tickets WHERE order_id = ? FOR UPDATE',
      [orderId],
    );
    if (tickets.some((ticket) => ticket.checked_in_at_ms !== null)) return { status: 'checkedIn' };
    if (row.status !== 'paid') return { status: 'cancelling', order: orderFrom(row, tickets) };
    await changeRows(connection, "UPDATE orders SET status = 'cancelling', cancelled_at_ms = ? WHERE order_id = ?", [
      nowMs,
      orderId,
    ]);
    await changeRows(connection, 'UPDATE tickets SET live = NULL WHERE order_id = ?', [orderId]);
    return { status: 'cancelling', order: orderFrom({ ...row, status: 'cancelling' }, tickets) };
  });
}

/**
 * A page of the orders whose cancellation was begun before a time and is not finished, by order id; after a crash somebody
 * has to go on.
 * @param after the last order id of the page before; empty for the first page
 */
export async function listCancelling(
  pool: MysqlPool,
  beganBeforeMs: number,
  after: string,
  limit: number,
): Promise<readonly StoredOrder[]> {
  const rows = await selectRows<OrderRow>(
    pool,
    `SELECT ${ORDER_COLUMNS} FROM orders
      WHERE status = 'cancelling' AND cancelled_at_ms <= ? AND order_id > ? ORDER BY order_id LIMIT ?`,
    [beganBeforeMs, after, limit],
  );
  return withTickets(pool, rows);
}

/** Whether some log has told MySQL that the order's refund has begun. */
export async function isRefundRecorded(pool: MysqlPool, orderId: string): Promise<boolean> {
  const sql = 'SELECT order_id FROM cancelled_orders WHERE order_id = ?';
  return (await selectRows(pool, sql, [orderId])).length > 0;
}

/**
 * Orders that once had these ticket numbers, when none of the numbers is live any more; undefined when one is.
 * For a log whose writer still has the numbers because the cancellation went through another server.
 */
export async function findCancelledHolders(
  pool: MysqlPool,
  saleId: number,
  ticketNumbers: readonly number[],
): Promise<readonly { readonly orderId: string; readonly ticketNumbers: readonly number[] }[] | undefined> {
  const rows = await selectRows<{ order_id: string; live: number | null }>(
    pool,
    'SELECT order_id, live FROM tickets WHERE sale_id = ? AND ticket_number IN (?)',
    [saleId, ticketNumbers],
  );
  if (rows.length === 0 || rows.some((row) => row.live !== null)) return undefined;
  const orderIds = [...new Set(rows.map((row) => row.order_id))];
  const tickets = await selectRows<{ order_id: string; ticket_number: number }>(
    pool,
    'SELECT order_id, ticket_number FROM tickets WHERE order_id IN (?)',
    [orderIds],
  );
  const byOrder = Map.groupBy(tickets, (ticket) => ticket.order_id);
  return orderIds.map((orderId) => ({
    orderId,
    ticketNumbers: (byOrder.get(orderId) ?? []).map((ticket) => ticket.ticket_number),
  }));
}
