import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CpuReading } from '@fest/loadtest/measuring/usage';
import { expect, it } from 'vitest';
import { ownIdentity } from '../../local-stack/lock.ts';
import { createTemporaryFolder } from '../../test-support/temporary-folder.ts';
import { CpuWatch, cpuUseOf } from './cpu-watch.ts';

const reading = (atMs: number, processes: Readonly<Record<string, number>>, busy: number): CpuReading => ({
  atMs,
  processes: new Map(Object.entries(processes)),
  mainThreads: new Map(),
  machineBusy: busy,
  stolen: 1,
});

it('tells k6 and the command from the processes of the stack, with their children', () => {
  const from = reading(0, { 'k6#9': 1, 'fest bench#0': 1, 'server-1#5': 10, 'server-1#6': 2, 'redis#7': 3 }, 100);
  const to = reading(
    2_000,
    { 'k6#9': 2, 'fest bench#0': 1.2, 'server-1#5': 11, 'server-1#6': 2.5, 'redis#7': 3, 'server-1#8': 9 },
    103.5,
  );
  const use = cpuUseOf(from, to, 4);
  expect(use).toMatchObject({ processors: 4, generator: 0.5, stolen: 0 });
  expect(use.observer).toBeCloseTo(0.1);
  // A child that was not there before counts from its second reading on.
  expect(use.processes).toEqual({ 'server-1': 0.75, redis: 0 });
  expect(use.others).toBeCloseTo(0.4);
});

it('knows nothing of a generator that it cannot see', () => {
  const empty = reading(0, {}, 1);
  expect(cpuUseOf(empty, { ...empty, atMs: 1_000 }, 2)).toMatchObject({
    generator: null,
    observer: null,
    processes: {},
  });
});

it('notices that a process of the stack has ended, or was started again, and says so once', () => {
  const folder = createTemporaryFolder();
  mkdirSync(folder, { recursive: true });
  const pidsFile = join(folder, 'pids.json');
  const own = ownIdentity();
  const record = (processes: readonly object[]): void =>
    writeFileSync(pidsFile, JSON.stringify({ schema: 'fest.pids/1', supervisor: own, processes }));
  const server = { ...own, name: 'server-1', kind: 'server' };
  const redis = { ...own, name: 'redis', kind: 'engine' };
  record([server, redis]);
  const watch = new CpuWatch({ pidsFile, observerPid: process.pid });
  watch.sample();
  expect(watch.died).toEqual([]);
  record([{ ...server, startTime: `${own.startTime}1` }, redis]);
  watch.sample();
  watch.sample();
  expect(watch.died).toHaveLength(1);
  expect(watch.died[0]).toMatch(/^server-1 \(process \d+\) ended while the test ran/);
  // After the last second of the load nobody samples any more.
  record([]);
  expect(watch.died).toHaveLength(2);
});
