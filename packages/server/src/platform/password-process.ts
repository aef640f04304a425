/**
 * The process that hashes passwords. It has less priority than the server, so that a crowd that logs in takes the processor
 * time nobody else wants, and memory of its own: each hash fills and gives back 32 MiB, for which it would take the lock of
 * the server's address space. This is the server's half; the hashing happens in `password-process-child.ts`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { ScryptOptions } from 'node:crypto';
import { fileURLToPath } from 'node:url';

export interface ScryptWork {
  readonly password: string;
  readonly salt: Uint8Array;
  readonly keyBytes: number;
  readonly options: ScryptOptions;
}

/** What the child is told. */
export interface ScryptJob extends ScryptWork {
  readonly id: number;
}

/** What it answers. */
export type ScryptDone =
  | { readonly id: number; readonly key: Uint8Array }
  | { readonly id: number; readonly error: string };

export interface PasswordProcessOptions {
  /** Passwords that are hashed at once; what comes beyond that waits. */
  readonly threads: number;
  /** How much less important than the server, in steps of nice(1). */
  readonly niceness: number;
  /** A hash that takes longer is stuck, milliseconds. */
  readonly stuckMs: number;
  /** For tests: what the process runs. */
  readonly module?: URL;
}

/** The process ended before the hash was made. */
export class PasswordProcessEnded extends Error {}

export interface PasswordProcess {
  /**
   * @throws {PasswordProcessEnded} when it could not be started, ended, or was stuck and has been ended; the next work gets a
   * new process
   * @throws {Error} when scrypt refuses the work
   */
  derive(work: ScryptWork): Promise<Buffer>;
  /** Ends the process; what it is at is rejected. */
  close(): Promise<void>;
}

const CHILD_MODULE = import.meta.url.endsWith('.ts') ? './password-process-child.ts' : './password-process-child.js';

/** The process is started when there is work for it: a server nobody logs in to has none. */
export function createPasswordProcess(options: PasswordProcessOptions): PasswordProcess {
  const { threads, niceness, stuckMs, module } = options;
  const path = fileURLToPath(module ?? new URL(CHILD_MODULE, import.meta.url));
  let child: ChildProcess | undefined;
  let jobs = new Map<number, PromiseWithResolvers<Buffer>>();
  let lastId = 0;
  let isClosed = false;

  function start(): ChildProcess {
    const started = fork(path, [String(niceness)], {
      // Without the server's flags and secrets. libuv's pool is where scrypt runs.
      execArgv: [],
      env: { UV_THREADPOOL_SIZE: String(threads) },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    started.on('message', (message) => settle(message as ScryptDone));
    started.on('error', (cause) => ended(started, { cause }));
    started.on('exit', () => ended(started));
    return started;
  }

  /** Work keeps the server's process alive, an idle child does not. */
  function keepAlive(isNeeded: boolean): void {
    const method = isNeeded ? 'ref' : 'unref';
    child?.[method]();
    child?.channel?.[method]();
  }

  /** What cannot be sent is followed by the end of the process, which rejects the job. */
  function send(to: ChildProcess, job: ScryptJob): void {
    // There is no `send`, against its type, when the process could not be started, as for want of file descriptors.
    (to as Partial<Pick<ChildProcess, 'send'>>).send?.(job, () => undefined);
  }

  function settle(done: ScryptDone): void {
    const job = jobs.get(done.id);
    jobs.delete(done.id);
    if (jobs.size === 0) keepAlive(false);
    if ('error' in done) job?.reject(new Error(done.error));
    else job?.resolve(Buffer.from(done.key.buffer, done.key.byteOffset, done.key.byteLength));
  }

  /** `error` may be followed by `exit`: by then there may be a successor. */
  function ended(which: ChildProcess, options?: ErrorOptions): void {
    if (child !== which) return;
    child = undefined;
    const unfinished = jobs;
    jobs = new Map();
    const error = new PasswordProcessEnded(
      'The process that was hashing a password ended before it was done.',
      options,
    );
    for (const job of unfinished.values()) job.reject(error);
  }

  return {
    derive(work) {
      if (isClosed) return Promise.reject(new PasswordProcessEnded('The process that hashes passwords was closed.'));
      child ??= start();
      const working = child;
      lastId += 1;
      const job = Promise.withResolvers<Buffer>();
      jobs.set(lastId, job);
      keepAlive(true);
      send(working, { id: lastId, ...work });
      const stuck = setTimeout(() => working.kill('SIGKILL'), stuckMs).unref();
      return job.promise.finally(() => clearTimeout(stuck));
    },
    async close() {
      isClosed = true;
      const last = child;
      if (last === undefined) return;
      const exited = new Promise((resolve) => last.once('exit', resolve).once('error', resolve));
      last.ref();
      last.kill('SIGKILL');
      await exited;
    },
  };
}

/** `threads` are those of all of them together. */
export interface PasswordProcessesOptions extends PasswordProcessOptions {
  /** At least 1, and no more than `threads`. */
  readonly processes: number;
}

/** Several processes as one: whatever comes goes to the one that has least to do. */
export function createPasswordProcesses({ processes, threads, ...rest }: PasswordProcessesOptions): PasswordProcess {
  const members = Array.from({ length: processes }, () => ({
    // One too many somewhere is never used: whoever asks has no more under way than there are threads.
    hasher: createPasswordProcess({ ...rest, threads: Math.ceil(threads / processes) }),
    underWay: 0,
  }));
  return {
    async derive(work) {
      const idlest = members.reduce((least, member) => (member.underWay < least.underWay ? member : least));
      idlest.underWay += 1;
      try {
        return await idlest.hasher.derive(work);
      } finally {
        idlest.underWay -= 1;
      }
    },
    async close() {
      await Promise.all(members.map(({ hasher }) => hasher.close()));
    },
  };
}
