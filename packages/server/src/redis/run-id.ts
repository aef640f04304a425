/**
 * Which Redis process a connection talks to. A process that was restarted, restored from an older snapshot or replaced by
 * its replica has another `run_id`, and what it has may be older than what was acknowledged: a sale's state is trusted
 * only in the process it was made in.
 */
import type { Redis } from 'ioredis';

/** Enough to tell the processes of a fleet's lifetime apart, short enough to be sent with every script. */
const RUN_CHARACTERS = 8;

/** For services that hide INFO: restarts are then noticed by what is missing and by sequences that went back only. */
const HIDDEN = 'hidden';

/** Undefined: watched, and not known at the moment. Connections that are not watched have no entry. */
const runs = new WeakMap<Redis, string | undefined>();

/**
 * Keeps track of the process behind a connection, from now on and over its reconnects. Resolves when the first one is
 * known; call it before connecting. A connection that is closed talks to nobody until the next process has said its name:
 * INFO is the first command on the new connection, so no script goes to a process that is not known.
 */
export function watchRun(redis: Redis): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let connections = 0;
  runs.set(redis, undefined);
  redis.on('close', () => {
    connections += 1;
    runs.set(redis, undefined);
  });
  redis.on('ready', () => {
    const connection = connections;
    askRun(redis).then(
      (run) => {
        if (connection !== connections) return;
        runs.set(redis, run);
        resolve();
      },
      // The connection was lost again, or the answer never came: then it is about to be.
      () => redis.disconnect(true),
    );
  });
  return promise;
}

async function askRun(redis: Redis): Promise<string> {
  let info: string;
  try {
    info = await redis.info('server');
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR unknown command)/.test(error.message)) return HIDDEN;
    throw error;
  }
  return /^run_id:([0-9a-f]+)/m.exec(info)?.[1]?.slice(0, RUN_CHARACTERS) ?? HIDDEN;
}

/** The process behind a connection; undefined while it is not known. Empty for a connection that nobody watches. */
export function runOf(redis: Redis): string | undefined {
  return runs.has(redis) ? runs.get(redis) : '';
}

/** As `runOf`. @throws an error that counts as a store failure while the process is not known */
export function knownRunOf(redis: Redis): string {
  const run = runOf(redis);
  // Worded as ioredis does for a connection that is not there.
  if (run === undefined) throw new Error('Connection is closed.');
  return run;
}

/** A sale's epoch as Redis stores it: a state that was made in another process does not match, whatever its number. */
export interface StoredEpoch {
  readonly epoch: number;
  readonly run: string;
}

export function storedEpochText({ epoch, run }: StoredEpoch): string {
  return `${epoch}:${run}`;
}

/** Text that is no stored epoch (nothing, or a number from before there were runs) is of no process. */
export function parseStoredEpoch(text: string | null | undefined): StoredEpoch {
  const [, epoch, run] = /^(\d+):(.*)$/.exec(text ?? '') ?? [];
  return { epoch: Number(epoch ?? Number.parseInt(text ?? '0', 10)) || 0, run: run ?? '-' };
}
