/** SQL text as a syntax tree: recursive descent. */
import {
  type Assignment,
  type Delete,
  type Insert,
  type Order,
  type Output,
  type Select,
  type Source,
  type SqlExpression,
  type SqlStatement,
  SqlSyntaxError,
  type Update,
} from './sql-syntax.ts';

const TOKEN =
  /(?<skip>\s+|--.*)|(?<word>[A-Za-z_]\w*|`[^`]+`)|(?<number>\d+)|(?<string>'(?:[^'\\]|'')*'|"(?:[^"\\]|"")*")|(?<symbol><>|!=|<=|>=|[-+*/()<>=,.?])/y;

interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'symbol' | 'end';
  readonly text: string;
}

function tokenize(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < sql.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(sql)?.groups;
    if (groups === undefined)
      throw new SqlSyntaxError(`unexpected ${JSON.stringify(sql.slice(at, at + 20))} in: ${sql}`);
    const { word, number, string, symbol } = groups;
    if (word !== undefined) tokens.push({ kind: 'word', text: word.replaceAll('`', '') });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (string !== undefined) tokens.push({ kind: 'string', text: string.slice(1, -1).replaceAll("''", "'") });
    else if (symbol !== undefined) tokens.push({ kind: 'symbol', text: symbol });
  }
  return tokens;
}

const END: Token = { kind: 'end', text: 'the end' };
/** Words that cannot be an alias. */
const RESERVED = new Set(
  'ON WHERE ORDER GROUP LIMIT JOIN LEFT INNER CROSS SET FOR LOCK AND OR AS VALUES SELECT FROM USING UNION'.split(' '),
);
const COMPARISONS: ReadonlySet<string> = new Set(['=', '<>', '!=', '<', '<=', '>', '>=']);

class Parser {
  readonly #sql: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #parameters = 0;

  constructor(sql: string) {
    this.#sql = sql;
    this.#tokens = tokenize(sql);
  }

  statement(): SqlStatement {
    const statement = this.#anyStatement();
    if (this.#peek() !== END) throw this.#unexpected();
    return statement;
  }

  #anyStatement(): SqlStatement {
    if (this.#is('SELECT')) return this.#select();
    if (this.#take('INSERT')) return this.#insert();
    if (this.#take('UPDATE')) return this.#update();
    if (this.#take('DELETE')) return this.#delete();
    throw this.#unexpected();
  }

  // --- tokens -------------------------------------------------------------------------------------------------------

  #peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? END;
  }

  #is(text: string, ahead = 0): boolean {
    const token = this.#peek(ahead);
    return token.kind === 'word' ? token.text.toUpperCase() === text : token.kind === 'symbol' && token.text === text;
  }

  #take(...texts: readonly string[]): boolean {
    if (!texts.every((text, index) => this.#is(text, index))) return false;
    this.#at += texts.length;
    return true;
  }

  #expect(...texts: readonly string[]): void {
    if (!this.#take(...texts)) throw this.#unexpected(texts.join(' '));
  }

  #word(): string {
    const token = this.#peek();
    if (token.kind !== 'word') throw this.#unexpected('a name');
    this.#at += 1;
    return token.text;
  }

  #unexpected(wanted = 'something else'): SqlSyntaxError {
    return new SqlSyntaxError(`${wanted} belongs where ${this.#peek().text} is in: ${this.#sql}`);
  }

  #listOf<Item>(item: () => Item): readonly Item[] {
    const items = [item()];
    while (this.#take(',')) items.push(item());
    return items;
  }

  // --- statements ---------------------------------------------------------------------------------------------------

  #select(): Select {
    this.#expect('SELECT');
    const outputs = this.#listOf(() => this.#output());
    const sources = this.#take('FROM') ? this.#sources() : [];
    const where = this.#where();
    const groupBy = this.#take('GROUP', 'BY') ? this.#listOf(() => this.#expression()) : [];
    const orderBy = this.#take('ORDER', 'BY') ? this.#listOf(() => this.#order()) : [];
    const limit = this.#limit();
    const locking =
      this.#take('FOR', 'UPDATE') || this.#take('FOR', 'SHARE') || this.#take('LOCK', 'IN', 'SHARE', 'MODE');
    if (locking) this.#take('SKIP', 'LOCKED');
    return { kind: 'select', outputs, sources, where, groupBy, orderBy, limit, locking };
  }

