/**
 * The threads that hash passwords, apart from libuv's pool and with less priority than everything else, so that a crowd
 * that logs in takes the processor time nobody else wants: orders are not acknowledged later because of it. This is the
 * main thread's half; the hashing happens in `password-thread.ts`.
 */
import type { ScryptOptions } from 'node:crypto';
import { Worker } from 'node:worker_threads';

export interface ScryptJob {
  readonly password: string;
  readonly salt: Uint8Array;
  readonly keyBytes: number;
  readonly options: ScryptOptions;
}

/** What a thread is started with. */
export interface PasswordThreadData {
  /** How much less important than the rest of the process, in steps of nice(1). */
  readonly niceness: number;
}

export interface PasswordThreadsOptions extends PasswordThreadData {
  readonly threads: number;
  /** For tests: what the threads run. */
  readonly module?: URL;
}

export interface PasswordThreads {
  /**
   * At most as many at once as there are threads.
   * @throws {Error} when the thread died of it; the next job gets a new one
   */
  derive(job: ScryptJob): Promise<Buffer>;
  /** Ends the threads; what they are at is rejected. A hash cannot be interrupted: resolves when it is done. */
  close(): Promise<void>;
}

const THREAD_MODULE = import.meta.url.endsWith('.ts') ? './password-thread.ts' : './password-thread.js';

/** Threads are started when there is work for them: a server nobody logs in to has none. */
export function createPasswordThreads(options: PasswordThreadsOptions): PasswordThreads {
  const module = options.module ?? new URL(THREAD_MODULE, import.meta.url);
  const threads = Array.from({ length: options.threads }, () => new PasswordThread(module, options.niceness));
  const idle = [...threads];
  return {
    async derive(job) {
      // The one that worked last: it is warm, and in quiet times the others are never started.
      const thread = idle.pop();
      if (thread === undefined) throw new Error(`All ${options.threads} threads that hash passwords are at work.`);
      try {
        return await thread.derive(job);
      } finally {
        idle.push(thread);
      }
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

/** A place for a worker; one that died is replaced by the next job. */
class PasswordThread {
  readonly #module: URL;
  readonly #niceness: number;
  #worker: Worker | undefined;
  #job: PromiseWithResolvers<Buffer> | undefined;
  #closed = false;

  constructor(module: URL, niceness: number) {
    this.#module = module;
    this.#niceness = niceness;
  }

  async derive(job: ScryptJob): Promise<Buffer> {
    if (this.#closed) throw new Error('The threads that hash passwords were closed.');
    this.#worker ??= this.#start();
    this.#job = Promise.withResolvers();
    // Work keeps the process alive, an idle thread does not.
    this.#worker.ref();
    this.#worker.postMessage(job);
    return this.#job.promise;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const workerData: PasswordThreadData = { niceness: this.#niceness };
    // Without the main thread's flags, as the order log's thread; and it needs nothing of the environment.
    const worker = new Worker(this.#module, { workerData, name: 'password-hashing', execArgv: [], env: {} });
    worker.on('message', (key: Uint8Array) => {
      worker.unref();
      this.#settle()?.resolve(Buffer.from(key.buffer, key.byteOffset, key.byteLength));
    });
    worker.on('error', (cause) => this.#ended(worker, { cause }));
    worker.on('exit', () => this.#ended(worker));
    return worker;
  }

  /** `error` is followed by `exit`: by then there may be a successor. */
  #ended(worker: Worker, options?: ErrorOptions): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#settle()?.reject(new Error('The thread that was hashing a password ended before it was done.', options));
  }

  #settle(): PromiseWithResolvers<Buffer> | undefined {
    const job = this.#job;
    this.#job = undefined;
    return job;
  }
}
