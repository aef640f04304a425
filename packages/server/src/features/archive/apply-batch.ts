/**
 * A batch of log records as rows, in one transaction with the log's position: either all of it happened or none. Applying
 * a batch again changes nothing. Statements are per batch, not per order.
 */
import type {
  AdmissionChanged,
  OrderCancelled,
  OrderLogRecord,
  OrderPaid,
  PhaseChanged,
  StoredRecord,
} from '../../order-log/records.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import {
  changeRows,
  inTransaction,
  type MysqlSession,
  type SqlValue,
  selectRows,
} from '../../platform/mysql-statements.ts';

export interface AppliedLog {
  /** 32 hexadecimal digits. */
  readonly logId: string;
  /** Name of the server that writes it, for people. */
  readonly server: string;
}

export async function readPosition(pool: MysqlPool, logId: string): Promise<number> {
  const [row] = await selectRows<{ lsn: number }>(pool, 'SELECT lsn FROM applier_positions WHERE log_id = ?', [logId]);
  return row?.lsn ?? 0;
}

/**
 * Applies records in one transaction and moves the position to the last one.
 * @throws what MySQL refused or could not do; nothing was changed then
 */
export async function applyBatch(
  pool: MysqlPool,
  log: AppliedLog,
  records: readonly StoredRecord[],
  nowMs: number,
): Promise<void> {
  const last = records.at(-1);
  if (last === undefined) return;
  await inTransaction(pool, async (connection) => {
    await applyRecords(connection, log.logId, records, nowMs);
    await movePosition(connection, log, last.lsn, nowMs);
  });
}

/** Puts a record that MySQL refuses aside, visibly, so that the rest can go on. */
export async function setAside(
  pool: MysqlPool,
  log: AppliedLog,
  stored: StoredRecord,
  error: unknown,
  nowMs: number,
): Promise<void> {
  await inTransaction(pool, async (connection) => {
    await changeRows(
      connection,
      'INSERT INTO failed_records (log_id, lsn, record, error, failed_at_ms) VALUES (?) ON DUPLICATE KEY UPDATE error = VALUES(error)',
      [[log.logId, stored.lsn, JSON.stringify(stored.record), String(error), nowMs]],
    );
    await movePosition(connection, log, stored.lsn, nowMs);
  });
}

async function movePosition(
  connection: MysqlSession,
  { logId, server }: AppliedLog,
  lsn: number,
  nowMs: number,
): Promise<void> {
  await changeRows(
    connection,
    `INSERT INTO applier_positions (log_id, server, lsn, updated_at_ms) VALUES (?)
     ON DUPLICATE KEY UPDATE lsn = GREATEST(lsn, VALUES(lsn)), server = VALUES(server), updated_at_ms = VALUES(updated_at_ms)`,
    [[logId, server, lsn, nowMs]],
  );
}

function ofType<Type extends OrderLogRecord['type']>(records: readonly StoredRecord[], type: Type) {
  type Match = Extract<OrderLogRecord, { type: Type }>;
  return records.flatMap(({ lsn, record }) => (record.type === type ? [{ lsn, record: record as Match }] : []));
}

async function applyRecords(
  connection: MysqlSession,
  logId: string,
  records: readonly StoredRecord[],
  nowMs: number,
): Promise<void> {
  await insertOrders(
    connection,
    ofType(records, 'orderPaid').map(({ record }) => record),
  );
  for (const { record } of ofType(records, 'orderCancelled')) await cancelOrder(connection, record);
  await upsertPayments(connection, records, nowMs);
  for (const { lsn, record } of ofType(records, 'phaseChanged')) await changePhase(connection, logId, lsn, record);
  for (const { lsn, record } of ofType(records, 'admissionChanged'))
    await changeAdmission(connection, logId, lsn, record);
  for (const { record } of ofType(records, 'epochStarted')) {
    await changeRows(connection, 'UPDATE sales SET epoch = GREATEST(epoch, ?) WHERE id = ?', [
      record.epoch,
      record.saleId,
    ]);
  }
}

/**
 * Orders that are there already are left alone; the others are inserted plainly, so that a second owner of a ticket number,
 * a payment or a confirmation number is an error here and not an update of somebody else's row.
 */
