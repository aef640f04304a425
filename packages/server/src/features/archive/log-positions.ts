/** How far each order log is in MySQL, and which logs may still hold orders that are not. */
import type { MysqlPool } from '../../platform/mysql.ts';
import { changeRows, type MysqlSession, selectRows } from '../../platform/mysql-statements.ts';

export interface AppliedLog {
  /** 32 hexadecimal digits. */
  readonly logId: string;
  /** Name of the server that writes it, for people. */
  readonly server: string;
}

/** LSN of the last record that is in MySQL; 0 when none is. */
export async function readPosition(pool: MysqlPool, logId: string): Promise<number> {
  const [row] = await selectRows<{ lsn: number }>(pool, 'SELECT lsn FROM applier_positions WHERE log_id = ?', [logId]);
  return row?.lsn ?? 0;
}

export interface LogPosition extends AppliedLog {
  readonly lsn: number;
  /** Unix milliseconds; null when its server may come back with orders that nobody else knows. */
  readonly retiredAtMs: number | null;
  /** When the position was moved last, Unix milliseconds. */
  readonly updatedAtMs: number;
  /** Seconds since its server last said that it lives, by MySQL's clock; null when it never did. */
  readonly seenSecondsAgo: number | null;
  /** Records of it that MySQL refused. */
  readonly failedRecords: number;
  /** Payments of it without an outcome, as of the position. */
  readonly unfinishedPayments: number;
}

/** All logs that MySQL knows. */
export async function listPositions(pool: MysqlPool): Promise<readonly LogPosition[]> {
  const rows = await selectRows<{
    log_id: string;
    server: string;
    lsn: number;
    retired_at_ms: number | null;
    updated_at_ms: number;
    seen_ago: number | null;
    failed: number;
    unfinished: number;
  }>(
    pool,
    `SELECT p.log_id, p.server, p.lsn, p.retired_at_ms, p.updated_at_ms, UNIX_TIMESTAMP() - p.seen_at_s AS seen_ago,
       (SELECT COUNT(*) FROM failed_records f WHERE f.log_id = p.log_id) AS failed,
       (SELECT COUNT(*) FROM payments y WHERE y.log_id = p.log_id AND y.unfinished = 1) AS unfinished
     FROM applier_positions p ORDER BY p.server, p.log_id`,
  );
  return rows.map((row) => ({
    logId: row.log_id,
    server: row.server,
    lsn: row.lsn,
    retiredAtMs: row.retired_at_ms,
    updatedAtMs: row.updated_at_ms,
    seenSecondsAgo: row.seen_ago,
    failedRecords: row.failed,
    unfinishedPayments: row.unfinished,
  }));
}

/** A server has opened this log: rebuilds wait for it from now on. */
export async function registerLog(pool: MysqlPool, { logId, server }: AppliedLog, nowMs: number): Promise<void> {
  await changeRows(
    pool,
    `INSERT INTO applier_positions (log_id, server, lsn, updated_at_ms, seen_at_s) VALUES (?, UNIX_TIMESTAMP())
     ON DUPLICATE KEY UPDATE server = VALUES(server), retired_at_ms = NULL, seen_at_s = VALUES(seen_at_s)`,
    [[logId, server, 0, nowMs]],
  );
}

/**
 * The server of this log lives. By MySQL's clock, so that whoever asks elsewhere need not trust two.
 * @returns `retired` when somebody has retired the log meanwhile. That is taken back: rebuilds have to wait for it
 */
export async function reportAlive(pool: MysqlPool, logId: string): Promise<'waitedFor' | 'retired'> {
  const { affectedRows } = await changeRows(
    pool,
    'UPDATE applier_positions SET retired_at_ms = NULL WHERE log_id = ? AND retired_at_ms IS NOT NULL',
    [logId],
  );
  await changeRows(pool, 'UPDATE applier_positions SET seen_at_s = UNIX_TIMESTAMP() WHERE log_id = ?', [logId]);
  return affectedRows > 0 ? 'retired' : 'waitedFor';
}

/**
 * Nobody writes this log any more, and `lastLsn` is its last record: rebuilds need not wait for it, if everything in it is in
 * MySQL. Asked of MySQL in the statement: its position may have been set back, or its server be mistaken about it.
 * @returns false when the position is another one; then nothing was changed
 */
export async function retireApplied(pool: MysqlPool, logId: string, lastLsn: number, nowMs: number): Promise<boolean> {
  const { affectedRows } = await changeRows(
    pool,
    'UPDATE applier_positions SET retired_at_ms = ? WHERE log_id = ? AND lsn = ?',
    [nowMs, logId, lastLsn],
  );
  return affectedRows > 0;
}

/** Rebuilds do not wait for this log any more, whatever is in it: nobody has the rest of it. */
export async function retireLog(pool: MysqlPool, logId: string, nowMs: number): Promise<void> {
  await changeRows(pool, 'UPDATE applier_positions SET retired_at_ms = ? WHERE log_id = ?', [nowMs, logId]);
}

/** Records before those that are being applied are not in MySQL any more, as far as the position says. */
export class PositionSetBackError extends Error {
  override readonly name = 'PositionSetBackError';

  constructor(lsn: number, expectedLsn: number) {
    super(`the position of the log in MySQL was set back to ${lsn}; it had been at ${expectedLsn} at least`);
  }
}

/**
 * Inside a transaction; holds the log's row until its end.
 * @throws {PositionSetBackError} when the position is below `lsn`: moving it would leave a gap behind it
 */
export async function assertPosition(connection: MysqlSession, logId: string, lsn: number): Promise<void> {
  const sql = 'SELECT lsn FROM applier_positions WHERE log_id = ? FOR UPDATE';
  const [row] = await selectRows<{ lsn: number }>(connection, sql, [logId]);
  const found = row?.lsn ?? 0;
  if (found < lsn) throw new PositionSetBackError(found, lsn);
}

/** Inside a transaction; holds the log's row until its end. */
export async function movePosition(
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
