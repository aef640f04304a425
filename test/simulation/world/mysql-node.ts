/** The simulated MySQL on the simulated network, and a pool of connections to it with as much of mysql2 as is used. */
import { LIMITS } from '@fest/server/limits';
import type { MysqlPool } from '@fest/server/platform/mysql';
import { afterWaiting, type Database, Session } from '../mysql/database.ts';
import { SqlError, type SqlParameter } from '../mysql/sql-error.ts';
import type { StatementResult } from '../mysql/statements.ts';
import type { SimulatedProcess } from './machine.ts';
import { Channel, type Network } from './network.ts';

type Request =
  | { readonly kind: 'query'; readonly sql: string; readonly values: readonly SqlParameter[] }
  | { readonly kind: 'begin' | 'commit' | 'rollback' };

interface Waiting {
  readonly session: Session;
  readonly request: Request;
  readonly untilMs: number;
  /** By MySQL's clock. */
  readonly startedAtMs: number;
  readonly answer: (outcome: () => StatementResult) => void;
}

const NOTHING: StatementResult = { rows: [], affectedRows: 0, insertId: 0 };
/** How long a statement waits for another transaction: less than callers wait for an answer. */
const LOCK_WAIT_MS = 5_000;

function storeError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

export class MysqlNode {
  readonly database: Database;
  readonly network: Network;
  readonly #connections = new Set<MysqlConnection>();
  readonly #parked: (() => void)[] = [];
  #waiting: Waiting[] = [];
  isUp = true;
  /** How its clock differs from the true time, milliseconds. */
  clockOffsetMs = 0;
  #hangs = false;
  /** How likely the answer of a statement is lost, with the connection. */
  lossRate = 0;
  /** How likely a statement that locks is chosen as the victim of a deadlock. */
  deadlockRate = 0;

  constructor(database: Database, network: Network) {
    this.database = database;
    this.network = network;
    database.onRelease = () => this.#tryAgainSoon();
  }

  createPool(process: SimulatedProcess, connectionLimit: number): MysqlPool {
    return new Pool(this, process, connectionLimit) as unknown as MysqlPool;
  }

  // --- faults -------------------------------------------------------------------------------------------------------

