import { expect, test } from 'vitest';
import { ReturnTimes } from './return-times.ts';

const PACE = { fullRetryMs: 5_000, fullRetryMaxMs: 150_000, returnsPerSecond: 100 };

/** After three seconds of so many refusals each. */
function after(perSecond: number): ReturnTimes {
  const times = new ReturnTimes(PACE);
  for (let count = 0; count <= 3 * perSecond; count += 1) times.note((count * 1000) / perSecond);
  return times;
}

test.each([
  [1, 5_000, 5_000],
  [100, 5_000, 5_000],
  [1_000, 9_000, 11_000],
  [10_000, 90_000, 110_000],
  [50_000, 150_000, 150_000],
])('%d refusals a second come back after %d to %d ms at the earliest', (perSecond, least, most) => {
  const leastMs = after(perSecond).leastMs(3_000);
  expect(leastMs).toBeGreaterThanOrEqual(least);
  expect(leastMs).toBeLessThanOrEqual(most);
});

test('a crowd that has gone is forgotten within seconds', () => {
  expect(after(10_000).leastMs(8_000)).toBe(5_000);
});

test('nobody was refused yet', () => {
  expect(new ReturnTimes(PACE).leastMs(0)).toBe(5_000);
});
