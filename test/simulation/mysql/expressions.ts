/** SQL expressions as functions. Null is unknown: it spreads through comparisons and is not true. */

import { SqlError, type SqlParameter, type SqlScalar } from './sql-error.ts';
import { type Select, type SqlExpression, SqlSyntaxError } from './sql-syntax.ts';
import type { Row, Table } from './table.ts';

/** What a statement is run with. */
export interface Given {
  readonly parameters: readonly SqlParameter[];
  /** When it began, whole seconds. */
  readonly unixSeconds: number;
}

/** One combination of rows, by position in FROM. */
export interface Scene extends Given {
  readonly rows: readonly (Row | undefined)[];
  /** The row that ON DUPLICATE KEY UPDATE could not insert. */
  readonly inserted?: Row;
  /** Rows of a group, for aggregates. */
  readonly group?: readonly (readonly (Row | undefined)[])[];
  /** The scene around a subquery. */
  readonly outer?: Scene;
}

export type Evaluate = (scene: Scene) => SqlScalar;

export interface Names {
  readonly sources: readonly { readonly alias: string; readonly table: Table }[];
  readonly outer?: Names;
  /** Runs a subquery; returns its rows as lists. */
  readonly subquery: (select: Select, names: Names) => (scene: Scene) => readonly SqlScalar[][];
}

function scalar(value: SqlParameter | undefined): SqlScalar {
  if (value === undefined) throw new SqlSyntaxError('a parameter is missing');
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value as SqlScalar;
  throw new SqlSyntaxError('a list is given where one value belongs');
}

/** Less than zero, zero, or more; null when one of them is unknown. */
export function compare(left: SqlScalar, right: SqlScalar): number | null {
  if (left === null || right === null) return null;
  if (Buffer.isBuffer(left) || Buffer.isBuffer(right))
    return Buffer.compare(Buffer.from(left as Buffer), Buffer.from(right as Buffer));
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0;
  return Number(left) - Number(right);
}

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

function truth(value: SqlScalar): boolean | null {
  return value === null ? null : Number(value) !== 0;
}

function fromTruth(value: boolean | null): SqlScalar {
  return value === null ? null : Number(value);
}

function and(left: boolean | null, right: () => boolean | null): boolean | null {
  if (left === false) return false;
  const other = right();
  if (other === false) return false;
  return left === null || other === null ? null : true;
}

function columnOf(name: string, table: string | undefined, names: Names): Evaluate {
  const index = names.sources.findIndex((source) =>
    table === undefined ? source.table.hasColumn(name) : source.alias === table && source.table.hasColumn(name),
  );
  if (index >= 0) return ({ rows }) => rows[index]?.[name] ?? null;
  if (names.outer === undefined) throw new SqlError('ER_BAD_FIELD_ERROR', `Unknown column '${name}' in 'field list'`);
  const outer = columnOf(name, table, names.outer);
  return (scene) => {
    if (scene.outer === undefined) throw new SqlSyntaxError(`${name} is of a scene that is not there`);
    return outer(scene.outer);
  };
}

function extreme(values: readonly SqlScalar[], isBetter: (order: number) => boolean): SqlScalar {
  let best: SqlScalar = null;
  for (const value of values) {
    const order = compare(value, best);
    if (best === null ? value !== null : order !== null && isBetter(order)) best = value;
  }
  return best;
}

const AGGREGATES: Readonly<Record<string, (values: readonly SqlScalar[]) => SqlScalar>> = {
  MAX: (values) => extreme(values, (order) => order > 0),
  MIN: (values) => extreme(values, (order) => order < 0),
  COUNT: (values) => values.filter((value) => value !== null).length,
  SUM: (values) => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce<number>((sum, value) => sum + Number(value), 0);
  },
};

/** Null when one of them is. */
const FUNCTIONS: Readonly<Record<string, (values: readonly SqlScalar[], given: Given) => SqlScalar>> = {
  GREATEST: (values) => (values.includes(null) ? null : extreme(values, (order) => order > 0)),
  LEAST: (values) => (values.includes(null) ? null : extreme(values, (order) => order < 0)),
  CONCAT: (values) => (values.includes(null) ? null : values.map(String).join('')),
  // The default collation does not regard case.
  LOCATE: ([part = null, text = null]) =>
    part === null || text === null ? null : String(text).toLowerCase().indexOf(String(part).toLowerCase()) + 1,
  DATABASE: () => 'simulated',
  UNIX_TIMESTAMP: (_, { unixSeconds }) => unixSeconds,
};

