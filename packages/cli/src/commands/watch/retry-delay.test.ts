import { expect, test } from 'vitest';
import { retryDelayMs } from './retry-delay.ts';

test('waits longer each time, up to a limit, and not all at the same moment', () => {
  expect([1, 2, 3, 4, 5, 6, 100].map((failures) => retryDelayMs(failures, 0.5))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000,
  ]);
  expect(retryDelayMs(1, 0)).toBe(375);
  expect(retryDelayMs(1, 0.999)).toBe(625);
});
