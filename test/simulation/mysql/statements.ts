/** SQL statements as functions over tables. */
import {
  compare,
  compileExpression,
  compileList,
  type Evaluate,
  type Given,
  isAggregate,
  isTrue,
  type Names,
  type Scene,
} from './expressions.ts';
import { SqlError, type SqlScalar } from './sql-error.ts';
import { parseSql } from './sql-parser.ts';
import {
  type Assignment,
  type Delete,
  type Insert,
  type Select,
  type Source,
  type SqlExpression,
  type SqlStatement,
  SqlSyntaxError,
  type Update,
} from './sql-syntax.ts';
import type { Change, Row, Table } from './table.ts';

export type Tables = ReadonlyMap<string, Table>;

export interface StatementResult {
  readonly rows: readonly Row[];
  /** Rows that matched, changed or not. */
  readonly affectedRows: number;
  readonly insertId: number;
}

/** What a statement may do besides its rows. */
export interface Effects {
  /** Every change, in order. */
  readonly changes: Change[];
  /** Called before a row is inserted; throws to refuse it. */
  readonly beforeInsert: (table: string, row: Row) => void;
}

export interface Statement {
  readonly syntax: SqlStatement;
  /** Changes rows, or locks what it reads. */
  readonly locks: boolean;
  /** @throws {SqlError} when it is refused; `changes` then has what was done up to there */
  run(given: Given, effects: Effects): StatementResult;
}

type Rows = readonly (Row | undefined)[];

function tableOf(tables: Tables, name: string): Table {
  const table = tables.get(name);
  if (table === undefined) throw new SqlError('ER_NO_SUCH_TABLE', `Table '${name}' doesn't exist`);
  return table;
}

// --- finding rows ----------------------------------------------------------------------------------------------------

function conjunctsOf(expression: SqlExpression | undefined): readonly SqlExpression[] {
  if (expression === undefined) return [];
  if (expression.kind === 'binary' && expression.operator === 'AND') {
    return [...conjunctsOf(expression.left), ...conjunctsOf(expression.right)];
  }
  return [expression];
}

/** Which of the sources a column is of; -1: of none, so of the scene around. */
function sourceOf(column: SqlExpression, names: Names): number | undefined {
  if (column.kind !== 'column') return undefined;
  return names.sources.findIndex(({ alias, table }) =>
    column.table === undefined ? table.hasColumn(column.name) : alias === column.table,
  );
}

/** Whether the value is known before the rows of this source are looked at. */
function isKnownBefore(expression: SqlExpression, source: number, names: Names): boolean {
  if (expression.kind === 'constant' || expression.kind === 'parameter') return true;
  const index = sourceOf(expression, names);
  return index !== undefined && index < source;
}

type Candidates = (scene: Scene) => Iterable<Row>;

/** The rows of a source by a unique key, when a condition names one. */
function byKey(condition: SqlExpression, source: number, names: Names): Candidates | undefined {
  const table = names.sources[source]?.table;
  if (table === undefined) return undefined;
  const isKey = (side: SqlExpression): side is Extract<SqlExpression, { kind: 'column' }> =>
    side.kind === 'column' && sourceOf(side, names) === source && table.isKey(side.name);
  const find = (column: string, values: readonly SqlScalar[]): Row[] =>
    [...new Set(values)].map((value) => table.findByKey(column, value)).filter((row) => row !== undefined);
  if (condition.kind === 'in' && !condition.negated && isKey(condition.operand)) {
    if (!condition.list.every((item) => isKnownBefore(item, source, names))) return undefined;
    const { name } = condition.operand;
    const list = compileList(condition.list, names);
    return (scene) => find(name, list(scene));
  }
  if (condition.kind !== 'binary' || condition.operator !== '=') return undefined;
  for (const [side, other] of [
    [condition.left, condition.right],
    [condition.right, condition.left],
  ] as const) {
    if (!isKey(side) || !isKnownBefore(other, source, names)) continue;
    const { name } = side;
    const value = compileExpression(other, names);
    return (scene) => find(name, [value(scene)]);
  }
  return undefined;
}

