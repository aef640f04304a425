/**
 * The orders there are: those of the order logs and those of MySQL together, read by the harness itself and not by the
 * product's audit, so that the two judge from two readings.
 */
import { openOrderLogReader } from '@fest/server/order-log/reader';
import type { OrderLogRecord, OrderPaid } from '@fest/server/order-log/records';
import mysql from 'mysql2/promise';

export interface OrderFacts {
  readonly orderId: string;
  readonly paymentId: string;
  readonly accountId: number;
  readonly ticketNumbers: readonly number[];
  /** Minor units. */
  readonly amount: number;
  /** Its tickets are void: it is cancelled, or being cancelled. */
  readonly cancelled: boolean;
}

export interface OrdersRead {
  readonly orders: ReadonlyMap<string, OrderFacts>;
  /** One sentence for each order that two sources tell differently. */
  readonly contradictions: readonly string[];
}

const BATCH_RECORDS = 2_000;
/** MySQL's rows of one statement. */
const PAGE_ORDERS = 5_000;

/** Follows the logs of a season: each reading goes on where the last one ended. */
export class OrderBooks {
  readonly #logDirs: readonly string[];
  readonly #mysqlUrl: string;
  readonly #positions = new Map<string, number>();
  readonly #logged = new Map<number, Map<string, OrderFacts>>();
  readonly #cancelled = new Set<string>();
  readonly #contradictions = new Map<number, string[]>();

  constructor(logDirs: readonly string[], mysqlUrl: string) {
    this.#logDirs = logDirs;
    this.#mysqlUrl = mysqlUrl;
  }

  /** Reads what the logs have got since. @throws {OrderLogCorruptError} when durable records cannot be read */
  async readLogs(): Promise<void> {
    for (const directory of this.#logDirs) {
      const reader = await openOrderLogReader(directory, this.#positions.get(directory) ?? 0);
      try {
        for (;;) {
          const batch = await reader.readBatch(Number.MAX_SAFE_INTEGER, BATCH_RECORDS);
          if (batch.length === 0) break;
          for (const { record } of batch) this.#take(record);
        }
        this.#positions.set(directory, reader.lsn);
      } finally {
        await reader.close();
      }
    }
  }

  /** All orders of a sale, by id. */
  async ofSale(saleId: number): Promise<OrdersRead> {
    const orders = new Map<string, OrderFacts>();
    const contradictions = [...(this.#contradictions.get(saleId) ?? [])];
    for (const [orderId, order] of this.#logged.get(saleId) ?? [])
      orders.set(orderId, { ...order, cancelled: this.#cancelled.has(orderId) });
    for (const archived of await this.#archived(saleId)) {
      const logged = orders.get(archived.orderId);
      const difference = logged === undefined ? undefined : differenceOf(logged, archived);
      if (difference !== undefined)
        contradictions.push(`Order ${archived.orderId}: log and MySQL differ in ${difference}.`);
      const cancelled = archived.cancelled || logged?.cancelled === true;
      orders.set(archived.orderId, { ...(logged ?? archived), cancelled });
    }
    return { orders, contradictions };
  }

  #take(record: OrderLogRecord): void {
    if (record.type === 'orderCancelled') this.#cancelled.add(record.orderId);
    if (record.type === 'orderPaid') this.#takeOrder(record);
  }

  #takeOrder({ saleId, orderId, paymentId, accountId, ticketNumbers, amount }: OrderPaid): void {
    const order: OrderFacts = { orderId, paymentId, accountId, ticketNumbers, amount, cancelled: false };
    const ofSale = this.#logged.get(saleId) ?? new Map<string, OrderFacts>();
    this.#logged.set(saleId, ofSale);
    const known = ofSale.get(orderId);
    const difference = known === undefined ? undefined : differenceOf(known, order);
    if (difference === undefined) ofSale.set(orderId, order);
    else {
      const sentences = this.#contradictions.get(saleId) ?? [];
      this.#contradictions.set(saleId, sentences);
      sentences.push(`Order ${orderId} is in the logs twice and differs in ${difference}.`);
    }
  }

  async #archived(saleId: number): Promise<readonly OrderFacts[]> {
    const connection = await mysql.createConnection({ uri: this.#mysqlUrl });
    try {
      const archived: OrderFacts[] = [];
      for (let after = ''; ; ) {
        const [rows] = await connection.query<mysql.RowDataPacket[]>(
          `SELECT o.order_id, o.payment_id, o.account_id, o.amount, o.status,
                  (SELECT GROUP_CONCAT(t.ticket_number) FROM tickets t WHERE t.order_id = o.order_id) AS numbers
             FROM orders o WHERE o.sale_id = ? AND o.order_id > ? ORDER BY o.order_id LIMIT ${PAGE_ORDERS}`,
          [saleId, after],
        );
        const last = rows.at(-1);
        if (last === undefined) return archived;
        after = String(last.order_id);
        archived.push(...rows.map(toFacts));
      }
    } finally {
      await connection.end();
    }
  }
}

function toFacts(row: mysql.RowDataPacket): OrderFacts {
  return {
    orderId: String(row.order_id),
    paymentId: String(row.payment_id),
    accountId: Number(row.account_id),
    ticketNumbers: String(row.numbers ?? '')
      .split(',')
      .filter(Boolean)
      .map(Number),
    amount: Number(row.amount),
    cancelled: row.status !== 'paid',
  };
}

/** What one order is told with in two ways; undefined: nothing. Whether it is cancelled may be known later in one place. */
function differenceOf(left: OrderFacts, right: OrderFacts): string | undefined {
  if (left.paymentId !== right.paymentId) return `payment (${left.paymentId}, ${right.paymentId})`;
  if (left.accountId !== right.accountId) return `account (${left.accountId}, ${right.accountId})`;
  if (left.amount !== right.amount) return `amount (${left.amount}, ${right.amount})`;
  const [first, second] = [ticketText(left.ticketNumbers), ticketText(right.ticketNumbers)];
  return first === second ? undefined : `tickets (${first}; ${second})`;
}

/** For comparing: in which order the numbers were taken does not matter. */
export function ticketText(ticketNumbers: readonly number[]): string {
  return [...ticketNumbers].sort((left, right) => left - right).join(' ');
}
