/** Orders and tickets as the log says they are, against the rows that are there. */
import type { OrderPaid } from '../../order-log/records.ts';
import { type MysqlSession, selectRows } from '../../platform/mysql-statements.ts';
import type { CancelStatus, Tombstone } from './order-rows.ts';

export interface OrderRow {
  readonly order_id: string;
  readonly payment_id: string;
  readonly sale_id: number;
  readonly festival_id: number;
  readonly account_id: number;
  readonly confirm_seq: number;
  readonly quantity: number;
  readonly amount: number;
  readonly currency: string;
  readonly status: string;
  readonly paid_at_ms: number;
  readonly cancelled_at_ms: number | null;
}

export interface TicketRow {
  readonly order_id: string;
  readonly ticket_number: number;
  readonly sale_id: number;
  readonly account_id: number;
  readonly live: number | null;
}

/** How the rows of one order differ from its record. */
export interface OrderDifference {
  readonly order: OrderPaid;
  /** The row is not there. */
  readonly missing: boolean;
  /** Tickets that are there although the row is not, as a partial restore leaves them. */
  readonly orphanTickets: readonly number[];
  /** The row as it should be. */
  readonly expected: OrderRow;
  /** Columns of the order that differ. */
  readonly columns: readonly string[];
  readonly missingTickets: readonly number[];
  /** Rows of tickets that the order does not have, or with another sale, account or state. */
  readonly wrongTickets: readonly TicketRow[];
  /**
   * MySQL says that it was cancelled, and neither the logs at hand nor the tombstones know why. Its money may have gone
   * back and its tickets be sold again, so nobody revives it.
   */
  readonly cancelledWithoutRecord: boolean;
}

export async function compareOrders(
  session: MysqlSession,
  orders: readonly OrderPaid[],
  tombstones: ReadonlyMap<string, Tombstone>,
): Promise<readonly OrderDifference[]> {
  if (orders.length === 0) return [];
  const orderIds = orders.map(({ orderId }) => orderId);
  const rows = await selectRows<OrderRow>(session, 'SELECT * FROM orders WHERE order_id IN (?)', [orderIds]);
  const tickets = await selectRows<TicketRow>(
    session,
    'SELECT order_id, ticket_number, sale_id, account_id, live FROM tickets WHERE order_id IN (?)',
    [orderIds],
  );
  const byId = new Map(rows.map((row) => [row.order_id, row]));
  const ticketsOf = Map.groupBy(tickets, (ticket) => ticket.order_id);
  return orders.flatMap((order) => {
    const { orderId } = order;
    return compareOrder(order, tombstones.get(orderId), byId.get(orderId), ticketsOf.get(orderId) ?? []) ?? [];
  });
}

/** Undefined when the rows are as they should be. */
export function compareOrder(
  order: OrderPaid,
  tombstone: Tombstone | undefined,
  row: OrderRow | undefined,
  tickets: readonly TicketRow[],
): OrderDifference | undefined {
  const expected = expectedRow(order, tombstone, row);
  const live = expected.status === 'paid' ? 1 : null;
  const isRight = (ticket: TicketRow): boolean =>
    order.ticketNumbers.includes(ticket.ticket_number) &&
    ticket.sale_id === order.saleId &&
    ticket.account_id === order.accountId &&
    ticket.live === live;
  const present = new Set(tickets.map((ticket) => ticket.ticket_number));
  const difference: OrderDifference = {
    order,
    missing: row === undefined,
    orphanTickets: row === undefined ? tickets.map((ticket) => ticket.ticket_number) : [],
    expected,
    columns: row === undefined ? [] : differingColumns(row, expected),
    missingTickets: order.ticketNumbers.filter((number) => !present.has(number)),
    wrongTickets: tickets.filter((ticket) => !isRight(ticket)),
    cancelledWithoutRecord: row?.status === 'cancelled' && tombstone === undefined,
  };
  const { missing, columns, missingTickets, wrongTickets, cancelledWithoutRecord } = difference;
  const differs = missing || columns.length + missingTickets.length + wrongTickets.length > 0;
  return differs || cancelledWithoutRecord ? difference : undefined;
}

function expectedRow(order: OrderPaid, tombstone: Tombstone | undefined, row: OrderRow | undefined): OrderRow {
  const status = expectedStatus(tombstone?.status, row?.status);
  return {
    order_id: order.orderId,
    payment_id: order.paymentId,
    sale_id: order.saleId,
    festival_id: order.festivalId,
    account_id: order.accountId,
    confirm_seq: order.confirmSeq,
    quantity: order.ticketNumbers.length,
    amount: order.amount,
    currency: order.currency,
    status,
    paid_at_ms: order.at,
    // When it was given back is MySQL's to say where it knows: the server's time of the request is in no log.
    cancelled_at_ms: status === 'paid' ? null : (row?.cancelled_at_ms ?? tombstone?.cancelledAtMs ?? order.at),
  };
}

/** A cancellation is in MySQL before it is in a log, so MySQL may be further than the tombstone, never behind it. */
function expectedStatus(tombstone: CancelStatus | undefined, status: string | undefined): string {
  if (tombstone === 'cancelled' || status === 'cancelled') return 'cancelled';
  return tombstone ?? (status === 'cancelling' ? 'cancelling' : 'paid');
}

function differingColumns(row: OrderRow, expected: OrderRow): readonly string[] {
  const columns = Object.keys(expected) as (keyof OrderRow)[];
  return columns.filter((column) => row[column] !== expected[column]);
}
