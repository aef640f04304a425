/** The tables as the server's own migrations declare them: columns, defaults, keys. */
import { listMigrations } from '@fest/server/platform/mysql';
import type { SqlScalar } from './sql-error.ts';

export interface Column {
  readonly name: string;
  readonly type: 'integer' | 'text' | 'binary';
  /** Longest text, or undefined where nothing we write reaches it. */
  readonly characters: number | undefined;
  readonly unsigned: boolean;
  readonly nullable: boolean;
  readonly fallback: SqlScalar | undefined;
  readonly autoIncrement: boolean;
}

export interface UniqueKey {
  readonly name: string;
  readonly columns: readonly string[];
}

export interface ForeignKey {
  readonly columns: readonly string[];
  readonly table: string;
}

export interface TableSchema {
  readonly name: string;
  readonly columns: readonly Column[];
  /** The primary key first. */
  readonly uniqueKeys: readonly UniqueKey[];
  readonly foreignKeys: readonly ForeignKey[];
}

const COLUMN = /^(\w+) (\w+)(?:\((\d+)\))?(.*)$/s;
const KEYWORDS = /^(PRIMARY|UNIQUE|KEY|CONSTRAINT|INDEX|FOREIGN)\b/;

/** At commas that are not within parentheses. */
function splitTopLevel(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const character of text) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === ',' && depth === 0) {
      parts.push(part);
      part = '';
    } else part += character;
  }
  return [...parts, part].map((each) => each.trim().replaceAll(/\s+/g, ' ')).filter((each) => each !== '');
}

function namesIn(list: string): readonly string[] {
  return list.split(',').map((name) => name.trim());
}

function typeOf(word: string): Column['type'] {
  if (/INT$/.test(word)) return 'integer';
  if (/CHAR$|TEXT$/.test(word)) return 'text';
  if (/BINARY$|BLOB$/.test(word)) return 'binary';
  throw new Error(`the column type ${word} is not simulated`);
}

function parseColumn(text: string): Column {
  const [, name = '', word = '', size, rest = ''] = COLUMN.exec(text) ?? [];
  const fallback = /DEFAULT ('([^']*)'|\d+|NULL)/.exec(rest);
  const value = fallback?.[2] ?? (fallback?.[1] === 'NULL' ? null : fallback?.[1] && Number(fallback[1]));
  return {
    name,
    type: typeOf(word),
    characters: size === undefined || !/CHAR$/.test(word) ? undefined : Number(size),
    unsigned: /UNSIGNED/.test(rest),
    nullable: !/NOT NULL|PRIMARY KEY/.test(rest),
    fallback: value,
    autoIncrement: /AUTO_INCREMENT/.test(rest),
  };
}

class TableBuilder {
  readonly name: string;
  readonly columns: Column[] = [];
  readonly uniqueKeys: UniqueKey[] = [];
  readonly foreignKeys: ForeignKey[] = [];

  constructor(name: string) {
    this.name = name;
  }

  add(part: string): void {
    if (KEYWORDS.test(part)) {
      this.#addKey(part);
      return;
    }
    const column = parseColumn(part);
    this.columns.push(column);
    if (/PRIMARY KEY/.test(part)) this.uniqueKeys.unshift({ name: 'PRIMARY', columns: [column.name] });
  }

  #addKey(part: string): void {
    const primary = /^PRIMARY KEY \((.*?)\)/.exec(part);
    if (primary !== null) this.uniqueKeys.unshift({ name: 'PRIMARY', columns: namesIn(primary[1] ?? '') });
    const unique = /^UNIQUE KEY (\w+) \((.*?)\)/.exec(part);
    if (unique !== null) this.uniqueKeys.push({ name: unique[1] ?? '', columns: namesIn(unique[2] ?? '') });
    const foreign = /FOREIGN KEY \((.*?)\) REFERENCES (\w+)/.exec(part);
    if (foreign !== null) this.foreignKeys.push({ columns: namesIn(foreign[1] ?? ''), table: foreign[2] ?? '' });
  }
}

function applyStatement(tables: Map<string, TableBuilder>, statement: string): void {
  const created = /^CREATE TABLE (\w+) \((.*)\) ENGINE/s.exec(statement);
  const altered = /^ALTER TABLE (\w+)\s+(.*)$/s.exec(statement);
  if (created !== null) {
    const builder = new TableBuilder(created[1] ?? '');
    for (const part of splitTopLevel(created[2] ?? '')) builder.add(part);
    tables.set(builder.name, builder);
  } else if (altered !== null) {
    const builder = tables.get(altered[1] ?? '');
    for (const part of splitTopLevel(altered[2] ?? '')) {
      if (!/^ADD (COLUMN )?/.test(part)) throw new Error(`this change of a table is not simulated: ${part}`);
      builder?.add(part.replace(/^ADD (COLUMN )?/, ''));
    }
  } else if (!/^(UPDATE|DELETE|INSERT)/.test(statement)) {
    // Changes of rows concern databases with a past; a simulated one begins empty.
    throw new Error(`this migration is not simulated: ${statement}`);
  }
}

export async function readSchemas(): Promise<readonly TableSchema[]> {
  const tables = new Map<string, TableBuilder>();
  for (const { statements } of await listMigrations()) {
    for (const statement of statements) applyStatement(tables, statement.replaceAll(/--.*$/gm, ''));
  }
  return [...tables.values()];
}
