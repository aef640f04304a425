import { afterEach, expect, test, vi } from 'vitest';
import { createSteadyClock } from './clock.ts';

const HOUR_MS = 3_600_000;

afterEach(() => {
  vi.restoreAllMocks();
});

test.for([HOUR_MS, -HOUR_MS])('a step of the system clock by %i ms does not reach a clock that runs', (stepMs) => {
  const clock = createSteadyClock();
  const beforeMs = clock.nowMs();
  const now = Date.now();
  vi.spyOn(Date, 'now').mockReturnValue(now + stepMs);
  expect(clock.nowMs() - beforeMs).toBeGreaterThanOrEqual(0);
  expect(clock.nowMs() - beforeMs).toBeLessThan(1_000);
});

test('a clock goes on from where it was started, as fast as the monotonic clock, in whole milliseconds', () => {
  const monotonic = vi.spyOn(performance, 'now').mockReturnValue(5_000.25);
  const clock = createSteadyClock(1_700_000_000_000.5);
  expect(clock.nowMs()).toBe(1_700_000_000_000);
  monotonic.mockReturnValue(6_234.5);
  expect(clock.nowMs()).toBe(1_700_000_001_234);
});
