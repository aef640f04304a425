/**
 * A batch of log records as rows, in one transaction with the log's position: either all of it happened or none.
 *
 * Applying commutes and may be repeated, so any replay of any logs in any order ends in the same rows: an order is paid, or
 * paid and given back for ever (tombstones), a payment is open, or closed for ever. Statements are per batch, not per order.
 */
import type { StoredRecord } from '../../order-log/records.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { changeRows, inTransaction, type MysqlSession } from '../../platform/mysql-statements.ts';
import { type AppliedLog, assertPosition, movePosition } from './log-positions.ts';
import { insertOrders, recordCancellations } from './order-rows.ts';
import { type ApplyContext, applyPayments, closePaymentOf } from './payment-rows.ts';
import { applySaleChanges } from './sale-rows.ts';

export { type AppliedLog, PositionSetBackError, readPosition, registerLog, retireLog } from './log-positions.ts';
export { readUnfinished } from './payment-rows.ts';

/**
 * Applies records of one log in one transaction and moves its position to the last of them, never back.
 * @param records in the order of their LSNs
 * @returns how many orders were not there before
 * @throws what MySQL refused or could not do, and {@link PositionSetBackError} with `gapless`; nothing was changed then
 */
export async function applyBatch(
  pool: MysqlPool,
  log: AppliedLog,
  records: readonly StoredRecord[],
  nowMs: number,
  context: ApplyContext = {},
): Promise<{ readonly newOrders: number }> {
  const [first] = records;
  const last = records.at(-1);
  if (first === undefined || last === undefined) return { newOrders: 0 };
  return inTransaction(pool, async (connection) => {
    // First, because it locks: two who apply the same log follow one another.
    if (context.gapless === true) await assertPosition(connection, log.logId, first.lsn - 1);
    await movePosition(connection, log, context.behindDamage === true ? 0 : last.lsn, nowMs);
    const newOrders = await applyRecords(connection, log.logId, records, context);
    if (context.again === true) {
      await changeRows(connection, 'DELETE FROM failed_records WHERE log_id = ? AND lsn BETWEEN ? AND ?', [
        log.logId,
        first.lsn,
        last.lsn,
      ]);
    }
    return { newOrders };
  });
}

/** Inside a transaction of the caller's, which says what happens to the position. Returns how many orders were new. */
export async function applyRecords(
  connection: MysqlSession,
  logId: string,
  records: readonly StoredRecord[],
  context: ApplyContext = {},
): Promise<number> {
  if (context.cancellationsDone !== true) await recordCancellations(connection, records);
  const orders = records.flatMap(({ record }) => (record.type === 'orderPaid' ? [record] : []));
  const newOrders = context.ordersDone === true ? 0 : await insertOrders(connection, orders);
  await applyPayments(connection, logId, records, context);
  await applySaleChanges(connection, logId, records);
  return newOrders;
}

/** Puts a record that MySQL refuses aside, visibly, so that the rest can go on. */
export async function setAside(
  pool: MysqlPool,
  log: AppliedLog,
  stored: StoredRecord,
  error: unknown,
  nowMs: number,
  context: ApplyContext = {},
): Promise<void> {
  await inTransaction(pool, async (connection) => {
    if (context.gapless === true) await assertPosition(connection, log.logId, stored.lsn - 1);
    await movePosition(connection, log, context.behindDamage === true ? 0 : stored.lsn, nowMs);
    await changeRows(
      connection,
      'INSERT INTO failed_records (log_id, lsn, record, error, failed_at_ms) VALUES (?) ON DUPLICATE KEY UPDATE error = VALUES(error)',
      [[log.logId, stored.lsn, JSON.stringify(stored.record), String(error), nowMs]],
    );
    await closePaymentOf(connection, log.logId, stored.record);
  });
}
