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
  readonly account_id: number;
  readonly checked_in_at_ms: number | null;
}

interface HolderRow {
  readonly id: number;
  readonly name: string;
  readonly email: string | null;
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

/**
 * Live tickets by sale and number. Holders are asked for by themselves: with few accounts a join begins with these, and sorts all
 * tickets of the festival for each page.
 */
export async function listAttendees(
  mysql: MysqlSession,
  { saleIds, after, limit }: AttendeeQuery,
): Promise<readonly AttendeeRecord[]> {
  // Whole sales from the cursor on, and the rest of the cursor's own: both are ranges of the unique key.
  const wholeSales = saleIds.filter((saleId) => after === undefined || saleId > after.saleId);
  const ranges: string[] = [];
  const values: Array<number | readonly number[]> = [];
  if (wholeSales.length > 0) {
    ranges.push('sale_id IN (?)');
    values.push(wholeSales);
  }
  if (after !== undefined && saleIds.includes(after.saleId)) {
    ranges.push('(sale_id = ? AND ticket_number > ?)');
    values.push(after.saleId, after.ticketNumber);
  }
  if (ranges.length === 0) return [];
  const rows = await selectRows<AttendeeRow>(
    mysql,
    `SELECT sale_id, ticket_number, order_id, account_id, checked_in_at_ms
       FROM tickets WHERE (${ranges.join(' OR ')}) AND live = 1
      ORDER BY sale_id, ticket_number LIMIT ?`,
    [...values, limit],
  );
  if (rows.length === 0) return [];
  const holders = await selectRows<HolderRow>(mysql, 'SELECT id, name, email FROM accounts WHERE id IN (?)', [
    [...new Set(rows.map((row) => row.account_id))],
  ]);
  const byId = new Map(holders.map((holder) => [holder.id, holder]));
  return rows.map((row) => ({
    saleId: row.sale_id,
    ticketNumber: row.ticket_number,
    orderId: row.order_id,
    name: byId.get(row.account_id)?.name ?? '',
    email: byId.get(row.account_id)?.email ?? undefined,
    checkedInAtMs: row.checked_in_at_ms ?? undefined,
  }));
}
