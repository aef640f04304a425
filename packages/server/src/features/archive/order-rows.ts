/** Orders, their tickets, and the tombstones of those that were given back. */
import type { OrderPaid, StoredRecord } from '../../order-log/records.ts';
import { changeRows, type MysqlSession, selectRows } from '../../platform/mysql-statements.ts';

export type CancelStatus = 'cancelling' | 'cancelled';

export interface Tombstone {
  readonly orderId: string;
  readonly saleId: number;
  /** `cancelling`: the refund has begun, so the tickets are void, and somebody has to finish it. */
  readonly status: CancelStatus;
  readonly cancelledAtMs: number;
}

/** What a record says about an order that is given back. */
export function tombstoneOf({ record }: StoredRecord): Tombstone | undefined {
  if (record.type === 'orderCancelled') {
    return { orderId: record.orderId, saleId: record.saleId, status: 'cancelled', cancelledAtMs: record.at };
  }
  if (record.type === 'refundStarted' && record.orderId !== undefined) {
    return { orderId: record.orderId, saleId: record.saleId, status: 'cancelling', cancelledAtMs: record.at };
  }
  return undefined;
}

export function recordCancellations(connection: MysqlSession, records: readonly StoredRecord[]): Promise<void> {
  return writeTombstones(
    connection,
    records.flatMap((stored) => tombstoneOf(stored) ?? []),
  );
}

/** Remembers what was given back, and voids the tickets of orders that are there. */
export async function writeTombstones(connection: MysqlSession, tombstones: readonly Tombstone[]): Promise<void> {
  if (tombstones.length === 0) return;
  // Two logs may both tell of a cancellation: the further state and the earlier time hold, whichever comes first.
  await changeRows(
    connection,
    `INSERT INTO cancelled_orders (order_id, sale_id, status, cancelled_at_ms) VALUES ?
     ON DUPLICATE KEY UPDATE status = IF(VALUES(status) = 'cancelled', 'cancelled', status),
       cancelled_at_ms = LEAST(cancelled_at_ms, VALUES(cancelled_at_ms))`,
    [tombstones.map(({ orderId, saleId, status, cancelledAtMs }) => [orderId, saleId, status, cancelledAtMs])],
  );
  const orderIds = [...new Set(tombstones.map(({ orderId }) => orderId))];
  // The logs' time takes the place of the one at which the row was marked, which no log has: a database that is built anew from them
  // has to be the same.
  await changeRows(
    connection,
    `UPDATE orders o JOIN cancelled_orders c ON c.order_id = o.order_id
        SET o.status = IF(o.status = 'cancelled', 'cancelled', c.status),
            o.cancelled_at_ms = c.cancelled_at_ms
      WHERE o.order_id IN (?)`,
    [orderIds],
  );
  await changeRows(connection, 'UPDATE tickets SET live = NULL WHERE order_id IN (?)', [orderIds]);
}

/**
 * Orders that are there already are left alone; the others are inserted plainly, so that a second owner of a ticket number,
 * a payment or a confirmation number is an error here and not an update of somebody else's row. Returns how many were new.
 */
export async function insertOrders(connection: MysqlSession, orders: readonly OrderPaid[]): Promise<number> {
  if (orders.length === 0) return 0;
  const rows = await selectRows<{ order_id: string }>(connection, 'SELECT order_id FROM orders WHERE order_id IN (?)', [
    orders.map(({ orderId }) => orderId),
  ]);
  const known = new Set(rows.map((row) => row.order_id));
  const missing = orders.filter(({ orderId }) => !known.has(orderId));
  if (missing.length === 0) return 0;
  // Locks absence too: a cancellation that the replay of another log is writing either is seen here, or waits and then
  // finds the order.
  const missingIds = missing.map(({ orderId }) => orderId);
  const tombstones = await readTombstones(connection, missingIds, 'LOCK IN SHARE MODE');
  await insertOrderRows(connection, missing, tombstones);
  await insertTickets(connection, missing, tombstones);
  return missing.length;
}

/** Tombstones of these orders, by order. */
export async function readTombstones(
  session: MysqlSession,
  orderIds: readonly string[],
  locking: '' | 'LOCK IN SHARE MODE' = '',
): Promise<ReadonlyMap<string, Tombstone>> {
  const rows = await selectRows<{ order_id: string; sale_id: number; status: CancelStatus; cancelled_at_ms: number }>(
    session,
    `SELECT order_id, sale_id, status, cancelled_at_ms FROM cancelled_orders WHERE order_id IN (?) ${locking}`,
    [orderIds],
  );
  return new Map(
    rows.map(({ order_id: orderId, sale_id: saleId, status, cancelled_at_ms: cancelledAtMs }) => [
      orderId,
      { orderId, saleId, status, cancelledAtMs },
    ]),
  );
}

async function insertOrderRows(
  connection: MysqlSession,
  orders: readonly OrderPaid[],
  tombstones: ReadonlyMap<string, Tombstone>,
): Promise<void> {
  await changeRows(
    connection,
    `INSERT INTO orders (order_id, payment_id, sale_id, festival_id, account_id, confirm_seq, quantity, amount, currency,
       status, paid_at_ms, cancelled_at_ms) VALUES ?`,
    [
      orders.map((order) => {
        const tombstone = tombstones.get(order.orderId);
        return [
          order.orderId,
          order.paymentId,
          order.saleId,
          order.festivalId,
          order.accountId,
          order.confirmSeq,
          order.ticketNumbers.length,
          order.amount,
          order.currency,
          tombstone?.status ?? 'paid',
          order.at,
          tombstone?.cancelledAtMs ?? null,
        ];
      }),
    ],
  );
}

async function insertTickets(
  connection: MysqlSession,
  orders: readonly OrderPaid[],
  tombstones: ReadonlyMap<string, Tombstone>,
): Promise<void> {
  await changeRows(connection, 'INSERT INTO tickets (sale_id, ticket_number, order_id, account_id, live) VALUES ?', [
    orders.flatMap(({ saleId, orderId, accountId, ticketNumbers }) =>
      ticketNumbers.map((ticketNumber) => [
        saleId,
        ticketNumber,
        orderId,
        accountId,
        tombstones.has(orderId) ? null : 1,
      ]),
    ),
  ]);
}
