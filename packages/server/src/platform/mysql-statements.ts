/**
 * Statements and transactions with time-outs, so that a hanging database costs a request and not the process.
 *
 * mysql2 bounds neither the wait for a connection nor BEGIN, COMMIT and ROLLBACK, and after its own time-out of a statement
 * the connection stays taken until the database answers. Here every wait ends, and what did not answer is closed: the state
 * of such a connection is unknown, and closing it makes the server roll back.
 */
import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { LIMITS } from '../limits.ts';
import { withDeadline } from './deadline.ts';
import type { MysqlPool } from './mysql.ts';
import { traced } from './request-context.ts';

/** A pool, or one connection of it inside a transaction. */
export type MysqlSession = Pool | PoolConnection;
/** Arrays are lists: `IN (?)` takes one, `VALUES ?` takes one of rows. */
export type SqlValue = string | number | bigint | Buffer | null | readonly SqlValue[];

/** MySQL did not answer in time, or could not be asked. Its codes are those of mysql2, so that it counts as a store failure. */
export class MysqlUnavailableError extends Error {
  override readonly name = 'MysqlUnavailableError';
  readonly code: 'ETIMEDOUT' | 'ER_CON_COUNT_ERROR' | 'POOL_CLOSED' | 'PROTOCOL_CONNECTION_LOST';

  constructor(code: MysqlUnavailableError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A server that became read-only stays so: the next connection may reach its successor. */
const READ_ONLY_CODES = new Set([
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_READ_ONLY_MODE',
  'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION',
]);

/** The rows of a SELECT. `Row` states what the columns are; the caller's SQL has to keep that promise. */
export async function selectRows<Row>(
  session: MysqlSession,
  sql: string,
  values: readonly SqlValue[] = [],
): Promise<Row[]> {
  const [rows] = await onConnection(session, sql, (connection) =>
    inTime(connection, connection.query<RowDataPacket[]>(sql, [...values]).catch(withoutValues(sql))),
  );
  return rows as Row[];
}

/** INSERT, UPDATE or DELETE. `affectedRows` counts the rows that matched, changed or not. */
export async function changeRows(
  session: MysqlSession,
  sql: string,
  values: readonly SqlValue[] = [],
): Promise<ResultSetHeader> {
  const [result] = await onConnection(session, sql, (connection) =>
    inTime(connection, connection.query<ResultSetHeader>(sql, [...values]).catch(withoutValues(sql))),
  );
  return result;
}

/** Rejects when MySQL does not answer the smallest question within twice the time. */
export async function askMysql(pool: MysqlPool, withinMs: number): Promise<void> {
  const connection = await acquireConnection(pool, withinMs);
  await inTime(connection, connection.query('SELECT 1'), withinMs).finally(() => connection.release());
}

/** A connection of the pool. Whoever gets it releases or destroys it. @throws MysqlUnavailableError when none is free in time */
export function acquireConnection(
  pool: MysqlPool,
  withinMs: number = LIMITS.mysqlAcquireTimeoutMs,
): Promise<PoolConnection> {
  const acquiring = pool.getConnection().catch(withCode);
  let late = false;
  const tooLate = () => {
    late = true;
    return new MysqlUnavailableError('ETIMEDOUT', `no connection to MySQL was free within ${withinMs} ms`);
  };
  // mysql2 cannot be told to forget who waits: a connection that comes too late goes on to the next one.
  const passOn = (connection: PoolConnection) => {
    if (late) connection.release();
    return connection;
  };
  return withDeadline(acquiring.then(passOn), withinMs, tooLate);
}

/** @param sql without its values, for the trace of the request */
function onConnection<Result>(
  session: MysqlSession,
  sql: string,
  work: (connection: PoolConnection) => Promise<Result>,
): Promise<Result> {
  return traced(
    'mysql',
    () => takeConnection(session, work),
    () => ({ 'db.system.name': 'mysql', 'db.query.text': sql }),
  );
}

async function takeConnection<Result>(
  session: MysqlSession,
  work: (connection: PoolConnection) => Promise<Result>,
): Promise<Result> {
  if (!('getConnection' in session)) return work(session);
  const connection = await acquireConnection(session);
  try {
    return await work(connection);
  } catch (error) {
    if (READ_ONLY_CODES.has(codeOf(error))) cutOff(connection);
    throw error;
  } finally {
    // Does nothing to a connection that was closed.
    connection.release();
  }
}

/** The outcome of the connection's current work. A connection that keeps it waiting too long is closed. */
function inTime<Result>(
  connection: PoolConnection,
  work: Promise<Result>,
  withinMs: number = LIMITS.mysqlQueryTimeoutMs,
): Promise<Result> {
  return withDeadline(work, withinMs, () => {
    cutOff(connection);
    return new MysqlUnavailableError('ETIMEDOUT', `MySQL did not answer within ${withinMs} ms`);
  });
}

/** `destroy` alone says goodbye and waits for the other side to close, which a hanging one does not. */
function cutOff(connection: PoolConnection): void {
  connection.destroy();
  const { stream } = connection.connection as unknown as { readonly stream?: { destroy(): void } };
  stream?.destroy();
}

/** mysql2's own refusals have no code: a full queue, a closed pool, a connection that was closed meanwhile. */
function withCode(error: unknown): never {
  if (!(error instanceof Error) || 'code' in error) throw error;
  if (error.message.includes('Queue limit')) {
    throw new MysqlUnavailableError('ER_CON_COUNT_ERROR', 'too many wait for a connection to MySQL', { cause: error });
  }
  if (error.message.includes('Pool is closed')) {
    throw new MysqlUnavailableError('POOL_CLOSED', 'the connections to MySQL are closed', { cause: error });
  }
  if (error.message.includes('closed state')) {
    throw new MysqlUnavailableError('PROTOCOL_CONNECTION_LOST', 'the connection to MySQL was closed', { cause: error });
  }
  throw error;
}

/** mysql2 puts the statement with all its values into its errors, and errors are logged: passwords' hashes would be too. */
function withoutValues(sql: string) {
  return (error: unknown): never => {
    if (error instanceof Error && 'sql' in error) error.sql = sql;
    return withCode(error);
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
  const connection = await acquireConnection(pool);
  try {
    await inTime(connection, connection.beginTransaction());
    const result = await work(connection);
    await inTime(connection, keep(result) ? connection.commit() : connection.rollback());
    connection.release();
    return result;
  } catch (error) {
    // A refused statement leaves the connection usable. After a lost connection its state is unknown.
    if (isRefusal(error) && (await rollsBack(connection))) connection.release();
    else cutOff(connection);
    throw error;
  }
}

/** MySQL refused a statement and the connection is as good as before. */
function isRefusal(error: unknown): boolean {
  const code = codeOf(error);
  return code.startsWith('ER_') && !READ_ONLY_CODES.has(code);
}

async function rollsBack(connection: PoolConnection): Promise<boolean> {
  try {
    await inTime(connection, connection.rollback());
    return true;
  } catch {
    return false;
  }
}
