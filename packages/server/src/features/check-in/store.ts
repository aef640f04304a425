/** Tickets at the gate and the list of attendees, in MySQL. */
import { changeRows, type MysqlSession, selectRows } from '../../platform/mysql-statements.ts';
import type { TicketCodePayload } from '../orders/ticket-code.ts';
import type { TicketRecord } from './check-in.ts';

interface TicketRow {
  readonly live: number | null;
  readonly checked_in_at_ms: number | null;
}

interface AttendeeRow {
  readonly sale_id: number;
  readonly ticket_number: number;
  readonly order_id: string;
  readonly name: string;
  readonly email: string | null;
  readonly checked_in_at_ms: number | null;
}

/** True for exactly one of any number of attempts with the same ticket: the row's own condition decides. */
export async function marksCheckedIn(
  mysql: MysqlSession,
  { saleId, ticketNumber, orderId }: TicketCodePayload,
  { staffId, nowMs }: { readonly staffId: number; readonly nowMs: number },
): Promise<boolean> {
  const { affectedRows } = await changeRows(
    mysql,
    `UPDATE tickets SET checked_in_at_ms = ?, checked_in_by = ?
      WHERE order_id = ? AND ticket_number = ? AND sale_id = ? AND live = 1 AND checked_in_at_ms IS NULL`,
    [nowMs, staffId, orderId, ticketNumber, saleId],
  );
  return affectedRows === 1;
}

export async function findTicket(
  mysql: MysqlSession,
  { saleId, ticketNumber, orderId }: TicketCodePayload,
): Promise<TicketRecord | undefined> {
  const [row] = await selectRows<TicketRow>(
    mysql,
    'SELECT live, checked_in_at_ms FROM tickets WHERE order_id = ? AND ticket_number = ? AND sale_id = ?',
    [orderId, ticketNumber, saleId],
  );
  return row && { live: row.live === 1, checkedInAtMs: row.checked_in_at_ms ?? undefined };
}

/** Name of the account a ticket was sold to. */
export async function findHolderName(mysql: MysqlSession, orderId: string): Promise<string> {
  const [row] = await selectRows<{ readonly name: string }>(
    mysql,
    'SELECT a.name FROM orders o JOIN accounts a ON a.id = o.account_id WHERE o.order_id = ?',
    [orderId],
  );
  return row?.name ?? '';
}

export interface AttendeeRecord {
  readonly saleId: number;
  readonly ticketNumber: number;
  readonly orderId: string;
  readonly name: string;
  /** Absent for a deleted account. */
  readonly email: string | undefined;
  readonly checkedInAtMs: number | undefined;
}

export interface AttendeePlace {
  readonly saleId: number;
  readonly ticketNumber: number;
}

export interface AttendeeQuery {
  /** The festival's sales. */
  readonly saleIds: readonly number[];
  readonly after: AttendeePlace | undefined;
  readonly limit: number;
}

/** Live tickets by sale and number. */
export async function listAttendees(
  mysql: MysqlSession,
  { saleIds, after, limit }: AttendeeQuery,
): Promise<readonly AttendeeRecord[]> {
  // Whole sales from the cursor on, and the rest of the cursor's own: both are ranges of the unique key.
  const wholeSales = saleIds.filter((saleId) => after === undefined || saleId > after.saleId);
  const ranges: string[] = [];
  const values: Array<number | readonly number[]> = [];
  if (wholeSales.length > 0) {
    ranges.push('t.sale_id IN (?)');
    values.push(wholeSales);
  }
  if (after !== undefined && saleIds.includes(after.saleId)) {
    ranges.push('(t.sale_id = ? AND t.ticket_number > ?)');
    values.push(after.saleId, after.ticketNumber);
  }
  if (ranges.length === 0) return [];
  const rows = await selectRows<AttendeeRow>(
    mysql,
    `SELECT t.sale_id, t.ticket_number, t.order_id, a.name, a.email, t.checked_in_at_ms
       FROM tickets t JOIN accounts a ON a.id = t.account_id
      WHERE (${ranges.join(' OR ')}) AND t.live = 1
      ORDER BY t.sale_id, t.ticket_number LIMIT ?`,
    [...values, limit],
  );
  return rows.map((row) => ({
    saleId: row.sale_id,
    ticketNumber: row.ticket_number,
    orderId: row.order_id,
    name: row.name,
    email: row.email ?? undefined,
    checkedInAtMs: row.checked_in_at_ms ?? undefined,
  }));
}
