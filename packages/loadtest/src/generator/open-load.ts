/**
 * People who come at a rate of their own, whatever the server does (open load). Each request has a time at which it is due: the
 * arrival, or what the last answer told; latencies count from then, so that neither a slow server nor a slow generator is left out.
 * Connections are few and kept, as those of a load balancer are.
 */
import { connect, type Socket } from 'node:net';
import { type Answer, AnswerParser } from './answer-parser.ts';
import { VISIT_KINDS, type VisitKind, type Visitor } from './visitors.ts';

export interface OpenLoadOptions {
  readonly host: string;
  readonly port: number;
  readonly arrivalsPerSecond: number;
  /** Arrivals before the measured window, and how long that is. */
  readonly leadInMs: number;
  readonly measuredMs: number;
  /** Opened beforehand. More requests at once than this wait in the generator, and are late for it. */
  readonly connections: number;
  /** @param index of the arrival; undefined: there is nobody left */
  readonly visitorOf: (index: number) => Visitor | undefined;
  /** Called at the beginning and at the end of the window. */
  readonly onWindow: (edge: 'begin' | 'end') => void;
  /** 0 … 1 without 1. */
  readonly random: () => number;
  readonly signal?: AbortSignal;
}

export interface KindTally {
  /** Due in the window. */
  due: number;
  /** Answers in the window by status; 0: the connection failed. */
  readonly statuses: Record<number, number>;
  /** Of answers in the window that served, from when they were due, milliseconds. */
  readonly latenciesMs: number[];
}

export interface OpenLoadResult {
  readonly seconds: number;
  readonly arrivals: number;
  /** Whose orders were told to be durable in the window. */
  readonly orders: number;
  readonly kinds: Readonly<Record<VisitKind, KindTally>>;
  /** Requests that were due and not sent when the window ended: no connection was free. */
  readonly unsent: number;
  /** How long requests that were due waited for the generator, or for a connection, 99th percentile, milliseconds. */
  readonly sentLateP99Ms: number;
  readonly faults: readonly string[];
}

/** One look at what is due. */
const TICK_MS = 1;
const BUFFER_BYTES = 8 * 1024;
/** Connections that are opened at once. */
const CONNECTING = 50;
const FAULTS_MAX = 5;
/** A failed connection is tried again after this. */
const RECONNECT_MS = 500;

interface Due {
  readonly atMs: number;
  readonly visitor: Visitor;
}

/** @throws when the signal aborts, with its reason */
export function runOpenLoad(options: OpenLoadOptions): Promise<OpenLoadResult> {
  return new OpenLoad(options).result;
}

