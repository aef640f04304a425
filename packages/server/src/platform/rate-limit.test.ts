import { describe, expect, it } from 'vitest';
import { RateLimit, type RateLimitOptions } from './rate-limit.ts';

const NOW = Date.UTC(2027, 0, 1);
const newLimit = (options: Partial<RateLimitOptions> = {}) =>
  new RateLimit({ perMinute: 60, burst: 20, entries: 2 ** 12, keys: [0x1234_5678, 0x9abc_def0], ...options });

/** How many of the attempts of one key at these times are allowed. */
function allowed(limit: RateLimit, key: number, timesMs: readonly number[]): number {
  return timesMs.filter((atMs) => limit.take(4, key, 0, NOW + atMs) === 0).length;
}

const times = (count: number, everyMs: number, fromMs = 0): readonly number[] =>
  Array.from({ length: count }, (_, index) => fromMs + index * everyMs);

describe('a rate', () => {
  it.each([
    { perMinute: 60, burst: 20, timesMs: times(100, 0), expected: 20, what: 'a burst and no more' },
    { perMinute: 60, burst: 20, timesMs: times(1_000, 1_000), expected: 1_000, what: 'one in each interval, for ever' },
    {
      perMinute: 60,
      burst: 1,
      timesMs: times(100, 1_000),
      expected: 100,
      what: 'one in each interval, without a burst',
    },
    {
      perMinute: 60,
      burst: 20,
      timesMs: times(6_000, 100),
      expected: 20 + 599,
      what: 'of a flood one in each interval',
    },
    { perMinute: 5_000, burst: 5_000, timesMs: times(6_000, 0), expected: 5_000, what: 'all of a minute at once' },
    { perMinute: 7, burst: 7, timesMs: times(8, 0), expected: 7, what: 'a burst whose interval is a fraction' },
    { perMinute: 1, burst: 1, timesMs: [0, 59_999, 60_000, 60_001], expected: 2, what: 'one a minute' },
  ])('allows $what', ({ timesMs, expected, ...options }) => {
    expect(allowed(newLimit(options), 1, timesMs)).toBe(expected);
  });

  it('says after how long the next one is allowed, and no sooner and no later', () => {
    const limit = newLimit({ perMinute: 7, burst: 3 });
    expect(allowed(limit, 1, times(3, 0))).toBe(3);
    const waitMs = limit.take(4, 1, 0, NOW + 100);
    expect(waitMs).toBe(Math.ceil(60_000 / 7 - 100));
    expect(limit.take(4, 1, 0, NOW + 100 + waitMs - 2)).toBeGreaterThan(0);
    expect(limit.take(4, 1, 0, NOW + 100 + waitMs)).toBe(0);
  });

  it('is not used up by what it refuses', () => {
    const limit = newLimit();
    expect(allowed(limit, 1, times(10_000, 1))).toBe(20 + 9);
    expect(limit.take(4, 1, 0, NOW + 11_000)).toBe(0);
  });

  it('is each key’s own', () => {
    const limit = newLimit();
    allowed(limit, 1, times(1_000, 0));
    for (let key = 2; key < 200; key += 1) expect(limit.take(4, key, 0, NOW)).toBe(0);
  });
});

describe('somebody with very many keys', () => {
  it('does not get one of them forgotten, nor another one refused', () => {
    const limit = newLimit({ entries: 2 ** 12 });
    allowed(limit, 0, times(20, 0));
    let refused = 0;
    // A hundred keys for each entry of the table.
    for (let key = 1; key <= 100 * 2 ** 12; key += 1) if (limit.take(4, key, 0, NOW) > 0) refused += 1;
    expect(refused).toBe(0);
    expect(limit.take(4, 0, 0, NOW)).toBeGreaterThan(0);
  });

  it('who has more than the table, all as far as they go, is forgotten at worst: nobody else is refused', () => {
    const limit = newLimit({ entries: 2 ** 8, burst: 3 });
    for (let key = 1; key <= 2 ** 12; key += 1) allowed(limit, key, times(4, 0));
    for (let key = 1_000_000; key < 1_000_500; key += 1) expect(limit.take(4, key, 0, NOW)).toBe(0);
  });
});

describe('what is let pass beyond it', () => {
  it('is counted in bursts, up to the most that can be owed', () => {
    const limit = newLimit({ perMinute: 600, burst: 100, burstsOwedMax: 4 });
    const owed = () => limit.burstsOwed(4, 1, 0, NOW);
    for (let count = 0; count < 100; count += 1) {
      expect(owed()).toBeLessThanOrEqual(1);
      limit.add(4, 1, 0, NOW);
    }
    expect(owed()).toBeGreaterThan(1);
    for (let count = 0; count < 100; count += 1) limit.add(4, 1, 0, NOW);
    expect(owed()).toBeCloseTo(2.01, 2);
    for (let count = 0; count < 1_000; count += 1) limit.add(4, 1, 0, NOW);
    expect(owed()).toBeCloseTo(4.01, 2);
    // 300 beyond the burst at 10 a second.
    expect(limit.take(4, 1, 0, NOW + 30_000)).toBeGreaterThan(0);
    expect(limit.take(4, 1, 0, NOW + 30_200)).toBe(0);
  });
});
