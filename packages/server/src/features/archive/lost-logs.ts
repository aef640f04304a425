/**
 * Giving up an order log of which nobody has a copy any more, so that rebuilds do not wait for it for ever. What its server
 * had acknowledged and MySQL does not have is lost with it.
 */
import { LIMITS } from '../../limits.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { changeRows, selectRows } from '../../platform/mysql-statements.ts';
import { type LogPosition, listPositions } from './log-positions.ts';

/** Of a server that said that it lives within this time it cannot be known that it is dead. Seconds. */
export const ALIVE_FOR_S = Math.ceil((3 * LIMITS.failedRecordsRefreshMs) / 1000);

export interface LostLog extends LogPosition {
  /** Sales whose rebuild waits for this log, with the epoch that is to begin. */
  readonly waitingSales: readonly { readonly saleId: number; readonly epoch: number }[];
}

/** What MySQL knows about a log; undefined when it does not know the log. */
export async function findLostLog(pool: MysqlPool, logId: string): Promise<LostLog | undefined> {
  const position = (await listPositions(pool)).find((each) => each.logId === logId);
  if (position === undefined) return undefined;
  const waitingSales = await selectRows<{ saleId: number; epoch: number }>(
    pool,
    `SELECT r.sale_id AS saleId, r.epoch FROM rebuilds r
       LEFT JOIN log_epochs e ON e.sale_id = r.sale_id AND e.log_id = ?
      WHERE COALESCE(e.epoch, 0) < r.epoch ORDER BY r.sale_id`,
    [logId],
  );
  return { ...position, waitingSales };
}

/** Whether its server has said so lately that it may live. */
export function mayLive({ seenSecondsAgo }: Pick<LogPosition, 'seenSecondsAgo'>): boolean {
  return seenSecondsAgo !== null && seenSecondsAgo < ALIVE_FOR_S;
}

/**
 * Retires the log as it was looked at.
 * @returns false when its server has spoken since, or the log is retired already; then nothing was changed
 */
export async function retireLostLog(pool: MysqlPool, { logId, lsn }: LostLog, nowMs: number): Promise<boolean> {
  const { affectedRows } = await changeRows(
    pool,
    `UPDATE applier_positions SET retired_at_ms = ?
      WHERE log_id = ? AND lsn = ? AND retired_at_ms IS NULL AND COALESCE(seen_at_s, 0) <= UNIX_TIMESTAMP() - ?`,
    [nowMs, logId, lsn, ALIVE_FOR_S],
  );
  return affectedRows > 0;
}
