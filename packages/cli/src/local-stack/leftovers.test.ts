import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { stopLeftovers } from './leftovers.ts';
import type { RecordedProcess } from './process-records.ts';
import { findStartTime, isRunning, stopProcess } from './processes.ts';

const supervisor = { pid: 999_999_999, startTime: '1' };

async function spawnScript(script: string): Promise<RecordedProcess> {
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  return { name: script, kind: 'server', pid, startTime: findStartTime(pid) ?? '' };
}

const PATIENT = 'echo ready; while :; do sleep 0.05; done';

test('left-over servers are stopped before left-over engines', async () => {
  const server = { ...(await spawnScript(PATIENT)), name: 'server-1' };
  const engine = { ...(await spawnScript(PATIENT)), name: 'redis', kind: 'engine' as const };
  const records = { schema: 'fest.pids/1', supervisor, processes: [engine, server] } as const;
  expect(await stopLeftovers(records)).toEqual(['server-1', 'redis']);
  expect([server, engine].map(isRunning)).toEqual([false, false]);
});

test('a process that only has the recorded id is left alone', async () => {
  const running = await spawnScript(PATIENT);
  const records = { schema: 'fest.pids/1', supervisor, processes: [{ ...running, startTime: 'another' }] } as const;
  expect(await stopLeftovers(records)).toEqual([]);
  expect(isRunning(running)).toBe(true);
});

test('a process that does not end when asked is killed after its time', async () => {
  const stubborn = await spawnScript(`trap '' TERM; ${PATIENT}`);
  expect(await stopProcess(stubborn, { timeoutMs: 200, repeatSignal: true })).toBe('killed');
  await expect.poll(() => isRunning(stubborn)).toBe(false);
});
