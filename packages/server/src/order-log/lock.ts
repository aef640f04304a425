/**
 * One writer per directory. The lock is the kernel's: SQLite takes a POSIX lock on `writer.lock`, and the kernel gives
 * it back when the process ends, however it ends. So there is no stale lock to recognise and no moment in which two
 * processes both take one over, which is what lock files with a process id suffer from; nor does it matter whether the
 * two see each other's processes (containers that share a volume). SQLite also refuses a second opener in one process.
 *
 * `owner.json` beside it is only for the message, and for noticing that the previous owner did not close.
 *
 * Never open `writer.lock` by other means: closing any descriptor of it would drop the lock of the whole process.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { OrderLogError } from './errors.ts';

const LOCK_NAME = 'writer.lock';
const OWNER_NAME = 'owner.json';
const SQLITE_BUSY = 5;

export interface LogOwner {
  readonly pid: number;
  readonly host: string;
  /** RFC 3339, UTC. */
  readonly since: string;
}

export interface DirectoryLock {
  /** Who had the log open before and did not close it. */
  readonly uncleanOwner?: LogOwner;
  /** @param closed the log was closed properly; otherwise the next owner learns that it was not */
  release(closed: boolean): void;
}

/** Who has the log open, or had it and did not close it; undefined when it was closed, or when that cannot be read. */
export function findLogOwner(directory: string): LogOwner | undefined {
  try {
    const owner: unknown = JSON.parse(readFileSync(join(directory, OWNER_NAME), 'utf8'));
    if (typeof owner !== 'object' || owner === null) return undefined;
    const { pid, host, since } = owner as Partial<Record<keyof LogOwner, unknown>>;
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof since !== 'string') return undefined;
    return { pid, host, since };
  } catch {
    // Absent, or half written by a process that died meanwhile: it only makes a message better.
    return undefined;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

/**
 * Takes the directory for this process, until `release` or the end of the process.
 * @throws {OrderLogError} `locked`, naming the owner
 */
export function lockDirectory(directory: string, since: Date): DirectoryLock {
  const database = new DatabaseSync(join(directory, LOCK_NAME), { timeout: 0 });
  try {
    // Nothing is ever written to the database; without a journal nothing is written beside it either.
    database.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    const owner = findLogOwner(directory);
    const who =
      owner === undefined ? 'Another process' : `Process ${owner.pid} on ${owner.host} (since ${owner.since})`;
    const advice = 'Two writers would destroy it: stop that process first, or give this one a directory of its own.';
    throw new OrderLogError('locked', `${who} has the order log in ${directory} open. ${advice}`, { cause: error });
  }
  const uncleanOwner = findLogOwner(directory);
  const owner: LogOwner = { pid: process.pid, host: hostname(), since: since.toISOString() };
  try {
    writeFileSync(join(directory, OWNER_NAME), `${JSON.stringify(owner)}\n`);
  } catch {
    // A full disk must not keep a log from being opened: what is in it has to be recovered all the same.
  }
  return {
    ...(uncleanOwner === undefined ? {} : { uncleanOwner }),
    release: (closed) => {
      if (closed) rmSync(join(directory, OWNER_NAME), { force: true });
      database.close();
    },
  };
}