function callOf(name: string, args: readonly SqlExpression[], names: Names): Evaluate {
  const parts = args.map((arg) => compileExpression(arg, names));
  const aggregate = AGGREGATES[name];
  if (aggregate !== undefined) {
    const [first] = parts;
    if (first === undefined) throw new SqlSyntaxError(`${name} of nothing`);
    return (scene) => aggregate((scene.group ?? []).map((rows) => first({ ...scene, rows })));
  }
  if (name === 'COALESCE') {
    return (scene) => {
      for (const part of parts) {
        const value = part(scene);
        if (value !== null) return value;
      }
      return null;
    };
  }
  if (name === 'IF') {
    const [condition, then, otherwise] = parts;
    if (condition === undefined || then === undefined || otherwise === undefined)
      throw new SqlSyntaxError('IF takes three');
    return (scene) => (truth(condition(scene)) === true ? then(scene) : otherwise(scene));
  }
  const work = FUNCTIONS[name];
  if (work === undefined) throw new SqlSyntaxError(`the function ${name} is not simulated`);
  return (scene) =>
    work(
      parts.map((part) => part(scene)),
      scene,
    );
}

function binaryOf({ operator, left, right }: Extract<SqlExpression, { kind: 'binary' }>, names: Names): Evaluate {
  const first = compileExpression(left, names);
  const second = compileExpression(right, names);
  if (operator === 'AND') return (scene) => fromTruth(and(truth(first(scene)), () => truth(second(scene))));
  if (operator === 'OR') {
    const negated = (value: boolean | null): boolean | null => (value === null ? null : !value);
    return (scene) => fromTruth(negated(and(negated(truth(first(scene))), () => negated(truth(second(scene))))));
  }
  const comparison = COMPARISONS[operator];
  if (comparison !== undefined) {
    return (scene) => {
      const order = compare(first(scene), second(scene));
      return order === null ? null : Number(comparison(order));
    };
  }
  return (scene) => {
    const [a, b] = [first(scene), second(scene)];
    if (a === null || b === null) return null;
    return operator === '+' ? Number(a) + Number(b) : Number(a) - Number(b);
  };
}

/** The values of a list, with lists that were given as parameters spread. */
export function compileList(list: readonly SqlExpression[], names: Names): (scene: Scene) => readonly SqlScalar[] {
  const parts = list.map((item) => {
    if (item.kind !== 'parameter') {
      const value = compileExpression(item, names);
      return (scene: Scene): readonly SqlScalar[] => [value(scene)];
    }
    const { index } = item;
    return ({ parameters }: Scene): readonly SqlScalar[] => {
      const given = parameters[index];
      return Array.isArray(given) ? given.map(scalar) : [scalar(given)];
    };
  });
  return (scene) => parts.flatMap((part) => part(scene));
}

function isAmong(value: SqlScalar, list: readonly SqlScalar[]): boolean | null {
  if (value === null) return null;
  if (list.some((item) => compare(value, item) === 0)) return true;
  return list.includes(null) ? null : false;
}

function inOf(
  operand: SqlExpression,
  values: (scene: Scene) => readonly SqlScalar[],
  negated: boolean,
  names: Names,
): Evaluate {
  const value = compileExpression(operand, names);
  return (scene) => {
    const found = isAmong(value(scene), values(scene));
    return fromTruth(found === null ? null : found !== negated);
  };
}

export function compileExpression(expression: SqlExpression, names: Names): Evaluate {
  switch (expression.kind) {
    case 'constant': {
      const { value } = expression;
      return () => value;
    }
    case 'parameter': {
      const { index } = expression;
      return ({ parameters }) => scalar(parameters[index]);
    }
    case 'column':
      return columnOf(expression.name, expression.table, names);
    case 'inserted': {
      const { name } = expression;
      return ({ inserted }) => inserted?.[name] ?? null;
    }
    case 'countAll':
      return ({ group }) => group?.length ?? 0;
    case 'call':
      return callOf(expression.name, expression.args, names);
    case 'not': {
      const operand = compileExpression(expression.operand, names);
      return (scene) => {
        const value = truth(operand(scene));
        return fromTruth(value === null ? null : !value);
      };
    }
    case 'isNull': {
      const operand = compileExpression(expression.operand, names);
      const { negated } = expression;
      return (scene) => Number((operand(scene) === null) !== negated);
    }
    case 'in':
      return inOf(expression.operand, compileList(expression.list, names), expression.negated, names);
    case 'inSelect': {
      const rows = names.subquery(expression.select, names);
      return inOf(expression.operand, (scene) => rows(scene).map((row) => row[0] ?? null), expression.negated, names);
    }
    case 'exists': {
      const rows = names.subquery(expression.select, names);
      return (scene) => Number(rows(scene).length > 0);
    }
    case 'binary':
      return binaryOf(expression, names);
  }
}

/** Whether an aggregate stands in it, so that it is about a group and not about a row. */
export function isAggregate(expression: SqlExpression | undefined): boolean {
  switch (expression?.kind) {
    case 'countAll':
      return true;
    case 'call':
      return expression.name in AGGREGATES || expression.args.some(isAggregate);
    case 'binary':
      return isAggregate(expression.left) || isAggregate(expression.right);
    default:
      return false;
  }
}

export function isTrue(evaluate: Evaluate | undefined, scene: Scene): boolean {
  return evaluate === undefined || truth(evaluate(scene)) === true;
}
