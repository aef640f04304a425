/** Connections to MySQL or MariaDB and the migrations that run by themselves at start. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import mysql from 'mysql2/promise';
import { LIMITS } from '../limits.ts';

export type MysqlPool = mysql.Pool;
export type MysqlConnection = mysql.Connection;

export function createMysqlPool(url: string, connectionLimit: number): MysqlPool {
  const pool = mysql.createPool({
    uri: url,
    connectionLimit,
    maxIdle: connectionLimit,
    queueLimit: LIMITS.mysqlWaiting,
    enableKeepAlive: true,
    keepAliveInitialDelay: LIMITS.keepAliveProbeMs,
    connectTimeout: LIMITS.mysqlConnectTimeoutMs,
    // Every number we store is below 2^53; larger ones would be a bug and come back as strings that fail loudly.
    supportBigNumbers: true,
    bigNumberStrings: false,
    charset: 'utf8mb4',
    timezone: 'Z',
  });
  // What is written here relies on it: snapshots that hold for a transaction, and locks on what is not there. The server's
  // default may be another one. Goes ahead of whatever the connection is used for.
  pool.pool.on('connection', (connection) => {
    connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ', (error) => {
      if (error !== null) connection.destroy();
    });
  });
  return pool;
}

const MIGRATIONS = new URL('../migrations/', import.meta.url);

export interface Migration {
  /** File name without the ending; the order is that of the names. */
  readonly name: string;
  readonly statements: readonly string[];
}

/** Statements end with `;` at the end of a line; comments are dropped. */
export function parseMigration(name: string, sql: string): Migration {
  const statements = sql
    .replace(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
  return { name, statements };
}

export async function listMigrations(): Promise<readonly Migration[]> {
  const files = (await readdir(fileURLToPath(MIGRATIONS))).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file) => parseMigration(file.slice(0, -4), await readFile(new URL(file, MIGRATIONS), 'utf8'))),
  );
}

/**
 * Brings the schema up to date and returns the names of the migrations it ran. Safe with several servers starting at
 * once: a named lock lets one work while the others wait, and each looks again once it has the lock.
 *
 * DDL commits by itself in MySQL, so a migration that fails half-way cannot be rolled back: it is recorded as started
 * first, and a later start refuses to go on instead of running it twice.
 */
export async function migrate(url: string, migrations?: readonly Migration[]): Promise<readonly string[]> {
  const wanted = migrations ?? (await listMigrations());
  const connection = await mysql.createConnection({ uri: url, connectTimeout: LIMITS.mysqlConnectTimeoutMs });
  try {
    const [[lock]] = await connection.query<mysql.RowDataPacket[]>(
      "SELECT GET_LOCK(CONCAT('fest-migrate-', DATABASE()), ?) AS locked",
      [LIMITS.migrationLockSeconds],
    );
    if (lock?.locked !== 1) {
      throw new Error(`Another server has been migrating for ${LIMITS.migrationLockSeconds} s; look at its log.`);
    }
    return await runMissing(connection, wanted);
  } finally {
    // Ending the connection frees the lock, whatever happened.
    await connection.end();
  }
}

async function runMissing(connection: MysqlConnection, wanted: readonly Migration[]): Promise<readonly string[]> {
  await connection.query(
    `CREATE TABLE IF NOT EXISTS migrations (
       name VARCHAR(100) CHARACTER SET ascii NOT NULL PRIMARY KEY,
       finished TINYINT UNSIGNED NOT NULL DEFAULT 0
     ) ENGINE=InnoDB`,
  );
  const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT name, finished FROM migrations');
  const known = new Map(rows.map((row) => [String(row.name), row.finished === 1]));
  const ran: string[] = [];
  for (const { name, statements } of wanted) {
    const finished = known.get(name);
    if (finished === true) continue;
    if (finished === false) {
      throw new Error(
        `Migration ${name} failed half-way in an earlier start. Compare the schema with migrations/${name}.sql, finish or ` +
          `undo it by hand, then UPDATE migrations SET finished = 1 WHERE name = '${name}' (or DELETE the row to run it anew).`,
      );
    }
    await connection.query('INSERT INTO migrations (name) VALUES (?)', [name]);
    for (const statement of statements) await connection.query(statement);
    await connection.query('UPDATE migrations SET finished = 1 WHERE name = ?', [name]);
    ran.push(name);
  }
  return ran;
}
