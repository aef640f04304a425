/**
 * What compiled scripts stand on: Lua's values in JavaScript and the library functions that the scripts use.
 *
 * Lua → JavaScript: nil → undefined, booleans, numbers (doubles in Lua 5.1 as well) and strings as they are, tables →
 * `LuaTable`, functions → functions that return an array of their values.
 */

export type LuaValue = undefined | boolean | number | string | LuaTable | LuaFunction;
export type LuaFunction = (...args: LuaValue[]) => LuaValue[];

/** The script fails with this message, as Redis would report it. */
export class LuaError extends Error {
  override readonly name = 'LuaError';
}

export class LuaTable {
  /** Item 1 is at index 0; without holes. */
  readonly list: LuaValue[];
  readonly fields = new Map<LuaValue, LuaValue>();

  constructor(list: LuaValue[] = []) {
    this.list = list;
  }
}

function typeOf(value: LuaValue): string {
  if (value === undefined) return 'nil';
  if (value instanceof LuaTable) return 'table';
  return typeof value;
}

// --- numbers and texts -----------------------------------------------------------------------------------------------

const INTEGER = /^-?\d{1,15}$/;
const NUMBER = /^\s*-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

export function tonumber(value: LuaValue): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  return INTEGER.test(value) || NUMBER.test(value) ? Number(value) : undefined;
}

/** C's `%.<digits>g`. */
function formatG(value: number, digits: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 10 ** Math.min(digits, 15))
    return Object.is(value, -0) ? '-0' : String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf';
  const exponent = Number(value.toExponential(digits - 1).split('e')[1]);
  const trimmed = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (exponent >= -4 && exponent < digits) return trimmed(value.toFixed(Math.max(0, digits - 1 - exponent)));
  const mantissa = trimmed(value.toExponential(digits - 1).split('e')[0] ?? '');
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** As Lua 5.1 writes a number into a text: 14 digits. */
export function textOf(value: LuaValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatG(value, 14);
  if (typeof value === 'boolean') return String(value);
  if (value === undefined) return 'nil';
  throw new LuaError(`ERR a ${typeOf(value)} has no text here`);
}

/** An argument of `redis.call`: Redis writes numbers with 17 digits, so that integers stay exact. */
export function argumentOf(value: LuaValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatG(value, 17);
  throw new LuaError('ERR Lua redis lib command arguments must be strings or integers');
}

export function concat(left: LuaValue, right: LuaValue): string {
  for (const part of [left, right]) {
    if (typeof part !== 'string' && typeof part !== 'number')
      throw new LuaError(`ERR attempt to concatenate a ${typeOf(part)} value`);
  }
  return textOf(left) + textOf(right);
}

/** Operand of an arithmetic operator: texts that are numbers count as numbers. */
export function numberOf(value: LuaValue): number {
  if (typeof value === 'number') return value;
  const number = tonumber(value);
  if (number === undefined) throw new LuaError(`ERR attempt to perform arithmetic on a ${typeOf(value)} value`);
  return number;
}

export function modulo(left: number, right: number): number {
  return left - Math.floor(left / right) * right;
}

export function isLess(left: LuaValue, right: LuaValue): boolean {
  if (typeof left === 'number' && typeof right === 'number') return left < right;
  if (typeof left === 'string' && typeof right === 'string') return left < right;
  throw new LuaError(`ERR attempt to compare ${typeOf(left)} with ${typeOf(right)}`);
}

// --- tables ----------------------------------------------------------------------------------------------------------

export function get(table: LuaValue, key: LuaValue): LuaValue {
  if (!(table instanceof LuaTable)) throw new LuaError(`ERR attempt to index a ${typeOf(table)} value`);
  if (typeof key === 'number' && key >= 1 && key <= table.list.length) return table.list[key - 1];
  return table.fields.get(key);
}

export function set(table: LuaValue, key: LuaValue, value: LuaValue): void {
  if (!(table instanceof LuaTable)) throw new LuaError(`ERR attempt to index a ${typeOf(table)} value`);
  const { list, fields } = table;
  if (typeof key === 'number' && key >= 1 && key <= list.length) {
    if (value === undefined && key < list.length) throw new LuaError('ERR a hole in a list is not supported here');
    if (value === undefined) list.pop();
    else list[key - 1] = value;
  } else if (key === list.length + 1) {
    if (value !== undefined) list.push(value);
  } else if (value === undefined) {
    fields.delete(key);
  } else {
    fields.set(key, value);
  }
}

export function lengthOf(value: LuaValue): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (value instanceof LuaTable) return value.list.length;
  throw new LuaError(`ERR attempt to get length of a ${typeOf(value)} value`);
}

export function listOf(value: LuaValue): readonly LuaValue[] {
  if (value instanceof LuaTable) return value.list;
  throw new LuaError(`ERR bad argument to 'ipairs' (table expected, got ${typeOf(value)})`);
}