function candidatesOf(source: number, condition: SqlExpression | undefined, names: Names): Candidates {
  for (const conjunct of conjunctsOf(condition)) {
    const candidates = byKey(conjunct, source, names);
    if (candidates !== undefined) return candidates;
  }
  const table = names.sources[source]?.table;
  return () => table?.rows ?? [];
}

/** All combinations of rows that fit. */
function matcherOf(sources: readonly Source[], where: SqlExpression | undefined, names: Names) {
  const filter = where === undefined ? undefined : compileExpression(where, names);
  const levels = sources.map(({ on, outer }, index) => ({
    candidates: candidatesOf(index, index === 0 ? where : on, names),
    on: on === undefined ? undefined : compileExpression(on, names),
    outer,
  }));
  return (scene: Scene): Rows[] => {
    const found: Rows[] = [];
    const descend = (index: number, rows: Rows): void => {
      const level = levels[index];
      if (level === undefined) {
        if (isTrue(filter, { ...scene, rows })) found.push(rows);
        return;
      }
      let matched = false;
      for (const row of [...level.candidates({ ...scene, rows })]) {
        const extended = [...rows, row];
        if (!isTrue(level.on, { ...scene, rows: extended })) continue;
        matched = true;
        descend(index + 1, extended);
      }
      if (!matched && level.outer) descend(index + 1, [...rows, undefined]);
    };
    descend(0, []);
    return found;
  };
}

function givenOf({ parameters, unixSeconds }: Scene): Given {
  return { parameters, unixSeconds };
}

function namesOf(sources: readonly Source[], tables: Tables, outer?: Names): Names {
  return {
    sources: sources.map(({ alias, table }) => ({ alias, table: tableOf(tables, table) })),
    ...(outer === undefined ? {} : { outer }),
    subquery: (select, around) => {
      const run = compileSelect(select, tables, around);
      return (scene) => run.lists({ ...givenOf(scene), rows: [], outer: scene });
    },
  };
}

function limitOf(limit: SqlExpression | undefined, names: Names): (scene: Scene) => number {
  if (limit === undefined) return () => Number.POSITIVE_INFINITY;
  const evaluate = compileExpression(limit, names);
  return (scene) => Number(evaluate(scene));
}

// --- SELECT ----------------------------------------------------------------------------------------------------------

interface NamedColumn {
  readonly name: string;
  readonly evaluate: Evaluate;
}

function columnsOf(select: Select, names: Names): readonly NamedColumn[] {
  return select.outputs.flatMap(({ expression, table, name }) => {
    if (expression !== undefined) return [{ name, evaluate: compileExpression(expression, names) }];
    return names.sources
      .filter(({ alias }) => table === undefined || alias === table)
      .flatMap(({ alias, table: { schema } }) =>
        schema.columns.map((column) => ({
          name: column.name,
          evaluate: compileExpression({ kind: 'column', table: alias, name: column.name }, names),
        })),
      );
  });
}

function grouped(matches: readonly Rows[], keys: readonly Evaluate[], scene: Scene): readonly (readonly Rows[])[] {
  if (keys.length === 0) return [matches];
  const groups = Map.groupBy(matches, (rows) => JSON.stringify(keys.map((key) => key({ ...scene, rows }))));
  return [...groups.values()];
}

interface CompiledSelect {
  readonly columns: readonly string[];
  readonly lists: (scene: Scene) => SqlScalar[][];
}

