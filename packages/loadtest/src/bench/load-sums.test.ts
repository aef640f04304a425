import { expect, test } from 'vitest';
import { arrivalsOf, lastSecondOf, peakOf, secondsOf } from './load-sums.ts';
import type { BenchLoad } from './plan.ts';

const WALL: BenchLoad = {
  kind: 'arrivals',
  startPerSecond: 0,
  stages: [
    { perSecond: 100, seconds: 2 },
    { perSecond: 100, seconds: 10 },
    { perSecond: 0, seconds: 4 },
  ],
  users: 50,
  graceSeconds: 20,
};

test('arrivals of an open load are the area under its rate', () => {
  expect(arrivalsOf(WALL)).toBe(100 + 1_000 + 200);
  expect(peakOf(WALL)).toBe(100);
  expect(secondsOf(WALL)).toBe(16);
  expect(lastSecondOf(WALL)).toBe(36);
});

test('users who come once are as many arrivals, and those who go round are not known beforehand', () => {
  expect(arrivalsOf({ kind: 'users', users: 40, maxSeconds: 60 })).toBe(40);
  expect(arrivalsOf({ kind: 'closed', users: 40, seconds: 60 })).toBe(0);
});
