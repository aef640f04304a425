import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FixableError, messageOf } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { ensurePrivateDirectory } from '../private-files.ts';
import type { StackEventListener } from './events.ts';
import { stopLeftovers } from './leftovers.ts';
import { findLocalState } from './local-state.ts';
import { acquireLock, type LockOwner, ownIdentity } from './lock.ts';
import { LOCAL_ROLES, type StackPaths, sessionPath } from './paths.ts';
import { openProcessLog } from './process-log.ts';
import {
  findProcessRecords,
  type RecordedCompose,
  type RecordedProcess,
  writeProcessRecords,
} from './process-records.ts';
import { findStartTime } from './processes.ts';

/**
 * One folder's right to run a stack, and the duty to end what it runs. It holds the folder's lock, has cleared away what an
 * earlier run left behind, and keeps a reaper that stops the children should this process be killed.
 */
export interface Supervision {
  readonly paths: StackPaths;
  /** Call it in the same turn of the event loop in which the process was spawned. */
  record(child: { readonly name: string; readonly kind: RecordedProcess['kind']; readonly pid: number }): void;
  recordCompose(compose: RecordedCompose | undefined): void;
  forget(pid: number): void;
  /** Ends the supervision once every child has ended. */
  close(): Promise<void>;
}

export interface SupervisionOptions {
  readonly paths: StackPaths;
  /** Who asks, for the message to somebody who comes second: `fest up`. */
  readonly purpose: string;
  readonly emit: StackEventListener;
}

export async function openSupervision(options: SupervisionOptions): Promise<Supervision> {
  const { paths } = options;
  ensurePrivateDirectory(paths.root);
  const lock = await acquireLock(paths.lock, options.purpose);
  if (lock.status === 'taken') throw alreadyRunning(paths, lock.owner);
  try {
    await clearLeftovers(options);
    return superviseWithReaper(paths, startReaper(paths), lock.release);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function superviseWithReaper(paths: StackPaths, reaper: ChildProcess, releaseLock: () => void): Supervision {
  const supervisor = ownIdentity();
  const processes = new Map<number, RecordedProcess>();
  let compose: RecordedCompose | undefined;
  const save = () =>
    writeProcessRecords(paths.pids, {
      schema: 'fest.pids/1',
      supervisor,
      processes: [...processes.values()],
      ...(compose === undefined ? {} : { compose }),
    });
  save();
  return {
    paths,
    record({ name, kind, pid }) {
      const startTime = findStartTime(pid);
      // Already gone: its exit event follows.
      if (startTime === undefined) return;
      processes.set(pid, { name, kind, pid, startTime });
      save();
    },
    recordCompose(value) {
      compose = value;
      save();
    },
    forget(pid) {
      if (processes.delete(pid)) save();
    },
    async close() {
      await dismissReaper(reaper);
      rmSync(paths.pids, { force: true });
      releaseLock();
    },
  };
}

async function clearLeftovers({ paths, emit }: SupervisionOptions): Promise<void> {
  const records = findProcessRecords(paths.pids);
  if (records !== undefined) {
    const stopped = await stopLeftovers(records).catch((error: unknown) => {
      emit({ type: 'warning', message: `Clearing away the last run: ${messageOf(error)}` });
      return [];
    });
    if (stopped.length > 0) {
      emit({ type: 'progress', message: `Stopped what the last run left behind: ${stopped.join(', ')}.` });
    }
  }
  rmSync(paths.pids, { force: true });
  rmSync(paths.localState, { force: true });
  for (const role of LOCAL_ROLES) rmSync(sessionPath(paths, role), { force: true });
}

/**
 * The reaper holds the read end of a pipe to this process. The system closes the write end however this process ends, so
 * it works for kill -9 too. It has its own session: a Ctrl-C in the terminal does not reach it.
 */
function startReaper(paths: StackPaths): ChildProcess {
  const log = openProcessLog(join(paths.logs, 'reaper.log'));
  const script = fileURLToPath(new URL(`./reaper${extname(import.meta.url)}`, import.meta.url));
  const { pid, startTime } = ownIdentity();
  const reaper = spawn(process.execPath, [script, paths.directory, String(pid), startTime], {
    detached: true,
    stdio: ['pipe', log.descriptor, log.descriptor],
    // Nothing of the surroundings is needed, and a NODE_OPTIONS meant for the tests must not reach it.
    env: {},
  });
  reaper.unref();
  reaper.on('error', () => {});
  reaper.stdin?.on('error', () => {});
  if (reaper.stdin !== null && 'unref' in reaper.stdin && typeof reaper.stdin.unref === 'function') {
    reaper.stdin.unref();
  }
  return reaper;
}

async function dismissReaper(reaper: ChildProcess): Promise<void> {
  if (reaper.exitCode !== null || reaper.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => reaper.once('exit', () => resolve()));
  reaper.ref();
  reaper.stdin?.end('done\n');
  await ended;
}

function alreadyRunning(paths: StackPaths, owner: LockOwner): FixableError {
  const state = findLocalState(paths.localState);
  const where = state === undefined ? 'It is still starting.' : `It answers at ${state.baseUrls.join(', ')}.`;
  return new FixableError({
    what: `A stack already runs in ${paths.directory}`,
    why: `${owner.purpose}, process ${owner.pid}, holds ${paths.lock}. ${where}`,
    fix: `Use it, end it with \`kill ${owner.pid}\`, or start another one in another folder with \`fest -C <folder> up\`.`,
    exitCode: EXIT.refused,
  });
}