async function insertOrders(connection: MysqlSession, orders: readonly OrderPaid[]): Promise<void> {
  if (orders.length === 0) return;
  const rows = await selectRows<{ order_id: string }>(connection, 'SELECT order_id FROM orders WHERE order_id IN (?)', [
    orders.map(({ orderId }) => orderId),
  ]);
  const known = new Set(rows.map((row) => row.order_id));
  const missing = orders.filter(({ orderId }) => !known.has(orderId));
  if (missing.length === 0) return;
  await changeRows(
    connection,
    `INSERT INTO orders (order_id, payment_id, sale_id, festival_id, account_id, confirm_seq, quantity, amount, currency, status, paid_at_ms)
     VALUES ?`,
    [
      missing.map((order) => [
        order.orderId,
        order.paymentId,
        order.saleId,
        order.festivalId,
        order.accountId,
        order.confirmSeq,
        order.ticketNumbers.length,
        order.amount,
        order.currency,
        'paid',
        order.at,
      ]),
    ],
  );
  await changeRows(connection, 'INSERT INTO tickets (sale_id, ticket_number, order_id, account_id, live) VALUES ?', [
    missing.flatMap(({ saleId, orderId, accountId, ticketNumbers }) =>
      ticketNumbers.map((ticketNumber) => [saleId, ticketNumber, orderId, accountId, 1]),
    ),
  ]);
}

async function cancelOrder(connection: MysqlSession, { orderId, at }: OrderCancelled): Promise<void> {
  await changeRows(
    connection,
    "UPDATE orders SET status = 'cancelled', cancelled_at_ms = COALESCE(cancelled_at_ms, ?) WHERE order_id = ?",
    [at, orderId],
  );
  await changeRows(connection, 'UPDATE tickets SET live = NULL WHERE order_id = ?', [orderId]);
}

/** Payments without an order, for questions that come after Redis has forgotten them. */
async function upsertPayments(
  connection: MysqlSession,
  records: readonly StoredRecord[],
  nowMs: number,
): Promise<void> {
  const refunds = new Map(ofType(records, 'refundStarted').map(({ record }) => [record.paymentId, record]));
  const rows = [...refunds.values()]
    .filter(({ orderId }) => orderId === undefined)
    .map((refund) => [
      refund.paymentId,
      refund.saleId,
      refund.accountId,
      refund.amount,
      refund.currency,
      'refunded',
      refund.reason,
      nowMs,
    ]);
  if (rows.length === 0) return;
  await changeRows(
    connection,
    `INSERT INTO payments (payment_id, sale_id, account_id, amount, currency, status, failure_code, updated_at_ms) VALUES ?
     ON DUPLICATE KEY UPDATE status = VALUES(status), failure_code = VALUES(failure_code), updated_at_ms = VALUES(updated_at_ms)`,
    [rows],
  );
}

async function changePhase(connection: MysqlSession, logId: string, lsn: number, record: PhaseChanged): Promise<void> {
  const { saleId, to, phaseSeq, from, operatorId, at } = record;
  await changeRows(connection, 'UPDATE sales SET phase = ?, phase_seq = ? WHERE id = ? AND phase_seq < ?', [
    to,
    phaseSeq,
    saleId,
    phaseSeq,
  ]);
  await recordAction(connection, [logId, lsn, saleId, operatorId ?? null, 'phase', JSON.stringify({ from, to }), at]);
}

async function changeAdmission(
  connection: MysqlSession,
  logId: string,
  lsn: number,
  record: AdmissionChanged,
): Promise<void> {
  const { saleId, mode, perSecond, maxActive, admissionSeq, operatorId, at } = record;
  await changeRows(
    connection,
    'UPDATE sales SET admission_mode = ?, per_second = ?, max_active = ?, admission_seq = ? WHERE id = ? AND admission_seq < ?',
    [mode, perSecond, maxActive, admissionSeq, saleId, admissionSeq],
  );
  const detail = JSON.stringify({ mode, perSecond, maxActive });
  await recordAction(connection, [logId, lsn, saleId, operatorId, 'admission', detail, at]);
}

async function recordAction(connection: MysqlSession, row: readonly SqlValue[]): Promise<void> {
  await changeRows(
    connection,
    `INSERT INTO operator_actions (log_id, lsn, sale_id, operator_id, action, detail, at_ms) VALUES (?)
     ON DUPLICATE KEY UPDATE lsn = lsn`,
    [row],
  );
}
