/**
 * Load as fast as a server takes it (closed loop): so many lanes, each a keep-alive connection with one request under way.
 * Made to cost little: requests are bytes made beforehand, answers are read in one buffer for each connection.
 */
import { connect, type Socket } from 'node:net';
import { type Answer, AnswerParser } from './answer-parser.ts';
import { DONE, type Exchange, type Lane, type Work } from './work.ts';

export interface GenerateOptions {
  readonly host: string;
  readonly port: number;
  readonly lanes: number;
  /** Units finished before the measured window begins, and units still to come when it ends: at both ends lanes are idle. */
  readonly leadIn: number;
  readonly leadOut: number;
  /** No answer for this long is a fault, milliseconds. */
  readonly silenceMs: number;
  /** Called at the beginning and at the end of the window, in between two answers. */
  readonly onWindow: (edge: 'begin' | 'end') => void;
  readonly signal?: AbortSignal;
}

export interface GenerateResult {
  /** In the window. */
  readonly units: number;
  readonly requests: number;
  readonly seconds: number;
  /** All answers, the window's and those around it: `kind status`. */
  readonly answers: Readonly<Record<string, number>>;
  /** Everything that came otherwise than expected; the first one ended the run. Empty: the run counts. */
  readonly faults: readonly string[];
}

/** Larger than any answer the measured paths give. */
const BUFFER_BYTES = 16 * 1024;

/** @throws when the signal aborts, with its reason */
export function generate(work: Work, options: GenerateOptions): Promise<GenerateResult> {
  return new Run(work, options).result;
}

class Run {
  readonly result: Promise<GenerateResult>;
  readonly #work: Work;
  readonly #options: GenerateOptions;
  readonly #connections: Connection[] = [];
  readonly #answers = new Map<Exchange['kind'], Map<number, number>>();
  readonly #faults: string[] = [];
  readonly #settle: { resolve(): void; reject(reason: unknown): void };
  #units = 0;
  #requests = 0;
  #beginAt: { readonly ms: number; readonly units: number; readonly requests: number } | undefined;
  #end: { readonly ms: number; readonly units: number; readonly requests: number } | undefined;
  #lastAnswerAt = performance.now();

  constructor(work: Work, options: GenerateOptions) {
    this.#work = work;
    this.#options = options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#settle = { resolve, reject };
    this.result = promise.finally(() => this.#closeAll()).then(() => this.#summary());
    this.#start();
  }

  #start(): void {
    const { lanes, signal, silenceMs } = this.#options;
    const aborted = (): void => this.#settle.reject(signal?.reason);
    if (signal?.aborted === true) {
      aborted();
      return;
    }
    signal?.addEventListener('abort', aborted, { once: true });
    const watch = setTimeout(() => this.#watch(watch), silenceMs);
    this.result
      .finally(() => {
        clearTimeout(watch);
        signal?.removeEventListener('abort', aborted);
      })
      .catch(() => undefined);
    for (let index = 0; index < Math.min(lanes, this.#work.units); index += 1) {
      this.#connections.push(
        new Connection(this.#work.openLane(), this.#options, {
          answered: (exchange, answer, units) => this.#answered(exchange, answer.status, units),
          failed: (fault) => this.#fail(fault),
        }),
      );
    }
    if (this.#options.leadIn === 0) this.#begin();
  }

  #watch(timer: NodeJS.Timeout): void {
    const { silenceMs } = this.#options;
    if (performance.now() - this.#lastAnswerAt > silenceMs) this.#fail(`no answer within ${silenceMs} ms`);
    else timer.refresh();
  }

  #begin(): void {
    this.#options.onWindow('begin');
    this.#beginAt = { ms: performance.now(), units: this.#units, requests: this.#requests };
  }

