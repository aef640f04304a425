/** What operators did, as it is archived. */
import type { MysqlPool } from '../../platform/mysql.ts';
import { selectRows } from '../../platform/mysql-statements.ts';
import type { OperatorAction } from '../archive/operator-actions.ts';
import type { RecordedAction } from './fresh-actions.ts';
import type { ActionPlace } from './history.ts';

interface ActionRow {
  readonly log_id: string;
  readonly lsn: number;
  readonly operator_id: number | null;
  readonly action: string;
  readonly detail: string;
  readonly at_ms: number;
}

/** Newest first, at most `limit`. The index by sale and time has the log's id and the LSN behind them, as InnoDB's do. */
export async function listActions(
  pool: MysqlPool,
  saleId: number,
  limit: number,
  after: ActionPlace | undefined,
): Promise<readonly RecordedAction[]> {
  const older = 'AND (at_ms < ? OR (at_ms = ? AND (log_id < ? OR (log_id = ? AND lsn < ?))))';
  const rows = await selectRows<ActionRow>(
    pool,
    `SELECT log_id, lsn, operator_id, action, detail, at_ms FROM operator_actions
      WHERE sale_id = ? ${after === undefined ? '' : older}
      ORDER BY at_ms DESC, log_id DESC, lsn DESC LIMIT ?`,
    [saleId, ...(after === undefined ? [] : [after.atMs, after.atMs, after.logId, after.logId, after.lsn]), limit],
  );
  return rows.map((row) => ({
    saleId,
    logId: row.log_id,
    lsn: row.lsn,
    operatorId: row.operator_id ?? undefined,
    action: row.action as OperatorAction['action'],
    detail: JSON.parse(row.detail) as OperatorAction['detail'],
    atMs: row.at_ms,
  }));
}

/** Account → name. */
export async function readNames(pool: MysqlPool, accountIds: readonly number[]): Promise<ReadonlyMap<number, string>> {
  if (accountIds.length === 0) return new Map();
  const rows = await selectRows<{ id: number; name: string }>(pool, 'SELECT id, name FROM accounts WHERE id IN (?)', [
    accountIds,
  ]);
  return new Map(rows.map(({ id, name }) => [id, name]));
}
