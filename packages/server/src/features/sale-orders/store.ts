/** All orders of a sale: in MySQL; and in Redis, how many there are. */
import type { Redis } from 'ioredis';
import type { OrderStatus } from '../../contract/words.ts';
import { type MysqlSession, selectRows } from '../../platform/mysql-statements.ts';
import { saleKeys } from '../../redis/keys.ts';
import type { ArchivedOrder } from './sale-orders.ts';

interface OrderRow {
  readonly confirm_seq: number;
  readonly order_id: string;
  readonly payment_id: string;
  readonly sale_id: number;
  readonly festival_id: number;
  readonly account_id: number;
  readonly amount: number;
  readonly currency: string;
  readonly status: OrderStatus;
  readonly paid_at_ms: number;
  readonly cancelled_at_ms: number | null;
}

interface BuyerRow {
  readonly id: number;
  readonly name: string;
  readonly email: string | null;
}

/**
 * By number, at most `limit`, those after `after`: a range of the unique key. Buyers are asked for by themselves: with few accounts
 * a join begins with these, and sorts all orders of the sale for each page.
 */
export async function listSaleOrders(
  mysql: MysqlSession,
  saleId: number,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly ArchivedOrder[]> {
  const rows = await selectRows<OrderRow>(
    mysql,
    `SELECT confirm_seq, order_id, payment_id, sale_id, festival_id, account_id, amount, currency, status, paid_at_ms,
       cancelled_at_ms
       FROM orders WHERE sale_id = ? AND confirm_seq > ? ORDER BY confirm_seq LIMIT ?`,
    [saleId, after, limit],
  );
  if (rows.length === 0) return [];
  const [tickets, buyers] = await Promise.all([
    selectRows<{ readonly order_id: string; readonly ticket_number: number }>(
      mysql,
      'SELECT order_id, ticket_number FROM tickets WHERE order_id IN (?) ORDER BY ticket_number',
      [rows.map((row) => row.order_id)],
    ),
    selectRows<BuyerRow>(mysql, 'SELECT id, name, email FROM accounts WHERE id IN (?)', [
      [...new Set(rows.map((row) => row.account_id))],
    ]),
  ]);
  const byOrder = Map.groupBy(tickets, (ticket) => ticket.order_id);
  const byAccount = new Map(buyers.map((buyer) => [buyer.id, buyer]));
  return rows.map((row) => ({
    number: row.confirm_seq,
    orderId: row.order_id,
    paymentId: row.payment_id,
    saleId: row.sale_id,
    festivalId: row.festival_id,
    accountId: row.account_id,
    name: byAccount.get(row.account_id)?.name ?? '',
    email: byAccount.get(row.account_id)?.email ?? undefined,
    ticketNumbers: (byOrder.get(row.order_id) ?? []).map((ticket) => ticket.ticket_number),
    amount: row.amount,
    currency: row.currency,
    status: row.status,
    paidAtMs: row.paid_at_ms,
    cancelledAtMs: row.cancelled_at_ms ?? undefined,
  }));
}

/** Number of the order that was confirmed last; undefined when Redis has nothing of the sale, or does not answer. */
export async function findLastOrderNumber(redis: Redis, saleId: number): Promise<number | undefined> {
  const text = await redis.hget(saleKeys.sale(saleId), 'confirmSeq').catch(() => null);
  return text === null ? undefined : Number(text);
}
