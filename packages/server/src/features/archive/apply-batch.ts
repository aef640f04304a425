/**
 * A batch of log records as rows, in one transaction with the log's position: either all of it happened or none.
 *
 * Applying commutes and may be repeated, so any replay of any logs in any order ends in the same rows: an order is paid, or
 * paid and given back for ever (tombstones), a payment is open, or closed for ever. Statements are per batch, not per order.
 */
import type { StoredRecord } from '../../order-log/records.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { changeRows, inTransaction, type MysqlSession } from '../../platform/mysql-statements.ts';
import { insertFailed } from './failed-rows.ts';
import { type AppliedLog, assertPosition, movePosition } from './log-positions.ts';
import { insertOrders, recordCancellations } from './order-rows.ts';
import { type ApplyContext, applyPayments, closePaymentOf } from './payment-rows.ts';
import { isRowError } from './row-errors.ts';
import { applySaleChanges } from './sale-rows.ts';

export {
  type AppliedLog,
  PositionSetBackError,
  readPosition,
  registerLog,
  retireApplied,
  retireLog,
} from './log-positions.ts';
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

/**
 * Puts a record that MySQL refuses aside, visibly, so that the rest can go on. Must not be refused itself: the log would not
 * get beyond the record. So what is written here takes any record, and its payment is closed only if MySQL lets it.
 */
export async function setAside(
  pool: MysqlPool,
  log: AppliedLog,
  stored: StoredRecord,
  error: unknown,
  nowMs: number,
  context: ApplyContext = {},
): Promise<void> {
  const { lsn, record } = stored;
  await inTransaction(pool, async (connection) => {
    if (context.gapless === true) await assertPosition(connection, log.logId, lsn - 1);
    await movePosition(connection, log, context.behindDamage === true ? 0 : lsn, nowMs);
    const refusal = await refusalOf(closePaymentOf(connection, log.logId, record));
    const reason =
      refusal === undefined ? String(error) : `${error}; its payment could not be closed either: ${refusal}`;
    await insertFailed(connection, log.logId, stored, reason, nowMs);
  });
}

/** A statement that is refused because of its row has changed nothing, and the transaction goes on. */
async function refusalOf(work: Promise<void>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (!isRowError(error)) throw error;
    return error;
  }
}
