/**
 * One build at a time in a folder. The lock is a file that its owner touches every second: one that is not touched any more is of
 * a process that is gone, and is taken over. Should two take it over in the same moment, both build, each in a folder of its
 * own, and move their result into place at once: that costs time, and nothing else.
 */
import { rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { K6_LIMITS } from './limits.ts';

/**
 * Waits for the lock and holds it while `work` is at it.
 * @param options.onWait called once when somebody else holds it
 * @throws the signal's reason, and whatever `work` throws
 */
export async function withBuildLock<T>(
  path: string,
  options: { readonly signal: AbortSignal; onWait(): void },
  work: () => Promise<T>,
): Promise<T> {
  let waits = false;
  while (!tryLock(path)) {
    if (!waits) options.onWait();
    waits = true;
    await sleep(K6_LIMITS.lockPollMs, undefined, { signal: options.signal });
  }
  const touching = setInterval(() => touch(path), K6_LIMITS.lockTouchMs);
  touching.unref();
  try {
    return await work();
  } finally {
    clearInterval(touching);
    rmSync(path, { force: true });
  }
}

function tryLock(path: string): boolean {
  const touchedAtMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (touchedAtMs !== undefined && Date.now() - touchedAtMs > K6_LIMITS.lockStaleMs) rmSync(path, { force: true });
  try {
    writeFileSync(path, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Somebody has removed it, or the whole folder: the build goes on, and what it makes is moved into place or not.
  }
}
