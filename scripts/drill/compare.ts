/** Two databases of a deployment, row by row: what a backup and the order logs have to give again. */
import type mysql from 'mysql2/promise';
import { connect, listTables, readRows } from './backup.ts';

/** Not compared, and why: it comes back as it was at the backup, or not at all. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  sessions: 'people log in again',
  idempotency_keys: 'answers to requests of the last day',
  sale_samples: 'charts of reports',
  sale_tallies: 'charts of reports',
  fleet_events: 'what servers noticed',
};

/** Columns that say when something was written, not what. */
const TIMES: Readonly<Record<string, readonly string[]>> = {
  applier_positions: ['updated_at_ms', 'seen_at_s'],
  // When the record was applied.
  failed_records: ['failed_at_ms'],
  migrations: ['applied_at', 'applied_at_ms'],
};

export interface TableComparison {
  readonly table: string;
  readonly rows: number;
  /** Rows that only one of the two has, with the same key or without; the first few. */
  readonly differences: readonly string[];
}

const DIFFERENCES_MAX = 10;

async function rowsOf(connection: mysql.Connection, table: string, columns: string[], key: string[]) {
  const rows = new Set<string>();
  for await (const page of readRows(connection, { name: table, columns, key })) {
    for (const row of page)
      rows.add(JSON.stringify(row, (_, value) => (Buffer.isBuffer(value) ? value.toString('hex') : value)));
  }
  return rows;
}

export async function compareDatabases(oldUrl: string, newUrl: string): Promise<readonly TableComparison[]> {
  const [old, restored] = [await connect(oldUrl), await connect(newUrl)];
  try {
    const tables = (await listTables(old)).filter(({ name }) => LEFT_OUT[name] === undefined);
    const there = new Set((await listTables(restored)).map(({ name }) => name));
    const comparisons: TableComparison[] = [];
    for (const { name, columns, key } of tables) {
      const compared = columns.filter((column) => TIMES[name]?.includes(column) !== true);
      const before = await rowsOf(old, name, compared, key);
      const after = there.has(name) ? await rowsOf(restored, name, compared, key) : new Set<string>();
      const missing = [...before].filter((row) => !after.has(row)).map((row) => `only in the old one: ${row}`);
      const surplus = [...after].filter((row) => !before.has(row)).map((row) => `only in the new one: ${row}`);
      const differences = [...missing, ...surplus].slice(0, DIFFERENCES_MAX);
      comparisons.push({ table: name, rows: before.size, differences });
    }
    return comparisons;
  } finally {
    await old.end();
    await restored.end();
  }
}

/** A line for each table, and for each difference. */
export function renderComparison(comparisons: readonly TableComparison[]): string {
  return comparisons
    .flatMap(({ table, rows, differences }) => [
      `${differences.length === 0 ? 'equal ' : 'DIFFER'}  ${table.padEnd(20)} ${rows} rows`,
      ...differences.map((difference) => `        ${difference}`),
    ])
    .join('\n');
}
