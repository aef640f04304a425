import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ProcessHealth } from './process-health.ts';

function workFor(milliseconds: number): void {
  for (const endMs = performance.now() + milliseconds; performance.now() < endMs; ) {
    // Busy on purpose.
  }
}

it('tells how busy the last second was, and forgets it with the next', async () => {
  const health = new ProcessHealth();
  expect(health.read()).toEqual({ eventLoopUtilization: 0, requestP99Ms: 0, cpu: 0 });
  for (let answer = 0; answer < 95; answer += 1) health.record(2);
  for (let answer = 0; answer < 5; answer += 1) health.record(800);
  workFor(1_010);
  const busy = health.read();
  expect(busy.requestP99Ms).toBeGreaterThan(780);
  expect(busy.requestP99Ms).toBeLessThan(820);
  expect(busy.cpu).toBeGreaterThan(0);
  // Within the second the answer is the same.
  expect(health.read()).toBe(busy);
  await sleep(1_010);
  const idle = health.read();
  expect(idle.requestP99Ms).toBe(0);
  expect(idle.eventLoopUtilization).toBeLessThan(busy.eventLoopUtilization);
});

it('makes nothing of a handful of answers', () => {
  const health = new ProcessHealth();
  health.record(5_000);
  workFor(1_010);
  expect(health.read().requestP99Ms).toBe(0);
});