  #output(): Output {
    if (this.#take('*')) return { expression: undefined, table: undefined, name: '*' };
    if (this.#is('.', 1) && this.#is('*', 2)) {
      const table = this.#word();
      this.#expect('.', '*');
      return { expression: undefined, table, name: '*' };
    }
    const expression = this.#expression();
    const fallback = expression.kind === 'column' ? expression.name : '';
    return { expression, table: undefined, name: this.#take('AS') ? this.#word() : fallback };
  }

  #sources(): readonly Source[] {
    const sources: Source[] = [{ ...this.#source(), outer: false }];
    for (;;) {
      const outer = this.#take('LEFT', 'JOIN');
      if (!outer && !this.#take('JOIN') && !this.#take('INNER', 'JOIN')) return sources;
      const { table, alias } = this.#source();
      this.#expect('ON');
      sources.push({ table, alias, on: this.#expression(), outer });
    }
  }

  #source(): { readonly table: string; readonly alias: string } {
    const table = this.#word();
    this.#take('AS');
    const { kind, text } = this.#peek();
    if (kind === 'word' && !RESERVED.has(text.toUpperCase())) return { table, alias: this.#word() };
    return { table, alias: table };
  }

  #where(): SqlExpression | undefined {
    return this.#take('WHERE') ? this.#expression() : undefined;
  }

  #order(): Order {
    const by = this.#expression();
    const descending = this.#take('DESC');
    if (!descending) this.#take('ASC');
    return { by, descending };
  }

  #limit(): SqlExpression | undefined {
    return this.#take('LIMIT') ? this.#expression() : undefined;
  }

  #insert(): Insert {
    const ignore = this.#take('IGNORE');
    this.#expect('INTO');
    const table = this.#word();
    this.#expect('(');
    const columns = this.#listOf(() => this.#word());
    this.#expect(')');
    const rows = this.#rows();
    const onDuplicate = this.#take('ON', 'DUPLICATE', 'KEY', 'UPDATE') ? this.#listOf(() => this.#assignment()) : [];
    return { kind: 'insert', table, ignore, columns, rows, onDuplicate };
  }

  #rows(): Insert['rows'] {
    if (this.#is('SELECT')) return { kind: 'select', select: this.#select() };
    this.#expect('VALUES');
    if (this.#take('?')) return { kind: 'parameter', index: this.#nextParameter() };
    const rows = this.#listOf(() => {
      this.#expect('(');
      const row = this.#listOf(() => this.#expression());
      this.#expect(')');
      return row;
    });
    return { kind: 'rows', rows };
  }

