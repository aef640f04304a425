import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

/** Has a thread that uses 400 ms of a processor and ends when a line comes in. */
const WITH_A_THREAD = `
const { Worker } = require('node:worker_threads');
const worker = new Worker(\`
  const { parentPort } = require('node:worker_threads');
  while (process.cpuUsage().user < 400_000);
  parentPort.once('message', () => process.exit());
  parentPort.postMessage('worked');
\`, { eval: true });
worker.on('message', () => console.log('worked'));
worker.on('exit', () => console.log('ended'));
process.stdin.once('data', () => worker.postMessage('end'));
`;

test.runIf(isLinux)('the time of a thread that has ended stays with its process', async () => {
  const child = spawn(process.execPath, ['-e', WITH_A_THREAD], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const pids = { child: child.pid ?? 0 };
    await once(child.stdout, 'data');
    const from = readCpu(pids);
    child.stdin.write('end\n');
    await once(child.stdout, 'data');
    const to = readCpu(pids);
    expect(from.processes.get('child')).toBeGreaterThan(0.35);
    // Two steps of the coarser way to read it.
    expect(to.processes.get('child')).toBeGreaterThan((from.processes.get('child') ?? 0) - 0.021);
    expect(cpuShares(from, to).processes.child).toBeGreaterThanOrEqual(0);
  } finally {
    child.kill('SIGKILL');
  }
});

test('no process gives time back', () => {
  const reading = (atMs: number, seconds: number) => ({
    atMs,
    processes: new Map([['it', seconds]]),
    mainThreads: new Map([['it', seconds]]),
    machineBusy: 10 + seconds,
    stolen: seconds,
  });
  expect(cpuShares(reading(0, 5), reading(1_000, 4.99))).toEqual({
    processes: { it: 0 },
    mainThreads: { it: 0 },
    others: 0,
    stolen: 0,
  });
});
