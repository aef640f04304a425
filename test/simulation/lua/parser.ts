/** Lua tokens as a syntax tree: recursive descent, with operator precedence as the manual of Lua 5.1 (section 2.5.6) has it. */
import {
  type BinaryOperator,
  type Block,
  type Branch,
  type Expression,
  LuaSyntaxError,
  type Statement,
  type TableItem,
  type UnaryOperator,
} from './syntax.ts';
import { type Token, tokenize } from './tokens.ts';

/** Left and right binding power; a higher right power makes an operator left-associative. */
const POWERS: Readonly<Record<BinaryOperator, readonly [number, number]>> = {
  or: [1, 2],
  and: [3, 4],
  '<': [5, 6],
  '>': [5, 6],
  '<=': [5, 6],
  '>=': [5, 6],
  '~=': [5, 6],
  '==': [5, 6],
  '..': [8, 7],
  '+': [9, 10],
  '-': [9, 10],
  '*': [11, 12],
  '/': [11, 12],
  '%': [11, 12],
};
const UNARY_POWER = 13;
const UNARY: ReadonlySet<string> = new Set<UnaryOperator>(['not', '#', '-']);
const BLOCK_ENDS: ReadonlySet<string> = new Set(['end', 'else', 'elseif', 'until', 'the end']);

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(source: string) {
    this.#tokens = tokenize(source);
  }

  chunk(): Block {
    const block = this.#block();
    if (this.#peek().kind !== 'end') throw this.#unexpected();
    return block;
  }

  // --- tokens -------------------------------------------------------------------------------------------------------

  #peek(ahead = 0): Token {
    const token = this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)];
    if (token === undefined) throw new LuaSyntaxError(0, 'there is nothing');
    return token;
  }

  #next(): Token {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }

  #is(text: string, ahead = 0): boolean {
    const token = this.#peek(ahead);
    return token.text === text && (token.kind === 'symbol' || token.kind === 'keyword');
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unexpected(text);
  }

  #name(): string {
    const token = this.#next();
    if (token.kind !== 'name') throw new LuaSyntaxError(token.line, `a name belongs where ${token.text} is`);
    return token.text;
  }

  #unexpected(wanted?: string): LuaSyntaxError {
    const { text, line } = this.#peek();
    return new LuaSyntaxError(line, wanted === undefined ? `unexpected ${text}` : `${wanted} belongs where ${text} is`);
  }

  // --- statements ---------------------------------------------------------------------------------------------------

  #block(): Block {
    const statements: Statement[] = [];
    for (;;) {
      while (this.#take(';'));
      const { kind, text } = this.#peek();
      if ((kind === 'keyword' || kind === 'end') && BLOCK_ENDS.has(text)) return statements;
      statements.push(this.#statement());
    }
  }

  #blockUntilEnd(): Block {
    const block = this.#block();
    this.#expect('end');
    return block;
  }

  #statement(): Statement {
    if (this.#take('local')) return this.#local();
    if (this.#take('if')) return this.#if();
    if (this.#take('for')) return this.#for();
    if (this.#take('while')) return this.#while();
    if (this.#take('do')) return { kind: 'do', body: this.#blockUntilEnd() };
    if (this.#take('return')) return this.#return();
    if (this.#take('break')) return { kind: 'break' };
    return this.#assignmentOrCall();
  }

  #local(): Statement {
    if (this.#take('function')) {
      const name = this.#name();
      return { kind: 'localFunction', name, value: this.#functionBody() };
    }
    const names = [this.#name()];
    while (this.#take(',')) names.push(this.#name());
    return { kind: 'local', names, values: this.#take('=') ? this.#expressions() : [] };
  }

  #if(): Statement {
    const branches: Branch[] = [];
    do {
      const condition = this.#expression();
      this.#expect('then');
      branches.push({ condition, body: this.#block() });
    } while (this.#take('elseif'));
    const otherwise = this.#take('else') ? this.#block() : undefined;
    this.#expect('end');
    return { kind: 'if', branches, otherwise };
  }

  #while(): Statement {
    const condition = this.#expression();
    this.#expect('do');
    return { kind: 'while', condition, body: this.#blockUntilEnd() };
  }

  #for(): Statement {
    const names = [this.#name()];
    if (this.#take('=')) {
      const from = this.#expression();
      this.#expect(',');
      const to = this.#expression();
      const step = this.#take(',') ? this.#expression() : undefined;
      this.#expect('do');
      return { kind: 'numericFor', name: names[0] ?? '', from, to, step, body: this.#blockUntilEnd() };
    }
    while (this.#take(',')) names.push(this.#name());
    this.#expect('in');
    const iterator = this.#expression();
    this.#expect('do');
    return { kind: 'genericFor', names, iterator, body: this.#blockUntilEnd() };
  }

  #return(): Statement {
    const { kind, text } = this.#peek();
    const isBare = text === ';' || ((kind === 'keyword' || kind === 'end') && BLOCK_ENDS.has(text));
    const values = isBare ? [] : this.#expressions();
    this.#take(';');
    return { kind: 'return', values };
  }

  #assignmentOrCall(): Statement {
    const first = this.#postfix();
    if (first.kind === 'call') return { kind: 'call', call: first };
    const targets: Expression[] = [first];
    while (this.#take(',')) targets.push(this.#postfix());
    this.#expect('=');
    return { kind: 'assign', targets, values: this.#expressions() };
  }

  // --- expressions --------------------------------------------------------------------------------------------------

  #expressions(): readonly Expression[] {
    const expressions = [this.#expression()];
    while (this.#take(',')) expressions.push(this.#expression());
    return expressions;
  }

  #expression(power = 0): Expression {
    let left = this.#unary();
    for (;;) {
      const { kind, text } = this.#peek();
      const powers = kind === 'symbol' || kind === 'keyword' ? POWERS[text as BinaryOperator] : undefined;
      if (powers === undefined || powers[0] <= power) return left;
      this.#next();
      left = { kind: 'binary', operator: text as BinaryOperator, left, right: this.#expression(powers[1] - 1) };
    }
  }

  #unary(): Expression {
    const { kind, text } = this.#peek();
    if (kind !== 'string' && UNARY.has(text)) {
      this.#next();
      return { kind: 'unary', operator: text as UnaryOperator, operand: this.#expression(UNARY_POWER - 1) };
    }
    return this.#simple();
  }

  #simple(): Expression {
    const { kind, text } = this.#peek();
    if (kind === 'number') {
      this.#next();
      return { kind: 'number', value: Number(text) };
    }
    if (kind === 'string') {
      this.#next();
      return { kind: 'string', value: text };
    }
    if (this.#take('nil')) return { kind: 'nil' };
    if (this.#take('true')) return { kind: 'true' };
    if (this.#take('false')) return { kind: 'false' };
    if (this.#take('function')) return this.#functionBody();
    if (this.#is('{')) return this.#table();
    return this.#postfix();
  }

  #primary(): Expression {
    if (this.#take('(')) {
      const inner = this.#expression();
      this.#expect(')');
      return { kind: 'parentheses', inner };
    }
    return { kind: 'name', name: this.#name() };
  }

  #postfix(): Expression {
    let expression: Expression = this.#primary();
    for (;;) {
      const { line } = this.#peek();
      if (this.#take('.')) {
        expression = { kind: 'index', table: expression, key: { kind: 'string', value: this.#name() } };
      } else if (this.#take('[')) {
        expression = { kind: 'index', table: expression, key: this.#expression() };
        this.#expect(']');
      } else if (this.#take('(')) {
        const args = this.#is(')') ? [] : this.#expressions();
        this.#expect(')');
        expression = { kind: 'call', callee: expression, args, line };
      } else {
        return expression;
      }
    }
  }

  #functionBody(): Expression {
    this.#expect('(');
    const parameters: string[] = [];
    if (!this.#is(')')) {
      do parameters.push(this.#name());
      while (this.#take(','));
    }
    this.#expect(')');
    return { kind: 'function', parameters, body: this.#blockUntilEnd() };
  }

  #table(): Expression {
    this.#expect('{');
    const items: TableItem[] = [];
    while (!this.#is('}')) {
      items.push(this.#tableItem());
      if (!this.#take(',') && !this.#take(';')) break;
    }
    this.#expect('}');
    return { kind: 'table', items };
  }

  #tableItem(): TableItem {
    if (this.#take('[')) {
      const key = this.#expression();
      this.#expect(']');
      this.#expect('=');
      return { key, value: this.#expression() };
    }
    if (this.#peek().kind === 'name' && this.#is('=', 1)) {
      const key: Expression = { kind: 'string', value: this.#name() };
      this.#expect('=');
      return { key, value: this.#expression() };
    }
    return { value: this.#expression() };
  }
}

/** @throws {LuaSyntaxError} */
export function parseLua(source: string): Block {
  return new Parser(source).chunk();
}
