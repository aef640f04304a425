import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createTemporaryFolder } from '../test-support/temporary-folder.ts';
import type { StackEvent } from './events.ts';
import { STACK_LIMITS } from './limits.ts';
import { type ManagedProcess, manageProcess, restartDelayMs } from './managed-process.ts';
import { stackPaths } from './paths.ts';
import { findStartTime } from './processes.ts';

function manage(script: string, options: { readonly probe?: () => Promise<void> } = {}) {
  const folder = createTemporaryFolder();
  const events: StackEvent[] = [];
  const recorded = new Set<number>();
  const managed: ManagedProcess = manageProcess({
    name: 'thing',
    kind: 'server',
    command: '/bin/sh',
    args: ['-c', script],
    cwd: folder,
    env: { PATH: process.env.PATH },
    logFile: join(folder, 'thing.log'),
    probe: options.probe ?? (async () => {}),
    readyTimeoutMs: 5_000,
    stopTimeoutMs: 300,
    supervision: {
      paths: stackPaths(folder),
      record: ({ pid }) => void recorded.add(pid),
      forget: (pid) => void recorded.delete(pid),
      recordCompose: () => {},
      close: async () => {},
    },
    emit: (event) => void events.push(event),
    random: () => 0,
  });
  onTestFinished(() => managed.kill());
  return { managed, events, recorded };
}

test('the pause before a restart doubles up to its bound, the upper half of it by chance', () => {
  expect([1, 2, 3, 4, 5, 6, 20].map((attempt) => restartDelayMs(attempt, 1))).toEqual([
    500, 1000, 2000, 4000, 8000, 10000, 10000,
  ]);
  expect(restartDelayMs(1, 0)).toBe(STACK_LIMITS.restartFirstDelayMs / 2);
});

test('a process that dies is said so with its last words and started again', async () => {
  const { managed, events, recorded } = manage('echo last words; exec sleep 60', {
    probe: () => new Promise((resolve) => setTimeout(resolve, 200)),
  });
  await managed.start();
  const first = managed.pid() ?? 0;
  process.kill(first, 'SIGKILL');
  await expect
    .poll(() => events.map(({ type }) => type), { timeout: 5_000 })
    .toEqual(['process-started', 'process-exited', 'process-started']);
  expect(events[1]).toMatchObject({
    name: 'thing',
    pid: first,
    signal: 'SIGKILL',
    restartInMs: 250,
    lastLines: ['last words'],
  });
  expect(managed.pid()).not.toBe(first);
  expect([...recorded]).toEqual([managed.pid()]);
  await managed.stop();
  expect(recorded.size).toBe(0);
});

test('a first start that fails throws with the end of the log and is not tried again', async () => {
  const { managed, events } = manage('echo no such table >&2; exit 4', {
    probe: async () => {
      throw new Error('refused');
    },
  });
  await expect(managed.start()).rejects.toThrow(/exit code 4\n.*no such table/);
  expect(events).toEqual([]);
  expect(managed.pid()).toBeUndefined();
});

test('an answer of somebody else does not make a dead process ready', async () => {
  const { managed } = manage('echo EADDRINUSE; exit 1', {
    probe: () => new Promise((resolve) => setTimeout(resolve, 200)),
  });
  await expect(managed.start()).rejects.toMatchObject({ isPortTaken: true });
});

test('a program that does not exist is an error, not a crash', async () => {
  const folder = createTemporaryFolder();
  const { managed } = manage('');
  const missing = manageProcess({ ...optionsOf(folder), command: join(folder, 'absent') });
  await expect(missing.start()).rejects.toThrow(/cannot be started/);
  managed.kill();
});

test('stopping waits for the end, and kills what does not end', async () => {
  const { managed, events } = manage("trap '' TERM; while :; do sleep 0.05; done");
  await managed.start();
  const pid = managed.pid() ?? 0;
  await new Promise((resolve) => setTimeout(resolve, 100));
  await managed.stop();
  expect(findStartTime(pid)).toBeUndefined();
  expect(events.at(-1)).toMatchObject({ type: 'warning' });
});

function optionsOf(folder: string): Parameters<typeof manageProcess>[0] {
  return {
    name: 'thing',
    kind: 'engine',
    command: '',
    args: [],
    cwd: folder,
    env: {},
    logFile: join(folder, 'thing.log'),
    probe: async () => {},
    readyTimeoutMs: 1_000,
    stopTimeoutMs: 1_000,
    supervision: { paths: stackPaths(folder), record() {}, forget() {}, recordCompose() {}, close: async () => {} },
    emit: () => {},
    random: () => 0,
  };
}
