/**
 * A MySQL in this process's memory, as far as the server uses it: the statements it sends, over the tables its migrations
 * declare, with sessions, transactions and named locks.
 *
 * Transactions run one at a time: the first statement of one that changes or locks something waits until the one before
 * has ended. Reads without a lock never wait, and see what is committed (and, in a transaction, its own changes). That is
 * stricter than InnoDB: what goes wrong only under weaker isolation does not happen here.
 */

import type { Given } from './expressions.ts';
import { readSchemas, type TableSchema } from './schema.ts';
import { SqlError, type SqlParameter, type SqlScalar } from './sql-error.ts';
import { compileStatement, type Effects, type Statement, type StatementResult } from './statements.ts';
import { type Change, type Row, Table } from './table.ts';

let sessions = 0;

function nextSessionId(): number {
  sessions += 1;
  return sessions;
}

/** A connection as the server sees it. */
export class Session {
  readonly id = nextSessionId();
  inTransaction = false;
  /** Of the transaction, or of the statement that runs by itself. */
  readonly changes: Change[] = [];
  readonly locks = new Set<string>();
  closed = false;
}

/** `blocked`: to be asked again once something was released. */
export type Outcome = StatementResult | 'blocked';

const NOTHING: StatementResult = { rows: [], affectedRows: 0, insertId: 0 };

/** What was done, in order, and what came of it: to be done again on a real MySQL. */
export type Recorded =
  | { readonly kind: 'begin' | 'commit' | 'rollback' | 'close'; readonly session: number }
  | {
      readonly kind: 'query';
      readonly session: number;
      readonly sql: string;
      readonly parameters: readonly SqlParameter[];
      /** MySQL's clock. */
      readonly unixSeconds: number;
      readonly rows: readonly Row[];
      readonly affectedRows: number;
      /** MySQL's code when it was refused. */
      readonly code?: string;
    };

export interface DatabaseOptions {
  /** Its clock, Unix milliseconds. */
  readonly nowMs: () => number;
  readonly record?: (recorded: Recorded) => void;
  /** Called before a row is inserted; throws to refuse it. */
  readonly beforeInsert?: Effects['beforeInsert'];
  /** Called with what a transaction, or a statement by itself, has changed for good. */
  readonly onCommit?: (changes: readonly Change[]) => void;
}

export class Database {
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #statements = new Map<string, Statement>();
  readonly #options: DatabaseOptions;
  readonly #namedLocks = new Map<string, Session>();
  /** The session whose transaction has changed or locked something. */
  #writer: Session | undefined;
  /** Called when something was released that others may wait for. */
  onRelease: () => void = () => undefined;

  constructor(schemas: readonly TableSchema[], options: DatabaseOptions) {
    this.#tables = new Map(schemas.map((schema) => [schema.name, new Table(schema)]));
    this.#options = options;
  }

  static async create(options: DatabaseOptions): Promise<Database> {
    return new Database(await readSchemas(), options);
  }

  /** By its own clock, Unix milliseconds. */
  get nowMs(): number {
    return this.#options.nowMs();
  }

  /** Committed rows, for looking at them without being a client. */
  rows(table: string): readonly Row[] {
    return this.#committed(() => [...(this.#tables.get(table)?.rows ?? [])]);
  }

  find(table: string, keyColumn: string, value: SqlScalar): Row | undefined {
    return this.#committed(() => this.#tables.get(table)?.findByKey(keyColumn, value));
  }

  // --- statements ---------------------------------------------------------------------------------------------------

  /**
   * @param startedAtMs by this database's clock; earlier than now for a statement that was blocked
   * @throws {SqlError} when the statement is refused: it has changed nothing
   */
  execute(
    session: Session,
    sql: string,
    parameters: readonly SqlParameter[],
    startedAtMs: number = this.nowMs,
  ): Outcome {
    const { record } = this.#options;
    const given: Given = { parameters, unixSeconds: Math.floor(startedAtMs / 1000) };
    if (record === undefined) return this.#execute(session, sql, given);
    const query = { kind: 'query', session: session.id, sql, ...given } as const;
    try {
      const outcome = this.#execute(session, sql, given);
      if (outcome !== 'blocked') record({ ...query, rows: outcome.rows, affectedRows: outcome.affectedRows });
      return outcome;
    } catch (error) {
      if (error instanceof SqlError) record({ ...query, rows: [], affectedRows: 0, code: error.code });
      throw error;
    }
  }

