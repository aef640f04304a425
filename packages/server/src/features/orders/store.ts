/** Orders in the archive. */
import type mysql from 'mysql2/promise';
import type { OrderStatus } from '../../contract/words.ts';
import type { MysqlPool } from '../../platform/mysql.ts';

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

function orderFrom(row: mysql.RowDataPacket, tickets: StoredOrder['tickets']): StoredOrder {
  return {
    orderId: String(row.order_id),
    paymentId: String(row.payment_id),
    saleId: Number(row.sale_id),
    festivalId: Number(row.festival_id),
    accountId: Number(row.account_id),
    amount: Number(row.amount),
    currency: String(row.currency),
    status: row.status as OrderStatus,
    paidAtMs: Number(row.paid_at_ms),
    tickets,
  };
}

async function withTickets(pool: MysqlPool, rows: readonly mysql.RowDataPacket[]): Promise<readonly StoredOrder[]> {
  if (rows.length === 0) return [];
  const [tickets] = await pool.query<mysql.RowDataPacket[]>(
    'SELECT order_id, ticket_number, checked_in_at_ms FROM tickets WHERE order_id IN (?) ORDER BY ticket_number',
    [rows.map((row) => row.order_id)],
  );
  const byOrder = Map.groupBy(tickets, (ticket) => String(ticket.order_id));
  return rows.map((row) =>
    orderFrom(
      row,
      (byOrder.get(String(row.order_id)) ?? []).map((ticket) => ({
        ticketNumber: Number(ticket.ticket_number),
        checkedInAtMs: ticket.checked_in_at_ms === null ? null : Number(ticket.checked_in_at_ms),
      })),
    ),
  );
}

export async function findOrder(pool: MysqlPool, orderId: string): Promise<StoredOrder | undefined> {
  const [rows] = await pool.query<mysql.RowDataPacket[]>('SELECT * FROM orders WHERE order_id = ?', [orderId]);
  return (await withTickets(pool, rows))[0];
}

/** Newest first, at most `limit`. */
export async function listOrders(
  pool: MysqlPool,
  accountId: number,
  limit: number,
  after: OrderCursor | undefined,
): Promise<readonly StoredOrder[]> {
  const [rows] = await pool.query<mysql.RowDataPacket[]>(
    `SELECT * FROM orders WHERE account_id = ?
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
export async function startCancel(pool: MysqlPool, orderId: string): Promise<CancelStart> {
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT * FROM orders WHERE order_id = ? FOR UPDATE', [
      orderId,
    ]);
    const row = rows[0];
    if (row === undefined) {
      await connection.rollback();
      return { status: 'notFound' };
    }
    const [tickets] = await connection.query<mysql.RowDataPacket[]>(
      'SELECT ticket_number, checked_in_at_ms FROM tickets WHERE order_id = ? FOR UPDATE',
      [orderId],
    );
    if (tickets.some((ticket) => ticket.checked_in_at_ms !== null)) {
      await connection.rollback();
      return { status: 'checkedIn' };
    }
    if (row.status === 'paid') {
      await connection.query("UPDATE orders SET status = 'cancelling' WHERE order_id = ?", [orderId]);
      await connection.query('UPDATE tickets SET live = NULL WHERE order_id = ?', [orderId]);
    }
    await connection.commit();
    const order = orderFrom(
      { ...row, status: row.status === 'paid' ? 'cancelling' : row.status } as mysql.RowDataPacket,
      tickets.map((ticket) => ({ ticketNumber: Number(ticket.ticket_number), checkedInAtMs: null })),
    );
    return { status: 'cancelling', order };
  } catch (error) {
    await connection.rollback().catch(() => undefined);
    throw error;
  } finally {
    connection.release();
  }
}

/** Orders whose cancellation was begun and not finished; after a crash somebody has to go on. */
export async function listCancelling(pool: MysqlPool, limit: number): Promise<readonly StoredOrder[]> {
  const [rows] = await pool.query<mysql.RowDataPacket[]>("SELECT * FROM orders WHERE status = 'cancelling' LIMIT ?", [
    limit,
  ]);
  return withTickets(pool, rows);
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
  const [rows] = await pool.query<mysql.RowDataPacket[]>(
    'SELECT order_id, live FROM tickets WHERE sale_id = ? AND ticket_number IN (?)',
    [saleId, ticketNumbers],
  );
  if (rows.some((row) => row.live !== null)) return undefined;
  const orderIds = [...new Set(rows.map((row) => String(row.order_id)))];
  if (orderIds.length === 0) return undefined;
  const [tickets] = await pool.query<mysql.RowDataPacket[]>(
    'SELECT order_id, ticket_number FROM tickets WHERE order_id IN (?)',
    [orderIds],
  );
  const byOrder = Map.groupBy(tickets, (ticket) => String(ticket.order_id));
  return orderIds.map((orderId) => ({
    orderId,
    ticketNumbers: (byOrder.get(orderId) ?? []).map((ticket) => Number(ticket.ticket_number)),
  }));
}