function compileSelect(select: Select, tables: Tables, outer?: Names): CompiledSelect {
  const names = namesOf(select.sources, tables, outer);
  const matches = matcherOf(select.sources, select.where, names);
  const columns = columnsOf(select, names);
  const keys = select.groupBy.map((key) => compileExpression(key, names));
  const isGrouped = keys.length > 0 || select.outputs.some(({ expression }) => isAggregate(expression));
  const orders = select.orderBy.map(({ by, descending }) => ({ by: compileExpression(by, names), descending }));
  const limit = limitOf(select.limit, names);
  const byOrder = (a: Scene, b: Scene): number => {
    for (const { by, descending } of orders) {
      // Nulls come first, as in MySQL.
      const [left, right] = [by(a), by(b)];
      const order =
        left === null || right === null ? Number(left !== null) - Number(right !== null) : compare(left, right);
      if (order !== null && order !== 0) return descending ? -order : order;
    }
    return 0;
  };
  const lists = (scene: Scene): SqlScalar[][] => {
    const found = matches(scene);
    const scenes: Scene[] = isGrouped
      ? grouped(found, keys, scene).map((group) => ({ ...scene, rows: group[0] ?? [], group }))
      : found.map((rows) => ({ ...scene, rows }));
    if (orders.length > 0) scenes.sort(byOrder);
    return scenes.slice(0, limit(scene)).map((each) => columns.map(({ evaluate }) => evaluate(each)));
  };
  return { columns: columns.map(({ name }) => name), lists };
}

function rowsOfSelect({ columns, lists }: CompiledSelect, scene: Scene): Row[] {
  return lists(scene).map((values) => {
    const row: Row = {};
    for (const [index, name] of columns.entries()) row[name] = values[index] ?? null;
    return row;
  });
}

// --- INSERT, UPDATE, DELETE ------------------------------------------------------------------------------------------

type Assign = (scene: Scene, write: (values: Row) => void) => void;

/** One after the other: what was assigned is seen by the next, as in MySQL. */
function compileAssignments(assignments: readonly Assignment[], names: Names): Assign {
  const compiled = assignments.map(({ column, value }) => ({ column, evaluate: compileExpression(value, names) }));
  return (scene, write) => {
    const [first, ...others] = scene.rows;
    const current: Row = { ...first };
    const values: Row = {};
    for (const { column, evaluate } of compiled) {
      values[column] = evaluate({ ...scene, rows: [current, ...others] });
      current[column] = values[column];
    }
    write(values);
  };
}

function insertedRows(
  insert: Insert,
  tables: Tables,
  names: Names,
): (scene: Scene) => readonly (readonly SqlScalar[])[] {
  const { rows } = insert;
  if (rows.kind === 'select') {
    return compileSelect(rows.select, tables).lists;
  }
  if (rows.kind === 'parameter') {
    return ({ parameters }) => {
      const given = parameters[rows.index];
      if (!Array.isArray(given)) throw new SqlSyntaxError('VALUES ? takes a list of rows');
      return given as readonly (readonly SqlScalar[])[];
    };
  }
  const lists = rows.rows.map((row) => compileList(row, names));
  return (scene) => lists.map((list) => list(scene));
}

function checkParents(table: Table, row: Row, tables: Tables): void {
  for (const { columns, table: parentName } of table.schema.foreignKeys) {
    const parent = tableOf(tables, parentName);
    const parentKey = parent.schema.uniqueKeys[0]?.columns[0] ?? '';
    const value = row[columns[0] ?? ''] ?? null;
    if (value !== null && parent.findByKey(parentKey, value) === undefined) {
      throw new SqlError(
        'ER_NO_REFERENCED_ROW_2',
        `Cannot add a row of ${table.schema.name}: no ${parentName} ${value}`,
      );
    }
  }
}