  #execute(session: Session, sql: string, given: Given): Outcome {
    const lock = /^SELECT (GET|RELEASE)_LOCK\(/.exec(sql);
    if (lock !== null) return this.#namedLock(session, sql, given.parameters, lock[1] === 'GET');
    const statement = this.#compiled(sql);
    if (!statement.locks) return this.#read(session, statement, given);
    if (this.#writer !== undefined && this.#writer !== session) return 'blocked';
    return this.#write(session, statement, given);
  }

  begin(session: Session): void {
    this.#options.record?.({ kind: 'begin', session: session.id });
    session.inTransaction = true;
  }

  commit(session: Session): void {
    this.#options.record?.({ kind: 'commit', session: session.id });
    this.#end(session, true);
  }

  rollback(session: Session): void {
    this.#options.record?.({ kind: 'rollback', session: session.id });
    this.#undo(session);
  }

  #undo(session: Session): void {
    for (const change of session.changes.toReversed()) change.table.undo(change);
    this.#end(session, false);
  }

  /** The connection is gone. */
  close(session: Session): void {
    this.#options.record?.({ kind: 'close', session: session.id });
    session.closed = true;
    this.#undo(session);
    for (const name of session.locks) this.#namedLocks.delete(name);
    session.locks.clear();
    this.onRelease();
  }

  #end(session: Session, committed: boolean): void {
    const changes = session.changes.splice(0);
    session.inTransaction = false;
    const wasWriter = this.#writer === session;
    if (wasWriter) this.#writer = undefined;
    if (committed && changes.length > 0) this.#options.onCommit?.(changes);
    if (wasWriter) this.onRelease();
  }

  #compiled(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = compileStatement(sql, this.#tables);
    this.#statements.set(sql, statement);
    return statement;
  }

  #read(session: Session, statement: Statement, given: Given): StatementResult {
    const run = (): StatementResult => statement.run(given, this.#effects([]));
    return this.#writer === undefined || this.#writer === session ? run() : this.#committed(run);
  }

  #write(session: Session, statement: Statement, given: Given): StatementResult {
    const changes: Change[] = [];
    try {
      const result = statement.run(given, this.#effects(changes));
      session.changes.push(...changes);
      if (session.inTransaction) this.#writer = session;
      else this.#end(session, true);
      return result;
    } catch (error) {
      for (const change of changes.toReversed()) change.table.undo(change);
      throw error;
    }
  }

  #effects(changes: Change[]): Effects {
    return { changes, beforeInsert: this.#options.beforeInsert ?? (() => undefined) };
  }

  /** Looks at the tables as they are without the transaction that is under way. */
  #committed<Result>(look: () => Result): Result {
    const changes = this.#writer?.changes ?? [];
    for (const change of changes.toReversed()) change.table.undo(change);
    try {
      return look();
    } finally {
      for (const change of changes) change.table.redo(change);
    }
  }

  #namedLock(session: Session, sql: string, parameters: readonly SqlParameter[], take: boolean): Outcome {
    const name = String(parameters[0]);
    const column = /\bAS (\w+)/.exec(sql)?.[1] ?? 'result';
    const holder = this.#namedLocks.get(name);
    if (!take) {
      if (holder !== session) return { ...NOTHING, rows: [{ [column]: 0 }] };
      this.#namedLocks.delete(name);
      session.locks.delete(name);
      this.onRelease();
      return { ...NOTHING, rows: [{ [column]: 1 }] };
    }
    if (holder !== undefined && holder !== session) return 'blocked';
    this.#namedLocks.set(name, session);
    session.locks.add(name);
    return { ...NOTHING, rows: [{ [column]: 1 }] };
  }
}

/** What a statement that waited for too long is answered. */
export function afterWaiting(sql: string): StatementResult {
  const column = /^SELECT GET_LOCK\(.*\bAS (\w+)/.exec(sql)?.[1];
  if (column !== undefined) return { ...NOTHING, rows: [{ [column]: 0 }] };
  throw new SqlError('ER_LOCK_WAIT_TIMEOUT', 'Lock wait timeout exceeded; try restarting transaction');
}
