/** Rows of one table with their unique keys, and the way back for transactions. */
import type { Column, TableSchema, UniqueKey } from './schema.ts';
import { SqlError, type SqlScalar } from './sql-error.ts';

export type Row = Record<string, SqlScalar>;

/** One row that changed; `before` or `after` is undefined when it did not exist. */
export interface Change {
  readonly table: Table;
  readonly before: Row | undefined;
  readonly after: Row | undefined;
}

function checkedValue(table: string, column: Column, value: SqlScalar): SqlScalar {
  if (value === null) {
    if (!column.nullable) throw new SqlError('ER_BAD_NULL_ERROR', `Column '${column.name}' cannot be null`);
    return null;
  }
  if (column.type === 'integer') {
    const number = Number(value);
    if (!Number.isSafeInteger(number) || (column.unsigned && number < 0)) {
      throw new SqlError('ER_WARN_DATA_OUT_OF_RANGE', `Out of range value for column '${table}.${column.name}'`);
    }
    return number;
  }
  if (column.type === 'text' && !Buffer.isBuffer(value)) {
    const text = String(value);
    if (column.characters !== undefined && text.length > column.characters) {
      throw new SqlError('ER_DATA_TOO_LONG', `Data too long for column '${column.name}'`);
    }
    return text;
  }
  return value;
}

/** Undefined with a null in it: such rows are never duplicates of each other. */
function keyText(key: UniqueKey, row: Row): string | undefined {
  if (key.columns.length === 1) {
    const value = row[key.columns[0] ?? ''];
    return value === null || value === undefined ? undefined : String(value);
  }
  let text = '';
  for (const column of key.columns) {
    const value = row[column];
    if (value === null || value === undefined) return undefined;
    text += `${String(value)}\u0000`;
  }
  return text;
}

export class Table {
  readonly schema: TableSchema;
  readonly #columns: ReadonlyMap<string, Column>;
  readonly #rows = new Set<Row>();
  readonly #indexes: readonly { readonly key: UniqueKey; readonly rows: Map<string, Row> }[];
  #nextId = 1;

  constructor(schema: TableSchema) {
    this.schema = schema;
    this.#columns = new Map(schema.columns.map((column) => [column.name, column]));
    this.#indexes = schema.uniqueKeys.map((key) => ({ key, rows: new Map() }));
  }

  /** In the order they were inserted. */
  get rows(): Iterable<Row> {
    return this.#rows;
  }

  hasColumn(name: string): boolean {
    return this.#columns.has(name);
  }

  /** The row with this value of a unique key of one column. */
  findByKey(column: string, value: SqlScalar): Row | undefined {
    return value === null ? undefined : this.#indexOf(column)?.get(String(value));
  }

  /** Whether a unique key has just this column. */
  isKey(column: string): boolean {
    return this.#indexOf(column) !== undefined;
  }

  #indexOf(column: string): Map<string, Row> | undefined {
    return this.#indexes.find(({ key }) => key.columns.length === 1 && key.columns[0] === column)?.rows;
  }

  /** A complete row from some values. */
  complete(values: Row): Row {
    const row: Row = {};
    for (const column of this.schema.columns) {
      const given = values[column.name];
      row[column.name] = checkedValue(this.schema.name, column, given === undefined ? this.#default(column) : given);
    }
    return row;
  }

  #default(column: Column): SqlScalar {
    if (column.autoIncrement) {
      this.#nextId += 1;
      return this.#nextId - 1;
    }
    if (column.fallback !== undefined) return column.fallback;
    if (column.nullable) return null;
    throw new SqlError('ER_NO_DEFAULT_FOR_FIELD', `Field '${column.name}' doesn't have a default value`);
  }

  /** The row that a unique key says is the same. */
  duplicateOf(row: Row): Row | undefined {
    for (const { key, rows } of this.#indexes) {
      const text = keyText(key, row);
      const other = text === undefined ? undefined : rows.get(text);
      if (other !== undefined) return other;
    }
    return undefined;
  }

  insert(row: Row): Change {
    this.#refuseDuplicate(row, undefined);
    this.#add(row);
    return { table: this, before: undefined, after: row };
  }

  update(before: Row, values: Row): Change | undefined {
    const after: Row = { ...before };
    let changed = false;
    for (const [name, value] of Object.entries(values)) {
      const column = this.#columns.get(name);
      if (column === undefined) throw new SqlError('ER_BAD_FIELD_ERROR', `Unknown column '${name}'`);
      after[name] = checkedValue(this.schema.name, column, value);
      changed ||= after[name] !== before[name];
    }
    if (!changed) return undefined;
    this.#refuseDuplicate(after, before);
    this.#drop(before);
    this.#add(after);
    return { table: this, before, after };
  }

  remove(row: Row): Change {
    this.#drop(row);
    return { table: this, before: row, after: undefined };
  }

  undo({ before, after }: Change): void {
    if (after !== undefined) this.#drop(after);
    if (before !== undefined) this.#add(before);
  }

  redo({ before, after }: Change): void {
    if (before !== undefined) this.#drop(before);
    if (after !== undefined) this.#add(after);
  }

  #refuseDuplicate(row: Row, except: Row | undefined): void {
    for (const { key, rows } of this.#indexes) {
      const text = keyText(key, row);
      const other = text === undefined ? undefined : rows.get(text);
      if (other !== undefined && other !== except) {
        throw new SqlError('ER_DUP_ENTRY', `Duplicate entry for key '${this.schema.name}.${key.name}'`);
      }
    }
  }

  #add(row: Row): void {
    this.#rows.add(row);
    for (const { key, rows } of this.#indexes) {
      const text = keyText(key, row);
      if (text !== undefined) rows.set(text, row);
    }
  }

  #drop(row: Row): void {
    this.#rows.delete(row);
    for (const { key, rows } of this.#indexes) {
      const text = keyText(key, row);
      if (text !== undefined) rows.delete(text);
    }
  }
}