class OpenLoad {
  readonly result: Promise<OpenLoadResult>;
  readonly #options: OpenLoadOptions;
  readonly #done = Promise.withResolvers<void>();
  readonly #later = new DueHeap();
  /** Due, and waiting for a connection; from `#head` on. */
  #line: Due[] = [];
  #head = 0;
  readonly #free: PooledConnection[] = [];
  readonly #open = new Set<PooledConnection>();
  #beganMs = 0;
  #nextArrivalMs = 0;
  #arrived = 0;
  #nobodyLeft = false;
  #window: 'before' | 'open' | 'after' = 'before';
  #windowBeganMs = 0;
  #windowEndedMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #arrivals = 0;
  #orders = 0;
  #unsent = 0;
  readonly #lags: number[] = [];
  readonly #faults: string[] = [];
  readonly #kinds = Object.fromEntries(
    VISIT_KINDS.map((kind) => [kind, { due: 0, statuses: {}, latenciesMs: [] }]),
  ) as unknown as Record<VisitKind, KindTally>;

  constructor(options: OpenLoadOptions) {
    this.#options = options;
    const { signal } = options;
    const aborted = (): void => this.#done.reject(signal?.reason);
    if (signal?.aborted === true) aborted();
    signal?.addEventListener('abort', aborted, { once: true });
    this.#openAll().then(
      () => {
        this.#beganMs = performance.now();
        this.#timer = setTimeout(() => this.#tick(), TICK_MS);
      },
      (error: unknown) => this.#done.reject(error),
    );
    this.result = this.#done.promise
      .finally(() => {
        clearTimeout(this.#timer);
        signal?.removeEventListener('abort', aborted);
        for (const connection of this.#open) connection.close();
      })
      .then(() => this.#summary());
  }

  /** A server whose loop is busy accepts few connections in each round of it, so a load balancer has them before. */
  async #openAll(): Promise<void> {
    while (this.#open.size < this.#options.connections) {
      const batch: PooledConnection[] = [];
      while (batch.length < CONNECTING) {
        const connection = this.#connect();
        if (connection === undefined) break;
        batch.push(connection);
      }
      await Promise.all(batch.map(({ connected }) => connected));
      this.#free.push(...batch);
    }
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#arrive(nowMs);
    for (let due = this.#later.take(nowMs); due !== undefined; due = this.#later.take(nowMs)) this.#enqueue(due);
    this.#send(nowMs);
    if (this.#moveWindow(nowMs)) this.#done.resolve();
    else this.#timer?.refresh();
  }

  #arrive(nowMs: number): void {
    const { arrivalsPerSecond, random, visitorOf } = this.#options;
    if (this.#nextArrivalMs === 0) this.#nextArrivalMs = nowMs;
    while (this.#nextArrivalMs <= nowMs && !this.#nobodyLeft) {
      const visitor = visitorOf(this.#arrived);
      if (visitor === undefined) {
        this.#nobodyLeft = true;
        this.#fault('there are not enough accounts for so many arrivals');
        return;
      }
      this.#arrived += 1;
      if (this.#window === 'open') this.#arrivals += 1;
      this.#enqueue({ atMs: this.#nextArrivalMs, visitor });
      // Independent of each other: a Poisson process.
      this.#nextArrivalMs += (-Math.log(1 - random()) * 1_000) / arrivalsPerSecond;
    }
  }

  #enqueue(due: Due): void {
    if (this.#window === 'open') this.#kinds[due.visitor.kind].due += 1;
    this.#line.push(due);
  }

  #send(nowMs: number): void {
    while (this.#head < this.#line.length) {
      const connection = this.#free.pop() ?? this.#connect();
      if (connection === undefined) return;
      const due = this.#line[this.#head] as Due;
      this.#head += 1;
      if (this.#window === 'open') this.#lags.push(Math.max(0, nowMs - due.atMs));
      connection.send(due);
      if (this.#head > 4_096 && this.#head * 2 > this.#line.length) {
        this.#line = this.#line.slice(this.#head);
        this.#head = 0;
      }
    }
  }

  #connect(): PooledConnection | undefined {
    if (this.#open.size >= this.#options.connections) return undefined;
    const connection = new PooledConnection(this.#options, {
      answered: (due, answer) => this.#answered(connection, due, answer),
      failed: (due, fault) => this.#failed(connection, due, fault),
    });
    this.#open.add(connection);
    return connection;
  }

  #answered(connection: PooledConnection, { atMs, visitor }: Due, { status, body }: Answer): void {
    const nowMs = performance.now();
    const tally = this.#kinds[visitor.kind];
    if (this.#window === 'open') {
      tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
      if (status < 300) tally.latenciesMs.push(nowMs - atMs);
    }
    try {
      const move = visitor.answered(status, body);
      if (move === 'ordered' && this.#window === 'open') this.#orders += 1;
      if (typeof move === 'object') this.#again(visitor, nowMs, move.afterMs);
    } catch (error) {
      this.#fault(error instanceof Error ? error.message : String(error));
    }
    this.#free.push(connection);
    this.#send(nowMs);
  }

  #again(visitor: Visitor, nowMs: number, afterMs: number): void {
    const due = { atMs: nowMs + afterMs, visitor };
    if (afterMs === 0) this.#enqueue(due);
    else this.#later.put(due);
  }

  #failed(connection: PooledConnection, due: Due | undefined, fault: string): void {
    this.#open.delete(connection);
    const at = this.#free.indexOf(connection);
    if (at !== -1) this.#free.splice(at, 1);
    // An idle connection may be closed at any time.
    if (due === undefined) return;
    this.#fault(fault);
    const { statuses } = this.#kinds[due.visitor.kind];
    if (this.#window === 'open') statuses[0] = (statuses[0] ?? 0) + 1;
    this.#again(due.visitor, performance.now(), RECONNECT_MS);
  }

  #fault(fault: string): void {
    if (this.#faults.length < FAULTS_MAX) this.#faults.push(fault);
  }

  /** True when it is over. */
  #moveWindow(nowMs: number): boolean {
    const { leadInMs, measuredMs, onWindow } = this.#options;
    const elapsedMs = nowMs - this.#beganMs;
    if (this.#window === 'before' && elapsedMs >= leadInMs) {
      this.#window = 'open';
      this.#windowBeganMs = nowMs;
      onWindow('begin');
    } else if (this.#window === 'open' && elapsedMs >= leadInMs + measuredMs) {
      this.#window = 'after';
      this.#windowEndedMs = nowMs;
      this.#unsent = this.#line.length - this.#head;
      onWindow('end');
      return true;
    }
    return false;
  }

  #summary(): OpenLoadResult {
    const lags = this.#lags.sort((a, b) => a - b);
    return {
      seconds: (this.#windowEndedMs - this.#windowBeganMs) / 1_000,
      arrivals: this.#arrivals,
      orders: this.#orders,
      kinds: this.#kinds,
      unsent: this.#unsent,
      sentLateP99Ms: lags[Math.ceil(lags.length * 0.99) - 1] ?? 0,
      faults: this.#faults,
    };
  }
}

interface ConnectionListener {
  answered(due: Due, answer: Answer): void;
  failed(due: Due | undefined, fault: string): void;
}

class PooledConnection {
  readonly connected: Promise<void>;
  readonly #socket: Socket;
  readonly #parser = new AnswerParser();
  readonly #listener: ConnectionListener;
  #sent: Due | undefined;
  #isClosed = false;

  constructor({ host, port }: Pick<OpenLoadOptions, 'host' | 'port'>, listener: ConnectionListener) {
    this.#listener = listener;
    this.#socket = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(BUFFER_BYTES),
        callback: (count, buffer) => {
          this.#read(Buffer.from(buffer.buffer, buffer.byteOffset, count));
          return true;
        },
      },
    });
    this.connected = new Promise((resolve, reject) => {
      this.#socket.once('connect', resolve).once('error', reject);
    });
    // A connection that is made while people come has nobody to wait for it.
    this.connected.catch(() => undefined);
    this.#socket.on('error', (error) => this.#fail(`a connection failed: ${error.message}`));
    this.#socket.on('close', () => this.#fail('the server closed a connection'));
  }

  /** Before it is connected too: it is sent as soon as it is. */
  send(due: Due): void {
    this.#sent = due;
    this.#socket.write(due.visitor.bytes());
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#isClosed) return;
    try {
      const answer = this.#parser.take(chunk);
      if (answer === undefined) return;
      const sent = this.#sent;
      if (sent === undefined) throw new Error('an answer to nothing');
      this.#sent = undefined;
      this.#listener.answered(sent, answer);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  #fail(fault: string): void {
    if (this.#isClosed) return;
    this.close();
    this.#listener.failed(this.#sent, fault);
  }
}

/** A binary heap by time. */
class DueHeap {
  readonly #items: Due[] = [];

  put(due: Due): void {
    const items = this.#items;
    let at = items.push(due) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((items[parent] as Due).atMs <= due.atMs) break;
      items[at] = items[parent] as Due;
      at = parent;
    }
    items[at] = due;
  }

  /** The first one, if it is due. */
  take(nowMs: number): Due | undefined {
    const [first] = this.#items;
    if (first === undefined || first.atMs > nowMs) return undefined;
    const last = this.#items.pop() as Due;
    if (this.#items.length > 0) this.#sink(last);
    return first;
  }

  #sink(due: Due): void {
    const items = this.#items;
    let at = 0;
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      const right = child + 1;
      if (right < items.length && (items[right] as Due).atMs < (items[child] as Due).atMs) child = right;
      if ((items[child] as Due).atMs >= due.atMs) break;
      items[at] = items[child] as Due;
      at = child;
    }
    items[at] = due;
  }
}
