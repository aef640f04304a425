/** Puts rows right that differ from what the log says. What was checked in stays checked in. */
import type { MysqlPool } from '../../platform/mysql.ts';
import { changeRows, inTransaction, type MysqlSession } from '../../platform/mysql-statements.ts';
import { isRowError } from './apply-or-set-aside.ts';
import type { OrderDifference, TicketRow } from './compare-orders.ts';
import type { PaymentDifference } from './compare-payments.ts';
import { type OpenRecord, reopenPayments } from './payment-rows.ts';

export interface OrderRepair {
  readonly repaired: readonly OrderDifference[];
  /** Somebody else has what they should have; perhaps only until that one is repaired too. */
  readonly refused: readonly { readonly difference: OrderDifference; readonly error: unknown }[];
}

/** Repairs all together, so that two orders may exchange what they have; when that is refused, one by one. */
export async function repairOrders(pool: MysqlPool, differences: readonly OrderDifference[]): Promise<OrderRepair> {
  if (differences.length === 0) return { repaired: [], refused: [] };
  try {
    await inTransaction(pool, (connection) => repairTogether(connection, differences));
    return { repaired: differences, refused: [] };
  } catch (error) {
    if (!isRowError(error)) throw error;
    if (differences.length === 1) {
      return { repaired: [], refused: differences.map((difference) => ({ difference, error })) };
    }
  }
  const each: OrderRepair[] = [];
  for (const difference of differences) each.push(await repairOrders(pool, [difference]));
  return { repaired: each.flatMap(({ repaired }) => repaired), refused: each.flatMap(({ refused }) => refused) };
}

/** Payments that the log leaves open and whose rows say otherwise. Only for a log that nobody has open. */
export async function repairPayments(pool: MysqlPool, logId: string, records: readonly OpenRecord[]): Promise<void> {
  if (records.length > 0) await inTransaction(pool, (connection) => reopenPayments(connection, logId, records));
}

/**
 * Sale, account and money of payments whose rows say otherwise. How a payment stands is applied with its records; these are
 * written when its row is made and never again. They never change, so this is safe beside the server that has the log open.
 */
export async function repairPaymentFacts(pool: MysqlPool, differences: readonly PaymentDifference[]): Promise<void> {
  const wrong = differences.flatMap(({ paymentId, facts }) => (facts === undefined ? [] : [{ paymentId, ...facts }]));
  if (wrong.length === 0) return;
  await inTransaction(pool, async (connection) => {
    for (const { paymentId, saleId, accountId, amount, currency } of wrong) {
      await changeRows(
        connection,
        'UPDATE payments SET sale_id = ?, account_id = ?, amount = ?, currency = ? WHERE payment_id = ?',
        [saleId, accountId, amount, currency, paymentId],
      );
    }
  });
}

async function repairTogether(connection: MysqlSession, differences: readonly OrderDifference[]): Promise<void> {
  // First everybody lets go of the unique keys they hold wrongly, then everybody takes their own.
  const orders = differences.filter(({ columns }) => columns.length > 0);
  for (const [index, { expected }] of orders.entries()) {
    await changeRows(
      connection,
      'UPDATE orders SET payment_id = order_id, confirm_seq = 18446744073709551615 - ? WHERE order_id = ?',
      [index, expected.order_id],
    );
  }
  for (const { expected } of orders) await writeOrder(connection, expected);
  // Before its tickets, which refer to it.
  for (const { missing, expected } of differences) if (missing) await insertOrder(connection, expected);
  const tickets = differences.filter(
    ({ missingTickets, wrongTickets }) => missingTickets.length + wrongTickets.length > 0,
  );
  if (tickets.length === 0) return;
  const orderIds = tickets.map(({ order }) => order.orderId);
  await changeRows(connection, 'UPDATE tickets SET live = NULL WHERE order_id IN (?)', [orderIds]);
  for (const difference of tickets) await writeTickets(connection, difference);
  const paid = tickets.filter(({ expected }) => expected.status === 'paid').map(({ order }) => order.orderId);
  if (paid.length > 0) await changeRows(connection, 'UPDATE tickets SET live = 1 WHERE order_id IN (?)', [paid]);
}

async function writeOrder(connection: MysqlSession, expected: OrderDifference['expected']): Promise<void> {
  const { order_id: orderId, ...columns } = expected;
  const assignments = Object.keys(columns).map((column) => `${column} = ?`);
  await changeRows(connection, `UPDATE orders SET ${assignments.join(', ')} WHERE order_id = ?`, [
    ...Object.values(columns),
    orderId,
  ]);
}

async function insertOrder(connection: MysqlSession, expected: OrderDifference['expected']): Promise<void> {
  await changeRows(connection, `INSERT INTO orders (${Object.keys(expected).join(', ')}) VALUES (?)`, [
    Object.values(expected),
  ]);
}

/** A row with a number that is not the order's takes the place of one that is missing: perhaps somebody went in with it. */
async function writeTickets(connection: MysqlSession, difference: OrderDifference): Promise<void> {
  const { order, wrongTickets } = difference;
  const missing = [...difference.missingTickets];
  for (const ticket of wrongTickets) {
    const number = order.ticketNumbers.includes(ticket.ticket_number) ? ticket.ticket_number : missing.shift();
    if (number === undefined) await deleteTicket(connection, ticket);
    else {
      await changeRows(
        connection,
        'UPDATE tickets SET ticket_number = ?, sale_id = ?, account_id = ? WHERE order_id = ? AND ticket_number = ?',
        [number, order.saleId, order.accountId, ticket.order_id, ticket.ticket_number],
      );
    }
  }
  if (missing.length === 0) return;
  await changeRows(connection, 'INSERT INTO tickets (sale_id, ticket_number, order_id, account_id, live) VALUES ?', [
    missing.map((number) => [order.saleId, number, order.orderId, order.accountId, null]),
  ]);
}

async function deleteTicket(connection: MysqlSession, ticket: TicketRow): Promise<void> {
  await changeRows(connection, 'DELETE FROM tickets WHERE order_id = ? AND ticket_number = ?', [
    ticket.order_id,
    ticket.ticket_number,
  ]);
}