  #assignment(): Assignment {
    const first = this.#word();
    const second = this.#take('.') ? this.#word() : undefined;
    this.#expect('=');
    const value = this.#expression();
    return second === undefined ? { table: undefined, column: first, value } : { table: first, column: second, value };
  }

  #update(): Update {
    const sources = this.#sources();
    this.#expect('SET');
    const assignments = this.#listOf(() => this.#assignment());
    return { kind: 'update', sources, assignments, where: this.#where(), limit: this.#limit() };
  }

  #delete(): Delete {
    this.#expect('FROM');
    const table = this.#word();
    const where = this.#where();
    // Which rows go first makes no difference to what is deleted in the end.
    if (this.#take('ORDER', 'BY')) this.#listOf(() => this.#order());
    return { kind: 'delete', table, where, limit: this.#limit() };
  }

  // --- expressions --------------------------------------------------------------------------------------------------

  #nextParameter(): number {
    this.#parameters += 1;
    return this.#parameters - 1;
  }

  #expression(): SqlExpression {
    let left = this.#conjunction();
    while (this.#take('OR')) left = { kind: 'binary', operator: 'OR', left, right: this.#conjunction() };
    return left;
  }

  #conjunction(): SqlExpression {
    let left = this.#negation();
    while (this.#take('AND')) left = { kind: 'binary', operator: 'AND', left, right: this.#negation() };
    return left;
  }

  #negation(): SqlExpression {
    return this.#take('NOT') ? { kind: 'not', operand: this.#negation() } : this.#comparison();
  }

  #comparison(): SqlExpression {
    const left = this.#sum();
    const { kind, text } = this.#peek();
    if (kind === 'symbol' && COMPARISONS.has(text)) {
      this.#at += 1;
      return { kind: 'binary', operator: text === '!=' ? '<>' : text, left, right: this.#sum() };
    }
    if (this.#take('IS')) {
      const negated = this.#take('NOT');
      this.#expect('NULL');
      return { kind: 'isNull', operand: left, negated };
    }
    if (this.#take('BETWEEN')) {
      const from = this.#sum();
      this.#expect('AND');
      const atLeast: SqlExpression = { kind: 'binary', operator: '>=', left, right: from };
      return {
        kind: 'binary',
        operator: 'AND',
        left: atLeast,
        right: { kind: 'binary', operator: '<=', left, right: this.#sum() },
      };
    }
    const negated = this.#take('NOT');
    if (this.#take('IN')) return this.#in(left, negated);
    if (negated) throw this.#unexpected('IN');
    return left;
  }

  #in(operand: SqlExpression, negated: boolean): SqlExpression {
    this.#expect('(');
    if (this.#is('SELECT')) {
      const select = this.#select();
      this.#expect(')');
      return { kind: 'inSelect', operand, select, negated };
    }
    const list = this.#listOf(() => this.#expression());
    this.#expect(')');
    return { kind: 'in', operand, list, negated };
  }

  #sum(): SqlExpression {
    let left = this.#primary();
    for (;;) {
      const operator = this.#is('+') ? '+' : this.#is('-') ? '-' : undefined;
      if (operator === undefined) return left;
      this.#at += 1;
      left = { kind: 'binary', operator, left, right: this.#primary() };
    }
  }

  #primary(): SqlExpression {
    const { kind, text } = this.#peek();
    if (kind === 'number' || kind === 'string') {
      this.#at += 1;
      return { kind: 'constant', value: kind === 'number' ? Number(text) : text };
    }
    if (this.#take('?')) return { kind: 'parameter', index: this.#nextParameter() };
    if (this.#take('NULL')) return { kind: 'constant', value: null };
    if (this.#take('EXISTS')) {
      this.#expect('(');
      const select = this.#select();
      this.#expect(')');
      return { kind: 'exists', select };
    }
    if (this.#take('(')) {
      const inner = this.#expression();
      this.#expect(')');
      return inner;
    }
    const name = this.#word();
    if (this.#take('(')) return this.#call(name.toUpperCase());
    return this.#take('.')
      ? { kind: 'column', table: name, name: this.#word() }
      : { kind: 'column', table: undefined, name };
  }

  #call(name: string): SqlExpression {
    if (name === 'COUNT' && this.#take('*')) {
      this.#expect(')');
      return { kind: 'countAll' };
    }
    const args = this.#is(')') ? [] : this.#listOf(() => this.#expression());
    this.#expect(')');
    const [first] = args;
    if (name === 'VALUES' && first?.kind === 'column') return { kind: 'inserted', name: first.name };
    return { kind: 'call', name, args };
  }
}

/** @throws {SqlSyntaxError} */
export function parseSql(sql: string): SqlStatement {
  return new Parser(sql).statement();
}
