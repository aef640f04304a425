/** Records that MySQL refused: listed, and applied once more when their cause is gone. */
import type { MysqlPool } from '../../platform/mysql.ts';
import { changeRows, inTransaction, selectRows } from '../../platform/mysql-statements.ts';
import { applyRecords } from './apply-batch.ts';
import { type FailedFilter, type FailedRecord, selectFailed } from './failed-rows.ts';
import { isRowError } from './row-errors.ts';

export type { FailedFilter, FailedRecord } from './failed-rows.ts';

export async function countFailed(pool: MysqlPool, logId: string): Promise<number> {
  const sql = 'SELECT COUNT(*) AS n FROM failed_records WHERE log_id = ?';
  const [row] = await selectRows<{ n: number }>(pool, sql, [logId]);
  return row?.n ?? 0;
}

/** By log and LSN, which is the order in which they were written. */
export function listFailed(pool: MysqlPool, filter: FailedFilter = {}): Promise<readonly FailedRecord[]> {
  return selectFailed(pool, filter);
}

export interface RetryReport {
  readonly applied: readonly FailedRecord[];
  /** With the error of this time. */
  readonly refused: readonly FailedRecord[];
}

/**
 * Applies records that were put aside once more, each in a transaction of its own that also takes it off the list.
 * @throws what is not MySQL's refusal of the record: a lost connection, for instance. What was applied stays applied
 */
export async function retryFailed(pool: MysqlPool, filter: FailedFilter, nowMs: number): Promise<RetryReport> {
  const applied: FailedRecord[] = [];
  const refused: FailedRecord[] = [];
  for (const failed of await listFailed(pool, filter)) {
    try {
      if (await applyAgain(pool, failed)) applied.push(failed);
    } catch (error) {
      if (!isRowError(error)) throw error;
      refused.push({ ...failed, error: String(error), failedAtMs: nowMs });
      await changeRows(pool, 'UPDATE failed_records SET error = ?, failed_at_ms = ? WHERE log_id = ? AND lsn = ?', [
        String(error),
        nowMs,
        failed.logId,
        failed.lsn,
      ]);
    }
  }
  return { applied, refused };
}

/** False when somebody else was faster. */
async function applyAgain(pool: MysqlPool, { logId, lsn, record }: FailedRecord): Promise<boolean> {
  return inTransaction(pool, async (connection) => {
    // Locks the log's row, as the applier does, so that the two follow one another.
    await selectRows(connection, 'SELECT lsn FROM applier_positions WHERE log_id = ? FOR UPDATE', [logId]);
    const deleted = await changeRows(connection, 'DELETE FROM failed_records WHERE log_id = ? AND lsn = ?', [
      logId,
      lsn,
    ]);
    if (deleted.affectedRows === 0) return false;
    await applyRecords(connection, logId, [{ lsn, record }]);
    return true;
  });
}
