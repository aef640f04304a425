/** The process of the login clients, as the measurement sees it. */
import { type ChildProcess, fork } from 'node:child_process';

/** Since the process started. */
export interface LoginCounts {
  /** Answered with 201. */
  readonly done: number;
  /** Answered with 503 `overloaded`, at once. */
  readonly refused: number;
  /** Answered so only after seconds: it was let into the line, and its turn did not come in time. */
  readonly gaveUp: number;
  /** Anything else. */
  readonly failed: number;
  /** Milliseconds that requests were at the server, added up over all clients. */
  readonly atServerMs: number;
  /** A few of the answers that count as failed, each once. */
  readonly examples: readonly string[];
}

/** Each message is answered with `{id, counts}`. */
export type ToLoginClients = { readonly id: number } & (
  | {
      readonly type: 'prepare';
      readonly baseUrl: string;
      readonly emails: readonly string[];
      readonly password: string;
    }
  | { readonly type: 'start' }
  | { readonly type: 'counts' }
  /** Answered when the server owes no answer any more. */
  | { readonly type: 'stop' }
);

type Command = ToLoginClients extends infer Message ? (Message extends unknown ? Omit<Message, 'id'> : never) : never;

export interface LoginLoad {
  readonly pid: number;
  readonly running: boolean;
  start(): Promise<void>;
  /** Resolves when every login that was begun is answered. */
  stop(): Promise<void>;
  counts(): Promise<LoginCounts>;
  /** Ends the process. */
  close(): Promise<void>;
}

/** Longest wait for an answer of the process: to serve a full line of logins takes some ten seconds, on a busy machine many times that. */
const ANSWER_MS = 120_000;

export interface LoginLoadOptions {
  readonly baseUrl: string;
  readonly emails: readonly string[];
  readonly password: string;
}

/** @throws {Error} when the process does not start */
export async function startLoginLoad(options: LoginLoadOptions): Promise<LoginLoad> {
  const child = fork(new URL('./login-clients.ts', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ask = createAsking(child);
  await ask({ type: 'prepare', ...options });
  let running = false;
  return {
    pid: child.pid ?? 0,
    get running() {
      return running;
    },
    async start() {
      running = true;
      await ask({ type: 'start' });
    },
    async stop() {
      await ask({ type: 'stop' });
      running = false;
    },
    counts: () => ask({ type: 'counts' }),
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function createAsking(child: ChildProcess): (command: Command) => Promise<LoginCounts> {
  const waiting = new Map<number, (counts: LoginCounts) => void>();
  let lastId = 0;
  child.on('message', ({ id, counts }: { readonly id: number; readonly counts: LoginCounts }) => {
    waiting.get(id)?.(counts);
    waiting.delete(id);
  });
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`the login clients ended (${signal ?? code})`)));
  });
  // Nobody may be asking when it ends.
  ended.catch(() => undefined);
  return async (command) => {
    lastId += 1;
    const id = lastId;
    const answered = new Promise<LoginCounts>((resolve) => waiting.set(id, resolve));
    child.send({ id, ...command });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const say = () =>
        reject(
          new Error(
            `the login clients did not answer "${command.type}" within ${ANSWER_MS / 1_000} s: is the machine busy with something else?`,
          ),
        );
      timer = setTimeout(say, ANSWER_MS);
    });
    return Promise.race([answered, ended, late]).finally(() => clearTimeout(timer));
  };
}
