/** What MySQL has: the archive the applier writes. */
import type { MysqlPool } from '../platform/mysql.ts';
import { selectRows } from '../platform/mysql-statements.ts';
import type { ArchiveEvidence, OrderFacts } from './evidence.ts';
import type { LogHead } from './log-evidence.ts';

/** Orders of one page; with 20 tickets each that is at most 40,000 rows in memory at once. */
const PAGE_ORDERS = 2_000;

export interface AuditedSale {
  readonly id: number;
  readonly capacity: number;
  readonly limitPerBuyer: number;
}

/** The sales to audit; without ids all of them. */
export async function listAuditedSales(pool: MysqlPool, saleIds?: readonly number[]): Promise<readonly AuditedSale[]> {
  if (saleIds?.length === 0) return [];
  const where = saleIds === undefined ? '' : 'WHERE id IN (?)';
  return selectRows<AuditedSale>(
    pool,
    `SELECT id, capacity, limit_per_buyer AS limitPerBuyer FROM sales ${where} ORDER BY id`,
    saleIds === undefined ? [] : [saleIds],
  );
}

interface OrderRow {
  readonly orderId: string;
  readonly paymentId: string;
  readonly accountId: number;
  readonly confirmSeq: number;
  readonly amount: number;
  readonly status: string;
}

interface TicketRow {
  readonly orderId: string;
  readonly ticketNumber: number;
  readonly live: number | null;
}

export async function readArchiveEvidence(
  pool: MysqlPool,
  saleId: number,
  heads: readonly LogHead[],
): Promise<ArchiveEvidence> {
  const orders = new Map<string, OrderFacts>();
  const contradictions: string[] = [];
  let after = -1;
  for (;;) {
    const rows = await selectRows<OrderRow>(
      pool,
      `SELECT order_id AS orderId, payment_id AS paymentId, account_id AS accountId, confirm_seq AS confirmSeq,
              amount, status
         FROM orders WHERE sale_id = ? AND confirm_seq > ? ORDER BY confirm_seq LIMIT ${PAGE_ORDERS}`,
      [saleId, after],
    );
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.confirmSeq;
    const tickets = await listTickets(pool, rows);
    for (const row of rows) {
      const own = tickets.get(row.orderId) ?? [];
      const cancelled = row.status !== 'paid';
      const wrong = own.filter(({ live }) => (live === 1) === cancelled);
      if (wrong.length > 0) {
        contradictions.push(
          `MySQL has order ${row.orderId} as ${row.status}, but not so ${wrong.length} of its tickets.`,
        );
      }
      const { orderId, paymentId, accountId, confirmSeq, amount } = row;
      const ticketNumbers = own.map(({ ticketNumber }) => ticketNumber);
      orders.set(orderId, { orderId, paymentId, accountId, confirmSeq, ticketNumbers, amount, cancelled });
    }
  }
  return { orders, failedRecords: await countFailedRecords(pool, heads), contradictions };
}

async function listTickets(pool: MysqlPool, orders: readonly OrderRow[]): Promise<Map<string, TicketRow[]>> {
  const rows = await selectRows<TicketRow>(
    pool,
    'SELECT order_id AS orderId, ticket_number AS ticketNumber, live FROM tickets WHERE order_id IN (?)',
    [orders.map(({ orderId }) => orderId)],
  );
  return Map.groupBy(rows, ({ orderId }) => orderId);
}

function logIdsOf(heads: readonly LogHead[]): string[] {
  return heads.flatMap(({ logId }) => (logId === undefined ? [] : [logId]));
}

async function countFailedRecords(pool: MysqlPool, heads: readonly LogHead[]): Promise<number> {
  const logIds = logIdsOf(heads);
  if (logIds.length === 0) return 0;
  const sql = 'SELECT COUNT(*) AS failed FROM failed_records WHERE log_id IN (?)';
  const [row] = await selectRows<{ failed: number }>(pool, sql, [logIds]);
  return row?.failed ?? 0;
}

/** True when MySQL has applied every log up to the end given. */
export async function isDrained(pool: MysqlPool, heads: readonly LogHead[]): Promise<boolean> {
  const logIds = logIdsOf(heads);
  if (logIds.length === 0) return true;
  const rows = await selectRows<{ logId: string; lsn: number }>(
    pool,
    'SELECT log_id AS logId, lsn FROM applier_positions WHERE log_id IN (?)',
    [logIds],
  );
  const applied = new Map(rows.map(({ logId, lsn }) => [logId, lsn]));
  return heads.every(({ logId, lastLsn }) => logId === undefined || (applied.get(logId) ?? 0) >= lastLsn);
}
