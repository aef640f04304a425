/**
 * Lua scripts as JavaScript functions, so that a simulated Redis runs the very scripts of the server millions of times
 * within minutes. The part of Lua 5.1 that scripts use, and nothing else: whatever is not known here refuses to compile.
 *
 * It is held against a real Redis by running the scripts' tables and random commands on both; see `fake-redis.test.ts`.
 */
import { parseLua } from './parser.ts';
import * as runtime from './runtime.ts';
import { LuaError, LuaTable, type LuaValue } from './runtime.ts';
import { type BinaryOperator, type Block, type Expression, LuaSyntaxError, type Statement } from './syntax.ts';

/** What a command of Redis replies. `{ ok }` is a status. */
export type Reply = number | string | null | readonly Reply[] | { readonly ok: string };

/** Runs a command for a script. @throws {LuaError} when Redis refuses it */
export type RunCommand = (name: string, args: string[]) => Reply;

export interface CompiledScript {
  /** From the line `#!lua flags=…`. */
  readonly flags: ReadonlySet<string>;
  /** @throws {LuaError} when the script fails, or replies an error */
  run(call: RunCommand, keys: readonly string[], args: readonly string[]): Reply;
}

/** Library functions with one value. Those with more are in `SEVERAL`. */
const LIBRARY: Readonly<Record<string, string>> = {
  tonumber: 'tonumber',
  tostring: 'textOf',
  error: 'raise',
  'string.format': 'format',
  'string.sub': 'sub',
  'string.len': 'lengthOf',
  'table.concat': 'join',
  'table.insert': 'insert',
  'math.max': 'max',
  'math.min': 'min',
  'math.floor': 'floor',
  'math.ceil': 'ceil',
  'redis.error_reply': 'errorReply',
  'redis.status_reply': 'statusReply',
};
const SEVERAL: Readonly<Record<string, (args: string) => string>> = {
  'string.match': (args) => `match(${args})`,
  unpack: (args) => `[...listOf(${args})]`,
};

const COMPARISONS: Readonly<Record<string, (left: string, right: string) => string>> = {
  '==': (left, right) => `(${left} === ${right})`,
  '~=': (left, right) => `(${left} !== ${right})`,
  '<': (left, right) => `isLess(${left}, ${right})`,
  '>': (left, right) => `isLess(${right}, ${left})`,
  '<=': (left, right) => `!isLess(${right}, ${left})`,
  '>=': (left, right) => `!isLess(${left}, ${right})`,
};

class Scope {
  readonly #outer: Scope | undefined;
  readonly #names = new Map<string, string>();

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  declare(name: string, as: string): void {
    this.#names.set(name, as);
  }

  find(name: string): string | undefined {
    return this.#names.get(name) ?? this.#outer?.find(name);
  }
}

class Compiler {
  #names = 0;

  chunk(block: Block): string {
    const scope = new Scope();
    scope.declare('KEYS', 'KEYS');
    scope.declare('ARGV', 'ARGV');
    return this.#function([], block, scope, '(call, KEYS, ARGV)');
  }

  // --- statements ---------------------------------------------------------------------------------------------------

  #function(parameters: readonly string[], body: Block, outer: Scope, head?: string): string {
    const scope = new Scope(outer);
    const names = parameters.map((name) => this.#declare(scope, name));
    return `${head ?? `(${names.join(', ')})`} => { let t; ${this.#block(body, scope)} return []; }`;
  }

