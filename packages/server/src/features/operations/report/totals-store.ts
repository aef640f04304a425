/** What was sold, as MySQL has it. */
import { type MysqlSession, selectRows } from '../../../platform/mysql-statements.ts';

export interface OrderTotals {
  readonly paid: number;
  readonly cancelling: number;
  readonly cancelled: number;
  /** Minor units, of all. */
  readonly gross: number;
  readonly givenBack: number;
  readonly ticketsSold: number;
  readonly ticketsGivenBack: number;
  readonly buyers: number;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
}

interface StatusRow {
  readonly status: string;
  readonly number: number;
  /** Sums are decimals, which come as text. */
  readonly amount: string;
  readonly tickets: string;
  readonly first_at_ms: number;
  readonly last_at_ms: number;
}

export async function readOrderTotals(mysql: MysqlSession, saleId: number): Promise<OrderTotals> {
  const rows = await selectRows<StatusRow>(
    mysql,
    `SELECT status, COUNT(*) AS number, SUM(amount) AS amount, SUM(quantity) AS tickets,
       MIN(paid_at_ms) AS first_at_ms, MAX(paid_at_ms) AS last_at_ms
       FROM orders WHERE sale_id = ? GROUP BY status`,
    [saleId],
  );
  const [buyers] = await selectRows<{ number: number }>(
    mysql,
    'SELECT COUNT(DISTINCT account_id) AS number FROM orders WHERE sale_id = ?',
    [saleId],
  );
  const of = (status: string): number => rows.find((row) => row.status === status)?.number ?? 0;
  const sum = (which: readonly StatusRow[], column: 'amount' | 'tickets'): number =>
    which.reduce((total, row) => total + Number(row[column]), 0);
  const paid = rows.filter(({ status }) => status === 'paid');
  const back = rows.filter(({ status }) => status !== 'paid');
  return {
    paid: of('paid'),
    cancelling: of('cancelling'),
    cancelled: of('cancelled'),
    gross: sum(rows, 'amount'),
    givenBack: sum(back, 'amount'),
    ticketsSold: sum(paid, 'tickets'),
    ticketsGivenBack: sum(back, 'tickets'),
    buyers: buyers?.number ?? 0,
    firstAtMs: rows.length === 0 ? null : Math.min(...rows.map((row) => row.first_at_ms)),
    lastAtMs: rows.length === 0 ? null : Math.max(...rows.map((row) => row.last_at_ms)),
  };
}

export interface TicketHolders {
  readonly withTickets: number;
  readonly atLimit: number;
  readonly mostTickets: number;
  readonly checkedIn: number;
}

/** Accounts by how many tickets they have that count. */
export async function readTicketHolders(
  mysql: MysqlSession,
  saleId: number,
  limitPerBuyer: number,
): Promise<TicketHolders> {
  const rows = await selectRows<{ tickets: number; accounts: number; checked_in: string }>(
    mysql,
    `SELECT tickets, COUNT(*) AS accounts, SUM(checked_in) AS checked_in FROM (
       SELECT account_id, COUNT(*) AS tickets, COUNT(checked_in_at_ms) AS checked_in
         FROM tickets WHERE sale_id = ? AND live = 1 GROUP BY account_id) holders
      GROUP BY tickets`,
    [saleId],
  );
  const accounts = (fits: (tickets: number) => boolean): number =>
    rows.reduce((sum, row) => sum + (fits(row.tickets) ? row.accounts : 0), 0);
  return {
    withTickets: accounts(() => true),
    atLimit: accounts((tickets) => tickets >= limitPerBuyer),
    mostTickets: Math.max(0, ...rows.map(({ tickets }) => tickets)),
    checkedIn: rows.reduce((sum, row) => sum + Number(row.checked_in), 0),
  };
}

export interface PaymentOutcome {
  readonly outcome: string;
  readonly failureCode: string | null;
  readonly count: number;
}

/** Payments without an order: those with one have no row of their own any more. */
export async function readPaymentOutcomes(mysql: MysqlSession, saleId: number): Promise<readonly PaymentOutcome[]> {
  const rows = await selectRows<{ status: string; failure_code: string | null; number: number }>(
    mysql,
    `SELECT status, failure_code, COUNT(*) AS number FROM payments
      WHERE sale_id = ? AND status <> 'succeeded' GROUP BY status, failure_code ORDER BY status, number DESC LIMIT 100`,
    [saleId],
  );
  return rows.map(({ status, failure_code, number }) => ({
    outcome: status,
    failureCode: failure_code,
    count: number,
  }));
}