  stop(): void {
    this.isUp = false;
    this.#hangs = false;
    this.#parked.splice(0);
    this.#waiting = [];
    for (const connection of [...this.#connections]) connection.break();
  }

  start(): void {
    this.isUp = true;
  }

  hang(): void {
    this.#hangs = true;
  }

  goOn(): void {
    this.#hangs = false;
    for (const run of this.#parked.splice(0)) run();
  }

  // --- for connections ----------------------------------------------------------------------------------------------

  get hangs(): boolean {
    return this.#hangs;
  }

  add(connection: MysqlConnection): void {
    this.#connections.add(connection);
  }

  remove(connection: MysqlConnection): void {
    this.#connections.delete(connection);
    this.#waiting = this.#waiting.filter(({ session }) => session !== connection.session);
    this.database.close(connection.session);
  }

  whenResponsive(run: () => void): void {
    if (this.#hangs) this.#parked.push(run);
    else run();
  }

  /** Answers now, or when whoever is in the way has finished, or when that takes too long. */
  handle(session: Session, request: Request, answer: Waiting['answer']): void {
    const untilMs = this.network.loop.nowMs + (isLockRequest(request) ? lockWaitMs(request) : LOCK_WAIT_MS);
    const waiting: Waiting = { session, request, untilMs, startedAtMs: this.database.nowMs, answer };
    if (this.#attempt(waiting)) return;
    this.#waiting.push(waiting);
    this.network.loop.schedule(untilMs - this.network.loop.nowMs, undefined, () => this.#giveUp(waiting), true);
  }

  #attempt({ session, request, startedAtMs, answer }: Waiting): boolean {
    if (session.closed) return true;
    try {
      const outcome = this.#perform(session, request, startedAtMs);
      if (outcome === 'blocked') return false;
      answer(() => outcome);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      answer(() => {
        throw error;
      });
    }
    return true;
  }

  #perform(session: Session, request: Request, startedAtMs: number): StatementResult | 'blocked' {
    const { database } = this;
    if (request.kind === 'query') {
      if (session.inTransaction && this.network.random.chance(this.deadlockRate)) {
        database.rollback(session);
        throw new SqlError('ER_LOCK_DEADLOCK', 'Deadlock found when trying to get lock; try restarting transaction');
      }
      return database.execute(session, request.sql, request.values, startedAtMs);
    }
    database[request.kind](session);
    return NOTHING;
  }

  #giveUp(waiting: Waiting): void {
    if (!this.#waiting.includes(waiting)) return;
    this.#waiting = this.#waiting.filter((each) => each !== waiting);
    const { request, answer } = waiting;
    answer(() => afterWaiting(request.kind === 'query' ? request.sql : ''));
  }

  /** Whoever waits is asked again, in order, once the present statement is answered. */
  #tryAgainSoon(): void {
    if (this.#waiting.length === 0) return;
    this.network.loop.schedule(
      0,
      undefined,
      () => {
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const each of waiting) {
          if (!this.#attempt(each)) this.#waiting.push(each);
        }
      },
      true,
    );
  }
}

function isLockRequest(request: Request): request is Extract<Request, { kind: 'query' }> {
  return request.kind === 'query' && request.sql.startsWith('SELECT GET_LOCK');
}

/** `GET_LOCK(?, 8)` or `GET_LOCK(?, ?)`. */
function lockWaitMs({ sql, values }: Extract<Request, { kind: 'query' }>): number {
  const literal = /GET_LOCK\(\?, (\d+)\)/.exec(sql)?.[1];
  return Number(literal ?? values[1]) * 1000;
}

/** As mysql2's pool: connections are made when they are needed, up to the limit, and reused. */
class Pool {
  readonly #node: MysqlNode;
  readonly #process: SimulatedProcess;
  readonly #limit: number;
  readonly #idle = new Set<MysqlConnection>();
  readonly #line: { resolve(connection: MysqlConnection): void; reject(error: Error): void }[] = [];
  #open = 0;

  constructor(node: MysqlNode, process: SimulatedProcess, limit: number) {
    this.#node = node;
    this.#process = process;
    this.#limit = limit;
  }

  getConnection(): Promise<MysqlConnection> {
    const [idle] = this.#idle;
    if (idle !== undefined) {
      this.#idle.delete(idle);
      return Promise.resolve(idle);
    }
    return new Promise((resolve, reject) => {
      this.#line.push({ resolve, reject });
      this.#connectForLine();
    });
  }

  end(): Promise<void> {
    for (const connection of [...this.#idle]) connection.destroy();
    return Promise.resolve();
  }

  giveBack(connection: MysqlConnection): void {
    const next = this.#line.shift();
    if (next === undefined) this.#idle.add(connection);
    else next.resolve(connection);
  }

  forget(connection: MysqlConnection): void {
    this.#open -= 1;
    this.#idle.delete(connection);
    this.#connectForLine();
  }

  #connectForLine(): void {
    if (this.#line.length === 0 || this.#open >= this.#limit) return;
    this.#open += 1;
    const { loop } = this.#node.network;
    const giveUpMs = this.#node.hangs ? LIMITS.mysqlConnectTimeoutMs : undefined;
    loop.schedule(giveUpMs ?? 2 * this.#node.network.delayMs(), this.#process, () => {
      if (giveUpMs !== undefined || !this.#node.isUp) {
        this.#open -= 1;
        this.#line.shift()?.reject(storeError(giveUpMs === undefined ? 'ECONNREFUSED' : 'ETIMEDOUT'));
        this.#connectForLine();
        return;
      }
      this.giveBack(new MysqlConnection(this.#node, this.#process, this));
    });
  }
}

class MysqlConnection {
  readonly session = new Session();
  /** As deep as the server looks into mysql2's connection: its socket. */
  readonly connection = { stream: { destroy: () => this.destroy() } };
  readonly #node: MysqlNode;
  readonly #pool: Pool;
  readonly #process: SimulatedProcess;
  readonly #requests: Channel;
  readonly #replies: Channel;
  readonly #pending = new Set<(error: Error) => void>();
  readonly #onDeath: () => void;
  #closed = false;

  constructor(node: MysqlNode, process: SimulatedProcess, pool: Pool) {
    this.#node = node;
    this.#pool = pool;
    this.#process = process;
    this.#requests = new Channel(node.network, undefined);
    this.#replies = new Channel(node.network, process);
    this.#onDeath = () => this.#node.remove(this);
    process.onDeath.add(this.#onDeath);
    node.add(this);
  }

  async query(sql: string, values: readonly SqlParameter[] = []): Promise<[unknown, unknown[]]> {
    const { rows, affectedRows, insertId } = await this.#ask({ kind: 'query', sql, values });
    return [sql.trimStart().startsWith('SELECT') ? rows : { affectedRows, insertId }, []];
  }

  async beginTransaction(): Promise<void> {
    await this.#ask({ kind: 'begin' });
  }

  async commit(): Promise<void> {
    await this.#ask({ kind: 'commit' });
  }

  async rollback(): Promise<void> {
    await this.#ask({ kind: 'rollback' });
  }

  release(): void {
    if (!this.#closed) this.#pool.giveBack(this);
  }

  /** The process closes it; MySQL notices when it hears of it. */
  destroy(): void {
    if (this.#closed) return;
    this.#close();
    this.#requests.send(() => this.#node.remove(this));
    for (const reject of [...this.#pending]) reject(storeError('PROTOCOL_CONNECTION_LOST'));
  }

  /** The network or MySQL closes it: at once for MySQL, and for the process when it hears of it. */
  break(): void {
    if (this.#closed) return;
    this.#node.remove(this);
    this.#node.network.loop.schedule(0, this.#process, () => {
      if (this.#closed) return;
      this.#close();
      for (const reject of [...this.#pending]) reject(storeError('PROTOCOL_CONNECTION_LOST'));
    });
  }

  #close(): void {
    this.#closed = true;
    this.#process.onDeath.delete(this.#onDeath);
    this.#pool.forget(this);
  }

  #ask(request: Request): Promise<StatementResult> {
    if (this.#closed) return Promise.reject(new Error("Can't add new command when connection is in closed state"));
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        this.#pending.delete(fail);
        reject(error);
      };
      this.#pending.add(fail);
      const settle = (outcome: () => StatementResult): void => {
        if (!this.#pending.delete(fail)) return;
        try {
          resolve(outcome());
        } catch (error) {
          reject(error);
        }
      };
      this.#requests.send(() => this.#arrive(request, settle));
    });
  }

  #arrive(request: Request, settle: (outcome: () => StatementResult) => void): void {
    if (!this.#node.isUp || this.session.closed) return;
    this.#node.whenResponsive(() =>
      this.#node.handle(this.session, request, (outcome) => {
        if (this.#node.network.random.chance(this.#node.lossRate)) this.break();
        else this.#replies.send(() => settle(outcome));
      }),
    );
  }
}
