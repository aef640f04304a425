/** Orders as the applier leaves them in MySQL, without anybody who buys. */
import { newId } from '@fest/server/platform/ids';
import { changeRows } from '@fest/server/platform/mysql-statements';
import { saleKeys } from '@fest/server/redis/keys';
import type { TestApp } from './test-app.ts';

export interface ArchivedOrderInput {
  readonly saleId: number;
  readonly festivalId: number;
  readonly accountId: number;
  /** Of the order within its sale. */
  readonly number: number;
  readonly ticketNumbers: readonly number[];
}

export interface ArchivedOrder {
  readonly orderId: string;
  /** Of its tickets, as their buyer gets them. */
  readonly codes: readonly string[];
}

export async function archiveOrder(fest: TestApp, order: ArchivedOrderInput): Promise<ArchivedOrder> {
  const { saleId, festivalId, accountId, number, ticketNumbers } = order;
  const { mysql } = fest.services;
  const orderId = newId('order', saleId, Date.now());
  await changeRows(
    mysql,
    `INSERT INTO orders (order_id, payment_id, sale_id, festival_id, account_id, confirm_seq, quantity, amount, currency,
       status, paid_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, 5000, 'EUR', 'paid', 1)`,
    [orderId, orderId.replace('ord', 'pay'), saleId, festivalId, accountId, number, ticketNumbers.length],
  );
  for (const ticketNumber of ticketNumbers) {
    await changeRows(
      mysql,
      'INSERT INTO tickets (sale_id, ticket_number, order_id, account_id, live) VALUES (?, ?, ?, ?, 1)',
      [saleId, ticketNumber, orderId, accountId],
    );
  }
  const codes = ticketNumbers.map((ticketNumber) => fest.core.ticketCodes.sign({ saleId, ticketNumber, orderId }));
  return { orderId, codes };
}

/** As if so many orders had been confirmed. */
export async function setLastOrderNumber(fest: TestApp, saleId: number, number: number): Promise<void> {
  await fest.services.redis.hset(saleKeys.sale(saleId), 'confirmSeq', number);
}