  #answered({ kind }: Exchange, status: number, units: number): void {
    const { leadIn, leadOut } = this.#options;
    const byStatus = this.#answers.get(kind) ?? new Map<number, number>();
    this.#answers.set(kind, byStatus);
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
    this.#lastAnswerAt = performance.now();
    this.#requests += 1;
    this.#units += units;
    if (this.#beginAt === undefined && this.#units >= leadIn) this.#begin();
    if (this.#end === undefined && this.#units >= this.#work.units - leadOut) {
      this.#end = { ms: this.#lastAnswerAt, units: this.#units, requests: this.#requests };
      this.#options.onWindow('end');
    }
    if (this.#units >= this.#work.units && this.#connections.every(({ idle }) => idle)) this.#settle.resolve();
  }

  #fail(fault: string): void {
    this.#faults.push(fault);
    this.#settle.resolve();
  }

  #closeAll(): void {
    for (const connection of this.#connections) connection.close();
  }

  #summary(): GenerateResult {
    const [begin, end] = [this.#beginAt, this.#end];
    if (this.#faults.length === 0 && (begin === undefined || end === undefined || end.ms <= begin.ms)) {
      this.#faults.push('the run was too short to have a window');
    }
    return {
      units: (end?.units ?? 0) - (begin?.units ?? 0),
      requests: (end?.requests ?? 0) - (begin?.requests ?? 0),
      seconds: ((end?.ms ?? 0) - (begin?.ms ?? 0)) / 1_000,
      answers: Object.fromEntries(
        [...this.#answers].flatMap(([kind, byStatus]) =>
          [...byStatus].map(([status, count]) => [`${kind} ${status}`, count]),
        ),
      ),
      faults: this.#faults,
    };
  }
}

interface Listener {
  answered(exchange: Exchange, answer: Answer, units: number): void;
  failed(fault: string): void;
}

class Connection {
  readonly #lane: Lane;
  readonly #listener: Listener;
  readonly #parser = new AnswerParser();
  readonly #socket: Socket;
  #sent: Exchange | undefined;
  #pause: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(lane: Lane, { host, port }: Pick<GenerateOptions, 'host' | 'port'>, listener: Listener) {
    this.#lane = lane;
    this.#listener = listener;
    this.#socket = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(BUFFER_BYTES),
        callback: (count, buffer) => {
          this.#guard(() => this.#read(Buffer.from(buffer.buffer, buffer.byteOffset, count)));
          return true;
        },
      },
    });
    this.#socket.on('connect', () => this.#guard(() => this.#go()));
    this.#socket.on('error', (error) => this.#failed(`the connection failed: ${error.message}`));
    this.#socket.on('close', () => this.#failed('the server closed a connection'));
  }

  /** Neither waits for an answer nor for the end of a pause. */
  get idle(): boolean {
    return this.#sent === undefined && this.#pause === undefined;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#socket.destroy();
  }

  #go(): void {
    const next = this.#lane.next();
    if (next === DONE) return;
    if ('pauseMs' in next) {
      this.#pause = setTimeout(() => {
        this.#pause = undefined;
        this.#guard(() => this.#go());
      }, next.pauseMs);
      return;
    }
    this.#sent = next;
    this.#socket.write(next.bytes);
  }

  #read(chunk: Buffer): void {
    const exchange = this.#sent;
    if (exchange === undefined) throw new Error('an answer to nothing');
    const answer = this.#parser.take(chunk);
    if (answer === undefined) return;
    if (answer.status !== exchange.expected) {
      const body = answer.body.toString().slice(0, 300);
      throw new Error(`${exchange.kind}: ${answer.status} instead of ${exchange.expected}: ${body}`);
    }
    this.#sent = undefined;
    const units = this.#lane.answered(exchange, answer);
    // The next request goes out before this one is counted: the server must not wait for our bookkeeping.
    this.#go();
    this.#listener.answered(exchange, answer, units);
  }

  #guard(act: () => void): void {
    if (this.#closed) return;
    try {
      act();
    } catch (error) {
      this.#failed(error instanceof Error ? error.message : String(error));
    }
  }

  #failed(fault: string): void {
    if (this.#closed) return;
    this.close();
    this.#listener.failed(fault);
  }
}
