import { expect, test } from 'vitest';
import { asTold, everyButAsTold, soonerThanTold } from './poll-pause.ts';

const chance = () => 0.5;

test('who does as told waits that long and a little more', () => {
  expect(asTold(1_000, chance)).toBe(1_050);
  expect(asTold(1_000, () => 0)).toBe(1_000);
});

test('a pace of three seconds is kept until a longer one is told', () => {
  const pause = everyButAsTold(3_000);
  expect(pause(1_000, chance)).toBe(3_000);
  expect(pause(3_000, chance)).toBe(3_000);
  expect(pause(20_000, chance)).toBe(21_000);
});

test('who asks sooner than told waits no longer than told either', () => {
  const pause = soonerThanTold(250);
  expect(pause(1_000, chance)).toBe(250);
  expect(pause(100, chance)).toBe(100);
});
