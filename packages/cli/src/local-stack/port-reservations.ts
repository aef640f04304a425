import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireLock, findLockOwner, ownIdentity } from './lock.ts';
import { isPortFree } from './ports.ts';

/**
 * Two stacks that start at the same moment both find port 8080 free, and then the health check of one is answered by the
 * server of the other. So the stacks of one user reserve their ports before they start anything; the lock of a process
 * that died counts for nothing.
 */
function reservationPath(port: number): string {
  return join(tmpdir(), `fest-ports-${process.getuid?.() ?? 0}`, `${port}.json`);
}

/** Whether nobody listens on a port and no other stack is about to. */
export async function isPortAvailable(port: number): Promise<boolean> {
  const owner = findLockOwner(reservationPath(port));
  return (owner === undefined || owner.pid === ownIdentity().pid) && (await isPortFree(port));
}

/** Reserves ports that follow each other, all or none; returns what gives them back, or undefined when one is taken. */
export async function reservePorts(first: number, count: number): Promise<(() => void) | undefined> {
  const releases: (() => void)[] = [];
  const releaseAll = (): void => {
    for (const release of releases.splice(0)) release();
  };
  for (let port = first; port < first + count; port += 1) {
    const lock = await acquireLock(reservationPath(port), 'port of a local stack');
    if (lock.status === 'taken') {
      releaseAll();
      return undefined;
    }
    releases.push(lock.release);
  }
  return releaseAll;
}
