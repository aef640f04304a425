/**
 * In the place of `node:worker_threads` in the server's code: a thread is a part of its simulated process. The writer of the
 * order log runs in it as it is; what is simulated is the time its disk takes, and how messages cross over.
 */
import { EventEmitter } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import type { WriterThreadData } from '@fest/server/order-log/messages';
import { requireSimulated } from '../engine/environment.ts';
import { asProcess, type SimulatedProcess } from '../world/machine.ts';

/** Small, so that a short run fills several segments and writes checkpoints. */
export const SIMULATED_SEGMENT_BYTES = 8 * 1024;
const CHECKPOINT_LOG_BYTES = 12 * 1024;
const HOP_MS = 0.05;

type StartThread = (port: MessagePort, data: WriterThreadData) => Promise<void>;

let startThread: StartThread | undefined;

/** `writer-thread.ts` is loaded once and started for each simulated thread. */
export function setWriterThread(start: StartThread): void {
  startThread = start;
}

class ThreadPort extends EventEmitter {
  readonly #thread: SimulatedThread;

  constructor(thread: SimulatedThread) {
    super();
    this.#thread = thread;
  }

  postMessage(message: unknown): void {
    this.#thread.say(message);
  }

  take(): unknown {
    return this.#thread.take();
  }

  close(): void {
    this.#thread.end();
  }
}

class SimulatedThread {
  readonly #process: SimulatedProcess;
  readonly #worker: EventEmitter;
  readonly #port: ThreadPort;
  readonly #incoming: unknown[] = [];
  /** Said while a message is handled. */
  readonly #said: (() => void)[] = [];
  #isWaking = false;
  #busyUntilMs = 0;
  #wakes = false;
  #ended = false;

  constructor(process: SimulatedProcess, worker: EventEmitter) {
    this.#process = process;
    this.#worker = worker;
    this.#port = new ThreadPort(this);
  }

  start(data: WriterThreadData): void {
    const start = startThread;
    if (start === undefined) throw new Error('there is no writer to run');
    const { loop } = requireSimulated();
    loop.schedule(HOP_MS, this.#process, () => {
      void start(this.#port as unknown as MessagePort, {
        ...data,
        segmentBytes: SIMULATED_SEGMENT_BYTES,
        checkpointLogBytes: CHECKPOINT_LOG_BYTES,
      });
    });
  }

  // --- from the main thread -----------------------------------------------------------------------------------------

  receive(message: unknown): void {
    this.#incoming.push(message);
    this.#wakeSoon();
  }

  take(): unknown {
    return this.#incoming.shift();
  }

  #wakeSoon(): void {
    if (this.#wakes || this.#ended) return;
    this.#wakes = true;
    const { loop } = requireSimulated();
    loop.schedule(Math.max(HOP_MS, this.#busyUntilMs - loop.nowMs), this.#process, () => this.#wake());
  }

  #wake(): void {
    this.#wakes = false;
    const first = this.#incoming.shift();
    if (first === undefined || this.#ended) return;
    const { loop, random } = requireSimulated();
    const { disk, diskMs } = this.#process.machine;
    const syncsBefore = disk.syncs;
    this.#isWaking = true;
    this.#port.emit('message', first);
    this.#isWaking = false;
    // The thread waits for its disk; what it said meanwhile is heard when it has.
    const syncs = disk.syncs - syncsBefore;
    this.#busyUntilMs = loop.nowMs + (syncs > 0 ? random.delayMs(diskMs) * syncs : 0);
    for (const deliver of this.#said.splice(0)) this.#deliver(deliver);
    if (this.#incoming.length > 0) this.#wakeSoon();
  }

  // --- to the main thread -------------------------------------------------------------------------------------------

  say(message: unknown): void {
    this.#say(() => this.#worker.emit('message', message));
  }

  end(): void {
    this.#ended = true;
    this.#say(() => this.#worker.emit('exit', 0));
  }

  #say(deliver: () => void): void {
    if (this.#isWaking) this.#said.push(deliver);
    else this.#deliver(deliver);
  }

  #deliver(deliver: () => void): void {
    const { loop } = requireSimulated();
    loop.schedule(Math.max(0, this.#busyUntilMs - loop.nowMs) + HOP_MS, this.#process, deliver);
  }
}

export class Worker extends EventEmitter {
  readonly #thread: SimulatedThread;

  constructor(_url: URL, { workerData }: { readonly workerData: WriterThreadData }) {
    super();
    this.#thread = new SimulatedThread(asProcess(requireSimulated().loop.current), this);
    this.#thread.start(workerData);
  }

  postMessage(message: unknown): void {
    this.#thread.receive(message);
  }

  terminate(): Promise<number> {
    return Promise.resolve(0);
  }
}

export const parentPort = null;
export const workerData = undefined;

export function receiveMessageOnPort(port: unknown): { readonly message: unknown } | undefined {
  const message = port instanceof ThreadPort ? port.take() : undefined;
  return message === undefined ? undefined : { message };
}
