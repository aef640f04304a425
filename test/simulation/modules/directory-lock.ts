/** In the place of `order-log/lock.ts` in the server's code: a simulated machine never runs two lives of a server at once. */
import type { DirectoryLock } from '@fest/server/order-log/lock';

export function lockDirectory(): DirectoryLock {
  return { release: () => undefined };
}

export function findLogOwner(): undefined {
  return undefined;
}
