import { randomBytes } from 'node:crypto';
import { linkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../errors.ts';
import { ensurePrivateDirectory, isRecord, readJsonIfPresent } from '../private-files.ts';
import { STACK_LIMITS } from './limits.ts';
import { findStartTime, isRunning, type ProcessIdentity } from './processes.ts';

export interface LockOwner extends ProcessIdentity {
  /** What it does, for the message to whoever comes second: `fest up`. */
  readonly purpose: string;
}

export type LockResult =
  | { readonly status: 'acquired'; readonly release: () => void }
  | { readonly status: 'taken'; readonly owner: LockOwner };

/** This process, as it is recorded in locks and process records. */
export function ownIdentity(): ProcessIdentity {
  const startTime = findStartTime(process.pid);
  if (startTime === undefined) throw new Error('this process cannot find its own start time');
  return { pid: process.pid, startTime };
}

/**
 * Takes a lock file. A hard link is the atomic step: it appears with its content or not at all. The lock of a process that
 * is gone (same id and start time no longer there) is taken over.
 */
export async function acquireLock(path: string, purpose: string): Promise<LockResult> {
  ensurePrivateDirectory(dirname(path));
  const own: LockOwner = { ...ownIdentity(), purpose };
  for (;;) {
    if (tryLink(path, own)) return { status: 'acquired', release: () => releaseLock(path, own) };
    const owner = findOwner(path);
    if (owner !== undefined && isRunning(owner)) return { status: 'taken', owner };
    await removeStaleLock(path);
  }
}

/** Does something while holding a lock, waiting for whoever holds it. For work of a moment. */
export async function withLock<T>(path: string, purpose: string, work: () => Promise<T>): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += STACK_LIMITS.pollMs) {
    const lock = await acquireLock(path, purpose);
    if (lock.status === 'acquired') {
      try {
        return await work();
      } finally {
        lock.release();
      }
    }
    if (waitedMs > STACK_LIMITS.lockWaitMs)
      throw new Error(`${path} is held by process ${lock.owner.pid} (${lock.owner.purpose})`);
    await sleep(STACK_LIMITS.pollMs);
  }
}

/** Who holds the lock now; undefined when nobody that lives does. */
export function findLockOwner(path: string): LockOwner | undefined {
  const owner = findOwner(path);
  return owner !== undefined && isRunning(owner) ? owner : undefined;
}

function findOwner(path: string): LockOwner | undefined {
  const value = readJsonIfPresent(path);
  if (!isRecord(value) || typeof value.pid !== 'number' || typeof value.startTime !== 'string') return undefined;
  return { pid: value.pid, startTime: value.startTime, purpose: String(value.purpose) };
}

function tryLink(path: string, owner: LockOwner): boolean {
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
  writeFileSync(temporary, `${JSON.stringify(owner)}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/**
 * Removes a stale lock under a guard, so that of two processes that both saw it stale the slower one does not remove the
 * lock the faster one has taken meanwhile.
 */
async function removeStaleLock(path: string): Promise<void> {
  const guard = `${path}.guard`;
  if (!tryLink(guard, { ...ownIdentity(), purpose: 'take over a stale lock' })) {
    const age = Date.now() - (statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > STACK_LIMITS.lockGuardMs) rmSync(guard, { force: true });
    await sleep(STACK_LIMITS.pollMs);
    return;
  }
  try {
    const owner = findOwner(path);
    if (owner === undefined || !isRunning(owner)) rmSync(path, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

function releaseLock(path: string, own: LockOwner): void {
  const owner = findOwner(path);
  if (owner?.pid !== own.pid || owner.startTime !== own.startTime) return;
  rmSync(path, { force: true });
}