  #declare(scope: Scope, name: string): string {
    this.#names += 1;
    const as = `${name}_${this.#names}`;
    scope.declare(name, as);
    return as;
  }

  #block(block: Block, scope: Scope): string {
    return block.map((statement) => this.#statement(statement, scope)).join('\n');
  }

  #inner(block: Block, scope: Scope): string {
    return `{ ${this.#block(block, new Scope(scope))} }`;
  }

  #statement(statement: Statement, scope: Scope): string {
    switch (statement.kind) {
      case 'local':
        return this.#local(statement.names, statement.values, scope);
      case 'localFunction': {
        const name = this.#declare(scope, statement.name);
        return `const ${name} = ${this.#expression(statement.value, scope)};`;
      }
      case 'assign':
        return this.#assign(statement.targets, statement.values, scope);
      case 'call':
        return `${this.#call(statement.call, scope).code};`;
      case 'if':
        return this.#if(statement, scope);
      case 'while':
        return `while (${this.#condition(statement.condition, scope)}) ${this.#inner(statement.body, scope)}`;
      case 'numericFor':
        return this.#numericFor(statement, scope);
      case 'genericFor':
        return this.#genericFor(statement, scope);
      case 'do':
        return this.#inner(statement.body, scope);
      case 'return':
        return `return [${this.#list(statement.values, scope)}];`;
      case 'break':
        return 'break;';
    }
  }

  #local(names: readonly string[], values: readonly Expression[], scope: Scope): string {
    if (names.length === 1 && values.length === 1) {
      const value = this.#expression(values[0], scope);
      return `let ${this.#declare(scope, names[0] ?? '')} = ${value};`;
    }
    const list = this.#list(values, scope);
    return `let [${names.map((name) => this.#declare(scope, name)).join(', ')}] = [${list}];`;
  }

  #assign(targets: readonly Expression[], values: readonly Expression[], scope: Scope): string {
    if (targets.length === 1 && values.length === 1) {
      return this.#store(targets[0], this.#expression(values[0], scope), scope);
    }
    this.#names += 1;
    const list = `values_${this.#names}`;
    const stores = targets.map((target, index) => this.#store(target, `${list}[${index}]`, scope));
    return `{ const ${list} = [${this.#list(values, scope)}]; ${stores.join(' ')} }`;
  }

  #store(target: Expression | undefined, value: string, scope: Scope): string {
    if (target?.kind === 'name') {
      const name = scope.find(target.name);
      if (name === undefined) throw new LuaSyntaxError(0, `${target.name} is a global; Redis refuses to set those`);
      return `${name} = ${value};`;
    }
    if (target?.kind !== 'index') throw new LuaSyntaxError(0, 'only names and fields can be set');
    return `set(${this.#expression(target.table, scope)}, ${this.#expression(target.key, scope)}, ${value});`;
  }

  #if({ branches, otherwise }: Extract<Statement, { kind: 'if' }>, scope: Scope): string {
    const chain = branches.map(
      ({ condition, body }) => `if (${this.#condition(condition, scope)}) ${this.#inner(body, scope)}`,
    );
    return chain.join(' else ') + (otherwise === undefined ? '' : ` else ${this.#inner(otherwise, scope)}`);
  }

  #numericFor(loop: Extract<Statement, { kind: 'numericFor' }>, scope: Scope): string {
    const [from, to] = [loop.from, loop.to].map((bound) => `numberOf(${this.#expression(bound, scope)})`);
    const step = loop.step === undefined ? 1 : loop.step.kind === 'number' ? loop.step.value : undefined;
    if (step === undefined || step <= 0) throw new LuaSyntaxError(0, 'a step has to be a positive number here');
    const inner = new Scope(scope);
    const name = this.#declare(inner, loop.name);
    const [at, end] = [`at_${name}`, `end_${name}`];
    return `for (let ${at} = ${from}, ${end} = ${to}; ${at} <= ${end}; ${at} += ${step}) { let ${name} = ${at}; ${this.#block(loop.body, inner)} }`;
  }

  #genericFor({ names, iterator, body }: Extract<Statement, { kind: 'genericFor' }>, scope: Scope): string {
    const callee = iterator.kind === 'call' ? pathOf(iterator.callee, scope) : undefined;
    if (iterator.kind !== 'call' || (callee !== 'ipairs' && callee !== 'string.gmatch')) {
      throw new LuaSyntaxError(0, 'a loop goes over ipairs(…) or string.gmatch(…) here');
    }
    const args = this.#list(iterator.args, scope);
    const inner = new Scope(scope);
    const [first, second] = names.map((name) => this.#declare(inner, name));
    if (callee === 'string.gmatch') {
      if (second !== undefined) throw new LuaSyntaxError(0, 'string.gmatch has one value here');
      return `for (let ${first} of allMatches(${args})) { ${this.#block(body, inner)} }`;
    }
    const list = `list_${first}`;
    const value = second === undefined ? '' : `let ${second} = ${list}[${first} - 1];`;
    return `{ const ${list} = listOf(${args}); for (let ${first} = 1; ${first} <= ${list}.length; ${first} += 1) { ${value} ${this.#block(body, inner)} } }`;
  }

  // --- expressions --------------------------------------------------------------------------------------------------

  /** One value. */
  #expression(expression: Expression | undefined, scope: Scope): string {
    switch (expression?.kind) {
      case undefined:
      case 'nil':
        return 'undefined';
      case 'true':
      case 'false':
        return expression.kind;
      case 'number':
        return String(expression.value);
      case 'string':
        return JSON.stringify(expression.value);
      case 'name':
        return this.#name(expression.name, scope);
      case 'parentheses':
        return `(${this.#expression(expression.inner, scope)})`;
      case 'index':
        return `get(${this.#expression(expression.table, scope)}, ${this.#expression(expression.key, scope)})`;
      case 'call': {
        const { code, several } = this.#call(expression, scope);
        return several ? `${code}[0]` : code;
      }
      case 'function':
        return `(${this.#function(expression.parameters, expression.body, scope)})`;
      case 'table':
        return this.#table(expression, scope);
      case 'unary':
        return this.#unary(expression, scope);
      case 'binary':
        return this.#binary(expression, scope);
    }
  }

  /** Values in a row; a call at the end gives all of its. */
  #list(expressions: readonly Expression[], scope: Scope): string {
    return expressions
      .map((expression, index) => {
        if (expression.kind !== 'call' || index < expressions.length - 1) return this.#expression(expression, scope);
        const { code, several } = this.#call(expression, scope);
        return several ? `...${code}` : code;
      })
      .join(', ');
  }

  #name(name: string, scope: Scope): string {
    const found = scope.find(name);
    if (found === undefined) throw new LuaSyntaxError(0, `the global ${name} is not known here`);
    return found;
  }

  #call(expression: Expression, scope: Scope): { readonly code: string; readonly several: boolean } {
    if (expression.kind !== 'call') throw new LuaSyntaxError(0, 'a call belongs here');
    const { callee, args, line } = expression;
    const path = pathOf(callee, scope);
    if (path === undefined)
      return { code: `${this.#expression(callee, scope)}(${this.#list(args, scope)})`, several: true };
    if (path === 'redis.call') return { code: this.#command(args, scope, line), several: false };
    const several = SEVERAL[path];
    if (several !== undefined) return { code: several(this.#list(args, scope)), several: true };
    const single = LIBRARY[path];
    if (single === undefined) throw new LuaSyntaxError(line, `the function ${path} is not known here`);
    return { code: `${single}(${this.#list(args, scope)})`, several: false };
  }

  #command(args: readonly Expression[], scope: Scope, line: number): string {
    const [name, ...rest] = args;
    if (name?.kind !== 'string') throw new LuaSyntaxError(line, 'redis.call takes the command as a literal here');
    const last = rest.at(-1);
    const spreads = last?.kind === 'call' && this.#call(last, scope).several;
    const texts = rest.map((arg, index) => {
      if (arg.kind === 'string') return JSON.stringify(arg.value);
      if (spreads && index === rest.length - 1) return `...${this.#call(arg, scope).code}.map(argumentOf)`;
      return `argumentOf(${this.#expression(arg, scope)})`;
    });
    return `fromReply(call(${JSON.stringify(name.value.toUpperCase())}, [${texts.join(', ')}]))`;
  }

  #table({ items }: Extract<Expression, { kind: 'table' }>, scope: Scope): string {
    const list = items.flatMap(({ key, value }) => (key === undefined ? [value] : []));
    const pairs = items.flatMap(({ key, value }) =>
      key === undefined ? [] : [`[${this.#expression(key, scope)}, ${this.#expression(value, scope)}]`],
    );
    return `tableOf([${this.#list(list, scope)}], [${pairs.join(', ')}])`;
  }

  #unary({ operator, operand }: Extract<Expression, { kind: 'unary' }>, scope: Scope): string {
    if (operator === 'not') return `!(${this.#condition(operand, scope)})`;
    const value = this.#expression(operand, scope);
    return operator === '#' ? `lengthOf(${value})` : `(-numberOf(${value}))`;
  }

  #binary(expression: Extract<Expression, { kind: 'binary' }>, scope: Scope): string {
    const { operator } = expression;
    const left = this.#expression(expression.left, scope);
    const right = this.#expression(expression.right, scope);
    // The temporary is read before the other side runs, so one for all of them is enough.
    if (operator === 'or') return `((t = ${left}) !== undefined && t !== false ? t : ${right})`;
    if (operator === 'and') return `((t = ${left}) === undefined || t === false ? t : ${right})`;
    if (operator === '..') return `concat(${left}, ${right})`;
    const comparison = COMPARISONS[operator];
    return comparison === undefined ? arithmetic(operator, left, right) : comparison(left, right);
  }

  /** A boolean of JavaScript. */
  #condition(expression: Expression, scope: Scope): string {
    if (expression.kind === 'parentheses') return `(${this.#condition(expression.inner, scope)})`;
    if (expression.kind === 'unary' && expression.operator === 'not')
      return `!(${this.#condition(expression.operand, scope)})`;
    if (expression.kind === 'binary') {
      const { operator, left, right } = expression;
      if (operator === 'and') return `(${this.#condition(left, scope)} && ${this.#condition(right, scope)})`;
      if (operator === 'or') return `(${this.#condition(left, scope)} || ${this.#condition(right, scope)})`;
      if (operator in COMPARISONS) return this.#binary(expression, scope);
    }
    return `((t = ${this.#expression(expression, scope)}) !== undefined && t !== false)`;
  }
}

