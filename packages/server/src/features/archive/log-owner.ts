/** Whether a process has an order log open right now, asked from outside and without taking anything from it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { findLogOwner, type LogOwner } from '../../order-log/lock.ts';

const LOCK_NAME = 'writer.lock';
const SQLITE_BUSY = 5;

export type LogUse =
  | { readonly status: 'closed' }
  /** Nobody has it, but its last owner died before it could close it. */
  | { readonly status: 'abandoned'; readonly owner: LogOwner }
  /** Without an owner when it could not write its name down, on a full disk for instance. */
  | { readonly status: 'open'; readonly owner?: LogOwner };

/** The lock is the kernel's (see `order-log/lock.ts`), so this is right however the last owner ended. */
export function findLogUse(directory: string): LogUse {
  const owner = findLogOwner(directory);
  if (isLocked(join(directory, LOCK_NAME))) return { status: 'open', ...(owner === undefined ? {} : { owner }) };
  return owner === undefined ? { status: 'closed' } : { status: 'abandoned', owner };
}

function isLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  const database = new DatabaseSync(path, { readOnly: true, timeout: 0 });
  try {
    // Reading needs the shared lock, which the owner's exclusive one refuses.
    database.prepare('SELECT COUNT(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return true;
    throw error;
  } finally {
    database.close();
  }
}