/** A table from a constructor: nil items are left out at the end, which is all the scripts need. */
export function tableOf(list: LuaValue[], pairs: readonly (readonly [LuaValue, LuaValue])[]): LuaTable {
  while (list.length > 0 && list.at(-1) === undefined) list.pop();
  if (list.includes(undefined)) throw new LuaError('ERR a hole in a list is not supported here');
  const table = new LuaTable(list);
  for (const [key, value] of pairs) set(table, key, value);
  return table;
}

// --- patterns --------------------------------------------------------------------------------------------------------

const CLASSES: Readonly<Record<string, string>> = {
  a: '[A-Za-z]',
  d: '\\d',
  l: '[a-z]',
  s: '[ \\t\\n\\v\\f\\r]',
  S: '[^ \\t\\n\\v\\f\\r]',
  u: '[A-Z]',
  w: '[A-Za-z0-9]',
  x: '[0-9A-Fa-f]',
};

const patterns = new Map<string, RegExp>();

/** Lua's patterns of classes, anchors, captures and greedy repetition as a regular expression. */
function regularExpression(pattern: string): RegExp {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? '';
    if (character === '%') {
      at += 1;
      const escaped = pattern[at] ?? '';
      const asClass = CLASSES[escaped];
      if (asClass === undefined && /\w/.test(escaped))
        throw new LuaError(`ERR the pattern class %${escaped} is not supported here`);
      source += asClass ?? `\\${escaped}`;
    } else if (character === '-') {
      source += '*?';
    } else if (/[[\]]/.test(character)) {
      throw new LuaError(`ERR the pattern ${pattern} is not supported here`);
    } else {
      source += /[{}|\\]/.test(character) ? `\\${character}` : character;
    }
  }
  const expression = new RegExp(source, 'g');
  patterns.set(pattern, expression);
  return expression;
}

export function match(text: LuaValue, pattern: LuaValue): LuaValue[] {
  const expression = regularExpression(textOf(pattern));
  expression.lastIndex = 0;
  const found = expression.exec(stringArgument(text, 'match'));
  if (found === null) return [undefined];
  return found.length > 1 ? found.slice(1) : [found[0]];
}

/** The first values of all matches, for a loop with one name. */
export function allMatches(text: LuaValue, pattern: LuaValue): readonly LuaValue[] {
  const expression = regularExpression(textOf(pattern));
  expression.lastIndex = 0;
  return [...stringArgument(text, 'gmatch').matchAll(expression)].map((found) => found[1] ?? found[0]);
}

function stringArgument(value: LuaValue, name: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return textOf(value);
  throw new LuaError(`ERR bad argument to '${name}' (string expected, got ${typeOf(value)})`);
}

// --- libraries -------------------------------------------------------------------------------------------------------

/** Texts are of one byte a character in all scripts: ids, numbers and words. */
export function sub(text: LuaValue, from: LuaValue, to: LuaValue = -1): string {
  const string = stringArgument(text, 'sub');
  const start = numberOf(from);
  const end = numberOf(to);
  const first = start < 0 ? Math.max(1, string.length + start + 1) : Math.max(1, start);
  const last = end < 0 ? string.length + end + 1 : Math.min(string.length, end);
  return string.slice(first - 1, Math.max(first - 1, last));
}

export function format(pattern: LuaValue, ...values: LuaValue[]): string {
  let next = 0;
  return textOf(pattern).replaceAll(/%(\.0f|d|s|%)/g, (_, conversion: string) => {
    if (conversion === '%') return '%';
    const value = values[next];
    next += 1;
    if (conversion === 's') return textOf(value);
    // Both round to an integer here, and integers of a double's exact range print in full.
    return numberOf(value).toFixed(0);
  });
}

export function join(table: LuaValue, separator: LuaValue = ''): string {
  return listOf(table).map(textOf).join(textOf(separator));
}

export function insert(table: LuaValue, value: LuaValue): void {
  set(table, lengthOf(table) + 1, value);
}

export function max(first: LuaValue, ...rest: LuaValue[]): number {
  return Math.max(numberOf(first), ...rest.map(numberOf));
}

export function min(first: LuaValue, ...rest: LuaValue[]): number {
  return Math.min(numberOf(first), ...rest.map(numberOf));
}

export function floor(value: LuaValue): number {
  return Math.floor(numberOf(value));
}

export function ceil(value: LuaValue): number {
  return Math.ceil(numberOf(value));
}

export function errorReply(message: LuaValue): LuaTable {
  return tableOf([], [['err', textOf(message)]]);
}

export function statusReply(message: LuaValue): LuaTable {
  return tableOf([], [['ok', textOf(message)]]);
}

export function raise(message: LuaValue): never {
  throw new LuaError(message instanceof LuaTable ? textOf(get(message, 'err')) : `ERR ${textOf(message)}`);
}
