/**
 * Requests whenever somebody wants one (open load), on few keep-alive connections: one request under way on each, no pipelining.
 * Whoever finds all of them taken waits in order; how long, the caller sees from when it was sent.
 */
import { connect, type Socket } from 'node:net';
import { type Answer, AnswerParser } from './answer-parser.ts';

export interface AskerOptions {
  readonly host: string;
  readonly port: number;
  /** Opened when they are needed. */
  readonly connections: number;
  /** A connection that failed, or an answer that is none. Requests that were under way on it get no answer. */
  readonly onFault: (fault: string) => void;
}

/** @param answer its body is valid only until this returns; @param sentAtMs on the clock of `performance.now()` */
export type OnAnswer = (answer: Answer, sentAtMs: number) => void;

interface Question {
  readonly bytes: Buffer;
  readonly onAnswer: OnAnswer;
}

const CUT_AT = 1_024;

export class Asker {
  readonly #options: AskerOptions;
  readonly #open = new Set<Line>();
  /** In turn, so that no connection is idle for so long that the server closes it. */
  readonly #idle: Line[] = [];
  readonly #waiting: Question[] = [];
  #taken = 0;
  #closed = false;

  constructor(options: AskerOptions) {
    this.#options = options;
  }

  /** Requests that wait for a connection. */
  get waiting(): number {
    return this.#waiting.length - this.#taken;
  }

  ask(bytes: Buffer, onAnswer: OnAnswer): void {
    if (this.#closed) return;
    const question = { bytes, onAnswer };
    const idle = this.#idle.shift();
    if (idle !== undefined) {
      idle.ask(question);
      return;
    }
    this.#waiting.push(question);
    if (this.#open.size < this.#options.connections) this.#connect();
  }

  close(): void {
    this.#closed = true;
    for (const line of this.#open) line.close();
  }

  #connect(): void {
    const { host, port, onFault } = this.#options;
    const line: Line = new Line(host, port, {
      free: () => this.#free(line),
      ended: (fault) => {
        this.#open.delete(line);
        const at = this.#idle.indexOf(line);
        if (at !== -1) this.#idle.splice(at, 1);
        if (this.#closed) return;
        if (fault !== undefined) onFault(fault);
        if (this.waiting > 0) this.#connect();
      },
    });
    this.#open.add(line);
  }

  #free(line: Line): void {
    const next = this.#waiting[this.#taken];
    if (next === undefined) {
      this.#idle.push(line);
      return;
    }
    this.#taken += 1;
    // A queue in an array: what was taken is cut off now and then, not each time.
    if (this.#taken >= CUT_AT) this.#waiting.splice(0, this.#taken);
    this.#taken %= CUT_AT;
    line.ask(next);
  }
}

interface LineListener {
  free(): void;
  /** Undefined: the server closed an idle connection, as it may. */
  ended(fault: string | undefined): void;
}

/** One connection. */
class Line {
  readonly #socket: Socket;
  readonly #parser = new AnswerParser();
  readonly #listener: LineListener;
  #question: Question | undefined;
  #sentAtMs = 0;
  #ended = false;

  constructor(host: string, port: number, listener: LineListener) {
    this.#listener = listener;
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on('connect', () => listener.free());
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#end(`the connection failed: ${error.message}`));
    this.#socket.on('close', () =>
      this.#end(this.#question === undefined ? undefined : 'the server closed a connection before it answered'),
    );
  }

  ask(question: Question): void {
    this.#question = question;
    this.#sentAtMs = performance.now();
    this.#socket.write(question.bytes);
  }

  close(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const question = this.#question;
    try {
      if (question === undefined) throw new Error('an answer to nothing');
      const answer = this.#parser.take(chunk);
      if (answer === undefined) return;
      this.#question = undefined;
      question.onAnswer(answer, this.#sentAtMs);
      if (!this.#ended) this.#listener.free();
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  #end(fault: string | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    this.#listener.ended(fault);
  }
}
