import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createTemporaryFolder } from '../test-support/temporary-folder.ts';
import { acquireLock, findLockOwner } from './lock.ts';
import { findStartTime } from './processes.ts';

function spawnSleeper(): ChildProcess & { readonly pid: number } {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  if (child.pid === undefined) throw new Error('sleep did not start');
  return child as ChildProcess & { readonly pid: number };
}

test('a lock is held once, names its owner, and can be taken after its release', async () => {
  const path = join(createTemporaryFolder(), 'lock.json');
  const first = await acquireLock(path, 'fest up');
  expect(await acquireLock(path, 'fest demo')).toMatchObject({
    status: 'taken',
    owner: { pid: process.pid, purpose: 'fest up' },
  });
  if (first.status === 'acquired') first.release();
  expect(existsSync(path)).toBe(false);
  expect(await acquireLock(path, 'fest demo')).toMatchObject({ status: 'acquired' });
});

test('the lock of another process holds while it lives and is taken over when it was killed', async () => {
  const path = join(createTemporaryFolder(), 'lock.json');
  const child = spawnSleeper();
  writeFileSync(path, JSON.stringify({ pid: child.pid, startTime: findStartTime(child.pid), purpose: 'fest up' }));
  expect(await acquireLock(path, 'second')).toMatchObject({ status: 'taken', owner: { pid: child.pid } });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(findLockOwner(path)).toBeUndefined();
  expect(await acquireLock(path, 'second')).toMatchObject({ status: 'acquired' });
});

test('the lock of a process whose id now belongs to another one is stale', async () => {
  const path = join(createTemporaryFolder(), 'lock.json');
  writeFileSync(path, JSON.stringify({ pid: spawnSleeper().pid, startTime: 'another', purpose: 'fest up' }));
  expect(await acquireLock(path, 'second')).toMatchObject({ status: 'acquired' });
});

test('a damaged lock file is stale', async () => {
  const path = join(createTemporaryFolder(), 'lock.json');
  writeFileSync(path, '{"pi');
  expect(await acquireLock(path, 'second')).toMatchObject({ status: 'acquired' });
});

test('of many that want a stale lock at once exactly one gets it', async () => {
  const path = join(createTemporaryFolder(), 'lock.json');
  writeFileSync(path, JSON.stringify({ pid: 999_999_999, startTime: '1', purpose: 'dead' }));
  const results = await Promise.all(Array.from({ length: 20 }, (_, index) => acquireLock(path, `${index}`)));
  expect(results.filter(({ status }) => status === 'acquired')).toHaveLength(1);
});