function arithmetic(operator: BinaryOperator, left: string, right: string): string {
  if (operator === '%') return `modulo(numberOf(${left}), numberOf(${right}))`;
  return `(numberOf(${left}) ${operator} numberOf(${right}))`;
}

/** `string.match`, `tonumber`: a global function. Undefined when it begins with a local. */
function pathOf(callee: Expression, scope: Scope): string | undefined {
  if (callee.kind === 'name') return scope.find(callee.name) === undefined ? callee.name : undefined;
  if (callee.kind !== 'index' || callee.key.kind !== 'string') return undefined;
  const outer = pathOf(callee.table, scope);
  return outer === undefined ? undefined : `${outer}.${callee.key.value}`;
}

// --- between Redis and Lua -------------------------------------------------------------------------------------------

function fromReply(reply: Reply): LuaValue {
  if (reply === null) return false;
  if (typeof reply !== 'object') return reply;
  if ('ok' in reply) return runtime.statusReply(reply.ok);
  return new LuaTable(reply.map(fromReply));
}

function toReply(value: LuaValue): Reply {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Math.trunc(value);
  if (value === undefined || value === false) return null;
  if (value === true) return 1;
  if (!(value instanceof LuaTable)) throw new LuaError('ERR a function cannot be a reply');
  const error = value.fields.get('err');
  if (typeof error === 'string') throw new LuaError(error);
  const status = value.fields.get('ok');
  return typeof status === 'string' ? { ok: status } : value.list.map(toReply);
}

type Program = (call: RunCommand, keys: LuaTable, args: LuaTable) => LuaValue[];

/** @throws {LuaSyntaxError} for what this implementation does not know */
export function compileLua(source: string): CompiledScript {
  const environment = { ...runtime, fromReply };
  const names = Object.keys(environment);
  const code = new Compiler().chunk(parseLua(source));
  const program: Program = new Function(...names, `"use strict"; return ${code}`)(...Object.values(environment));
  const flags = /^#!lua[^\n]*\bflags=(\S+)/.exec(source)?.[1]?.split(',') ?? [];
  return {
    flags: new Set(flags),
    run: (call, keys, args) => toReply(program(call, new LuaTable([...keys]), new LuaTable([...args]))[0]),
  };
}
