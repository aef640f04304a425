import { expect, test } from 'vitest';
import { cpuShares, readCpu } from './usage.ts';

/** Elsewhere nothing is known, and nothing may be made up. */
const isLinux = process.platform === 'linux';

test('a process that works all the time uses the processor time it says itself', () => {
  const pids = { self: process.pid, gone: 2 ** 22 + 1 };
  const from = readCpu(pids);
  const own = process.cpuUsage();
  const until = performance.now() + 300;
  let work = 0;
  while (performance.now() < until) work += Math.sqrt(work + 1);
  const { user, system } = process.cpuUsage(own);
  const to = readCpu(pids);
  const { processes } = cpuShares(from, to);
  expect(processes.gone).toBeUndefined();
  if (!isLinux) {
    expect(processes.self).toBeUndefined();
    return;
  }
  const seconds = (processes.self ?? 0) * ((to.atMs - from.atMs) / 1_000);
  // The kernel adds up at its ticks.
  expect(Math.abs(seconds - (user + system) / 1e6)).toBeLessThan(0.03);
});
