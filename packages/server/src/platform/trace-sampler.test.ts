import { expect, test } from 'vitest';
import { LIMITS } from '../limits.ts';
import { TraceSampler } from './trace-sampler.ts';

/** 0, 0.01, 0.02 … 0.99, and again. */
function evenly(): () => number {
  let next = 0;
  return () => (next++ % 100) / 100;
}

function countOf(times: number, takes: () => boolean): number {
  return Array.from({ length: times }, takes).filter(Boolean).length;
}

test.each([
  [0, 0],
  [0.01, 1],
  [0.25, 25],
  [1, 100],
])('a share of %d takes %d of a hundred requests', (share, count) => {
  const sampler = new TraceSampler({ share, random: evenly(), nowMs: () => 0 });
  expect(countOf(100, () => sampler.takes(false))).toBe(count);
});

test('a request that somebody in front traces is traced, whatever the share', () => {
  const sampler = new TraceSampler({ share: 0, random: evenly(), nowMs: () => 0 });
  expect(sampler.takes(true)).toBe(true);
});

test('those who ask for traces leave half of them to the share', () => {
  let share = 0;
  const sampler = new TraceSampler({ share: 0.5, random: () => share, nowMs: () => 0 });
  share = 0.9;
  expect(countOf(10_000, () => sampler.takes(true))).toBe(LIMITS.tracesPerSecond / 2);
  share = 0.1;
  expect(countOf(10_000, () => sampler.takes(false))).toBe(LIMITS.tracesPerSecond / 2);
});

test('nobody gets more traces out of a process than its bound, and the next second has its own', () => {
  let nowMs = 5_000;
  const sampler = new TraceSampler({ share: 1, random: evenly(), nowMs: () => nowMs });
  expect(countOf(10_000, () => sampler.takes(true))).toBe(LIMITS.tracesPerSecond);
  nowMs += 999;
  expect(sampler.takes(true)).toBe(false);
  nowMs += 1;
  expect(countOf(10_000, () => sampler.takes(false))).toBe(LIMITS.tracesPerSecond);
});