function runInsert(insert: Insert, tables: Tables): Statement['run'] {
  const table = tableOf(tables, insert.table);
  const source: Source = { table: insert.table, alias: insert.table, outer: false };
  const names = namesOf([source], tables);
  const rowsOf = insertedRows(insert, tables, names);
  const assign = compileAssignments(insert.onDuplicate, names);
  const idColumn = table.schema.columns.find((column) => column.autoIncrement)?.name;
  return (given, { changes, beforeInsert }) => {
    let affectedRows = 0;
    let insertId = 0;
    for (const values of rowsOf({ ...given, rows: [] })) {
      if (values.length !== insert.columns.length) {
        throw new SqlError(
          'ER_WRONG_VALUE_COUNT_ON_ROW',
          `${values.length} values for ${insert.columns.length} columns`,
        );
      }
      const said: Row = Object.fromEntries(insert.columns.map((column, index) => [column, values[index] ?? null]));
      const row = table.complete(said);
      beforeInsert(insert.table, row);
      const other = table.duplicateOf(row);
      affectedRows += 1;
      if (other === undefined) {
        checkParents(table, row, tables);
        changes.push(table.insert(row));
        if (idColumn !== undefined) insertId = Number(row[idColumn]);
      } else if (insert.onDuplicate.length > 0) {
        assign({ ...given, rows: [other], inserted: row }, (updated) => {
          const change = table.update(other, updated);
          if (change === undefined) return;
          changes.push(change);
          // As MySQL counts: 1 for a row that was inserted or stays as it is, 2 for one that was changed.
          affectedRows += 1;
        });
      } else if (insert.ignore) {
        affectedRows -= 1;
      } else {
        table.insert(row);
      }
    }
    return { rows: [], affectedRows, insertId };
  };
}

function runUpdate(update: Update, tables: Tables): Statement['run'] {
  const names = namesOf(update.sources, tables);
  const [target] = names.sources;
  if (target === undefined) throw new SqlSyntaxError('nothing to update');
  for (const { table } of update.assignments) {
    if (table !== undefined && table !== target.alias)
      throw new SqlSyntaxError('only the first table can be changed here');
  }
  const matches = matcherOf(update.sources, update.where, names);
  const assign = compileAssignments(update.assignments, names);
  const limit = limitOf(update.limit, names);
  return (given, { changes }) => {
    const found = matches({ ...given, rows: [] }).slice(0, limit({ ...given, rows: [] }));
    for (const rows of found) {
      const [row] = rows;
      if (row === undefined) continue;
      assign({ ...given, rows }, (values) => {
        const change = target.table.update(row, values);
        if (change !== undefined) changes.push(change);
      });
    }
    return { rows: [], affectedRows: found.length, insertId: 0 };
  };
}

function runDelete(statement: Delete, tables: Tables): Statement['run'] {
  const source: Source = { table: statement.table, alias: statement.table, outer: false };
  const names = namesOf([source], tables);
  const matches = matcherOf([source], statement.where, names);
  const limit = limitOf(statement.limit, names);
  const table = tableOf(tables, statement.table);
  return (given, { changes }) => {
    const found = matches({ ...given, rows: [] }).slice(0, limit({ ...given, rows: [] }));
    for (const [row] of found) if (row !== undefined) changes.push(table.remove(row));
    return { rows: [], affectedRows: found.length, insertId: 0 };
  };
}

/** Parsed once, whatever databases come and go. */
const parsed = new Map<string, SqlStatement>();

function parseOnce(sql: string): SqlStatement {
  const known = parsed.get(sql);
  if (known !== undefined) return known;
  const syntax = parseSql(sql);
  parsed.set(sql, syntax);
  return syntax;
}

/** @throws {SqlSyntaxError} for what this implementation does not know */
export function compileStatement(sql: string, tables: Tables): Statement {
  const syntax = parseOnce(sql);
  switch (syntax.kind) {
    case 'select': {
      const select = compileSelect(syntax, tables);
      return {
        syntax,
        locks: syntax.locking,
        run: (given) => ({
          rows: rowsOfSelect(select, { ...given, rows: [] }),
          affectedRows: 0,
          insertId: 0,
        }),
      };
    }
    case 'insert':
      return { syntax, locks: true, run: runInsert(syntax, tables) };
    case 'update':
      return { syntax, locks: true, run: runUpdate(syntax, tables) };
    case 'delete':
      return { syntax, locks: true, run: runDelete(syntax, tables) };
  }
}
