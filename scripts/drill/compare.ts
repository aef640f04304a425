/** Two databases of a deployment, row by row: what a backup and the order logs have to give again. */
import type mysql from 'mysql2/promise';
import { connect, listTables, readRows } from './backup.ts';

/** Tables that are not compared, and why: they come back as they were at the backup, or not at all. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  sessions: 'is as old as the backup: who logged in since does so again',
  idempotency_keys: 'is as old as the backup: answers of the last day that are kept for repeated requests',
  sale_samples: 'is as old as the backup: charts of reports',
  sale_tallies: 'is as old as the backup: charts of reports',
  fleet_events: 'is as old as the backup: what servers noticed, for reports',
};

/** Columns that are not compared, and why: they say when something was written, not what. */
export const LEFT_OUT_COLUMNS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  applier_positions: {
    updated_at_ms: 'when the position was written',
    seen_at_s: 'when the server last said that it lives',
  },
  failed_records: { failed_at_ms: 'when the record was applied' },
};

/** All of a database that is compared, kept in memory: the database itself may be gone when it is needed. */
export interface Picture {
  readonly tables: ReadonlyMap<string, PictureOfTable>;
}

interface PictureOfTable {
  /** How often each row is there; rows as JSON. */
  readonly rows: ReadonlyMap<string, number>;
  readonly count: number;
}

export interface TableComparison {
  readonly table: string;
  readonly rows: number;
  /** Rows of the first that the second does not have, or has less often; as JSON, once for each. */
  readonly missing: readonly string[];
  /** Rows of the second that the first does not have. */
  readonly surplus: readonly string[];
  /** Why the rows were not compared; undefined: they were. */
  readonly leftOut?: string;
}

const SHOWN_MAX = 10;

function asText(row: readonly unknown[]): string {
  return JSON.stringify(row.map((cell) => (Buffer.isBuffer(cell) ? cell.toString('hex') : cell)));
}

async function pictureOfTable(
  connection: mysql.Connection,
  { name, columns, key }: { name: string; columns: string[]; key: string[] },
): Promise<PictureOfTable> {
  const compared = columns.filter((column) => LEFT_OUT_COLUMNS[name]?.[column] === undefined);
  const rows = new Map<string, number>();
  let count = 0;
  for await (const page of readRows(connection, { name, columns: compared, key })) {
    count += page.length;
    for (const row of page.map(asText)) rows.set(row, (rows.get(row) ?? 0) + 1);
  }
  return { rows, count };
}

export async function takePicture(url: string): Promise<Picture> {
  const connection = await connect(url);
  try {
    const tables = new Map<string, PictureOfTable>();
    for (const table of await listTables(connection)) tables.set(table.name, await pictureOfTable(connection, table));
    return { tables };
  } finally {
    await connection.end();
  }
}

/** What is in the first and not in the second, as often as it is missing there. */
function without(first: PictureOfTable | undefined, second: PictureOfTable | undefined): readonly string[] {
  return [...(first?.rows ?? [])].flatMap(([row, times]) =>
    Array.from({ length: Math.max(0, times - (second?.rows.get(row) ?? 0)) }, () => row),
  );
}

/** Also tables that only one of the two has. */
export function comparePictures(old: Picture, restored: Picture): readonly TableComparison[] {
  const names = [...new Set([...old.tables.keys(), ...restored.tables.keys()])].sort();
  return names.map((table) => {
    const [before, after] = [old.tables.get(table), restored.tables.get(table)];
    const rows = before?.count ?? 0;
    const leftOut = LEFT_OUT[table];
    if (leftOut !== undefined && before !== undefined && after !== undefined)
      return { table, rows, missing: [], surplus: [], leftOut };
    const comparison = { table, rows, missing: without(before, after), surplus: without(after, before) };
    if (before !== undefined && after !== undefined) return comparison;
    const whole = `the whole table, with ${(before ?? after)?.count ?? 0} rows`;
    return before === undefined ? { ...comparison, surplus: [whole] } : { ...comparison, missing: [whole] };
  });
}

export async function compareDatabases(oldUrl: string, newUrl: string): Promise<readonly TableComparison[]> {
  return comparePictures(await takePicture(oldUrl), await takePicture(newUrl));
}

export function differs({ missing, surplus }: TableComparison): boolean {
  return missing.length > 0 || surplus.length > 0;
}

/** A line for each table and for each difference; then what was not compared, and why. */
export function renderComparison(comparisons: readonly TableComparison[]): string {
  const compared = comparisons.filter(({ leftOut }) => leftOut === undefined);
  const rows = compared.flatMap((comparison) => {
    const { table, missing, surplus } = comparison;
    const all = [
      ...missing.map((row) => `only in the old one: ${row}`),
      ...surplus.map((row) => `only in the new one: ${row}`),
    ];
    return [
      `${differs(comparison) ? 'DIFFER' : 'equal '}  ${table.padEnd(20)} ${comparison.rows} rows`,
      ...all.slice(0, SHOWN_MAX).map((difference) => `        ${difference}`),
      ...(all.length > SHOWN_MAX ? [`        … and ${all.length - SHOWN_MAX} more`] : []),
    ];
  });
  const tables = comparisons.flatMap(({ table, leftOut }) => (leftOut === undefined ? [] : [[table, leftOut]]));
  const columns = Object.entries(LEFT_OUT_COLUMNS).flatMap(([table, reasons]) =>
    Object.entries(reasons).map(([column, why]) => [`${table}.${column}`, why]),
  );
  const leftOut = [...tables, ...columns].map(([name = '', why]) => `not compared  ${name.padEnd(32)} ${why}`);
  return [...rows, ...leftOut].join('\n');
}
