/**
 * A logical backup of a database, as `mysqldump --single-transaction` takes one: all tables as they were at one moment, while servers
 * go on. Statements, one JSON string a line, so that no text in them can be taken for the end of one.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import mysql from 'mysql2/promise';

/** Rows of one statement. */
const ROWS = 500;

/** As MySQL gives and takes it. */
export type Cell = string | number | Buffer | null;

interface Table {
  readonly name: string;
  readonly columns: string[];
  readonly key: string[];
  readonly create: string;
}

export function connect(url: string): Promise<mysql.Connection> {
  // Numbers beyond what JavaScript counts exactly stay texts.
  return mysql.createConnection({ uri: url, supportBigNumbers: true, bigNumberStrings: true, dateStrings: true });
}

export async function listTables(connection: mysql.Connection): Promise<readonly Table[]> {
  const [rows] = await connection.query<mysql.RowDataPacket[]>(
    'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name',
  );
  return Promise.all(
    rows.map(async ({ name }) => {
      const [columns] = await connection.query<mysql.RowDataPacket[]>('SHOW COLUMNS FROM ??', [name]);
      const [[created] = []] = await connection.query<mysql.RowDataPacket[]>('SHOW CREATE TABLE ??', [name]);
      return {
        name: String(name),
        columns: columns.map(({ Field }) => String(Field)),
        key: columns.filter(({ Key }) => Key === 'PRI').map(({ Field }) => String(Field)),
        create: String(created?.['Create Table']),
      };
    }),
  );
}

/** The rows of a table in the order of its key, a page at a time. */
export async function* readRows(
  connection: mysql.Connection,
  { name, columns, key }: Pick<Table, 'name' | 'columns' | 'key'>,
): AsyncGenerator<Cell[][]> {
  const order = mysql.format('ORDER BY ??', [key.length > 0 ? key : columns]);
  for (let offset = 0; ; offset += ROWS) {
    const [rows] = await connection.query<mysql.RowDataPacket[][]>({
      sql: `${mysql.format('SELECT ?? FROM ??', [columns, name])} ${order} LIMIT ${ROWS} OFFSET ${offset}`,
      rowsAsArray: true,
    });
    if (rows.length > 0) yield rows as unknown as Cell[][];
    if (rows.length < ROWS) return;
  }
}

/** @returns rows by table */
export async function takeBackup(url: string, file: string): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  const connection = await connect(url);
  try {
    await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
    async function* statements(): AsyncGenerator<string> {
      for (const table of await listTables(connection)) {
        counts[table.name] = 0;
        yield `${JSON.stringify(table.create)}\n`;
        for await (const rows of readRows(connection, table)) {
          counts[table.name] = (counts[table.name] ?? 0) + rows.length;
          const insert = mysql.format('INSERT INTO ?? (??) VALUES ?', [table.name, table.columns, rows]);
          yield `${JSON.stringify(insert)}\n`;
        }
      }
    }
    await pipeline(Readable.from(statements()), createWriteStream(file, { mode: 0o600 }));
    await connection.rollback();
    return counts;
  } finally {
    await connection.end();
  }
}

/** Into a new database, which must not exist yet, on a server whose other databases may be gone. @returns its address */
export async function restoreBackup(
  file: string,
  { serverUrl, name }: { serverUrl: string; name: string },
): Promise<string> {
  const url = new URL(serverUrl);
  // The address may name the database that was lost; this one is always there.
  url.pathname = '/information_schema';
  const connection = await connect(url.href);
  try {
    await connection.query('CREATE DATABASE ?? CHARACTER SET utf8mb4', [name]);
    await connection.query('USE ??', [name]);
    // Tables come by name, not in the order in which they refer to each other.
    await connection.query('SET SESSION foreign_key_checks = 0');
    for await (const line of createInterface({ input: createReadStream(file) }))
      await connection.query(JSON.parse(line));
  } finally {
    await connection.end();
  }
  url.pathname = `/${name}`;
  return url.href;
}
