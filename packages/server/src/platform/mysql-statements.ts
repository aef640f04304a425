/** Statements and transactions with a time-out, so that a hanging database costs a request and not the process. */
import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { LIMITS } from '../limits.ts';
import type { MysqlPool } from './mysql.ts';

/** A pool, or one connection of it inside a transaction. */
export type MysqlSession = Pool | PoolConnection;
/** Arrays are lists: `IN (?)` takes one, `VALUES ?` takes one of rows. */
export type SqlValue = string | number | bigint | Buffer | null | readonly SqlValue[];

/** The rows of a SELECT. `Row` states what the columns are; the caller's SQL has to keep that promise. */
export async function selectRows<Row>(
  session: MysqlSession,
  sql: string,
  values: readonly SqlValue[] = [],
): Promise<Row[]> {
  const [rows] = await session.query<RowDataPacket[]>(toQuery(sql, values)).catch(withoutValues(sql));
  return rows as Row[];
}

/** INSERT, UPDATE or DELETE. `affectedRows` counts the rows that matched, changed or not. */
export async function changeRows(
  session: MysqlSession,
  sql: string,
  values: readonly SqlValue[] = [],
): Promise<ResultSetHeader> {
  const [result] = await session.query<ResultSetHeader>(toQuery(sql, values)).catch(withoutValues(sql));
  return result;
}

function toQuery(sql: string, values: readonly SqlValue[]) {
  return { sql, values: [...values], timeout: LIMITS.mysqlQueryTimeoutMs };
}

/** mysql2 puts the statement with all its values into its errors, and errors are logged: passwords' hashes would be too. */
function withoutValues(sql: string) {
  return (error: unknown): never => {
    if (error instanceof Error && 'sql' in error) error.sql = sql;
    throw error;
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** True when a unique key refused the row. */
export function isDuplicate(error: unknown): boolean {
  return codeOf(error) === 'ER_DUP_ENTRY';
}

/** The transaction was rolled back by the server and may be run again as it is. */
function isTransient(error: unknown): boolean {
  return codeOf(error) === 'ER_LOCK_DEADLOCK';
}

/**
 * Runs `work` in one transaction. Commits when `keep` says so about its result, else rolls back; an exception rolls back
 * too. A deadlock starts `work` again, so everything it does outside MySQL has to be safe to repeat.
 */
export async function inTransaction<Result>(
  pool: MysqlPool,
  work: (connection: PoolConnection) => Promise<Result>,
  keep: (result: Result) => boolean = () => true,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptTransaction(pool, work, keep);
    } catch (error) {
      if (attempt >= LIMITS.transactionAttempts || !isTransient(error)) throw error;
    }
  }
}

async function attemptTransaction<Result>(
  pool: MysqlPool,
  work: (connection: PoolConnection) => Promise<Result>,
  keep: (result: Result) => boolean,
): Promise<Result> {
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    const result = await work(connection);
    if (keep(result)) await connection.commit();
    else await connection.rollback();
    connection.release();
    return result;
  } catch (error) {
    // A refused statement leaves the connection usable. After a time-out or a lost connection its state is unknown:
    // closing it makes the server roll back.
    const usable = codeOf(error).startsWith('ER_') && (await rollsBack(connection));
    if (usable) connection.release();
    else connection.destroy();
    throw error;
  }
}

async function rollsBack(connection: PoolConnection): Promise<boolean> {
  try {
    await connection.rollback();
    return true;
  } catch {
    return false;
  }
}
