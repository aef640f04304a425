import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../limits.ts';
import { PollPace } from './poll-pace.ts';

const SALE = 7;
const NOW = Date.UTC(2027, 0, 1);
const keys = [0x1234_5678, 0x9abc_def0] as const;
const newPace = (entries?: number) => new PollPace({ keys, ...(entries === undefined ? {} : { entries }) });

/** How many of the questions at these times are answered. */
function answered(pace: PollPace, number: number, timesMs: readonly number[], pollAfterMs = 1_000): number {
  return timesMs.filter((atMs) => pace.allows(SALE, number, pollAfterMs, NOW + atMs)).length;
}

/** `count` times, `everyMs` apart, beginning at `fromMs`. */
const times = (count: number, everyMs: number, fromMs = 0): readonly number[] =>
  Array.from({ length: count }, (_, index) => fromMs + index * everyMs);

describe('who asks as told', () => {
  it.each([
    ['exactly', times(1_000, 1_000)],
    ['with a clock that runs a tenth too fast', times(1_000, 900)],
    [
      'in three tabs',
      [...times(600, 1_000), ...times(600, 1_000, 10), ...times(600, 1_000, 990)].sort((a, b) => a - b),
    ],
    [
      'and loads the page again now and then',
      [...times(600, 1_000), ...times(60, 10_000, 3), ...times(60, 10_000, 6)].sort((a, b) => a - b),
    ],
    ['and loads the page five times at once', [...times(20, 1_000), ...times(5, 1, 5_001)].sort((a, b) => a - b)],
  ])('%s is always answered', (_, timesMs) => {
    expect(answered(newPace(), 1, timesMs)).toBe(timesMs.length);
  });

  it('is answered on the way to the front, where the interval becomes short while much is owed', () => {
    const pace = newPace();
    expect(answered(pace, 1, times(8, 1), 30_000)).toBe(8);
    expect(answered(pace, 1, times(60, 1_000, 1_000), 1_000)).toBe(60);
  });

  it('is never refused in a crowd of a million, all at once and for three rounds', () => {
    const pace = newPace();
    let refused = 0;
    for (let round = 0; round < 3; round += 1) {
      for (let number = 1; number <= 1_000_000; number += 1) {
        // Spread over the interval as in life; every tenth is at the front and asks more often than the others may.
        const interval = number % 10 === 0 ? 1_000 : 30_000;
        const atMs = NOW + round * 30_000 + (number % 30_000);
        if (!pace.allows(SALE, number, interval, atMs)) refused += 1;
      }
    }
    expect(refused).toBe(0);
  });
});

describe('who asks much more often than told', () => {
  it('is refused after a few questions', () => {
    expect(answered(newPace(), 1, times(1_000, 1))).toBeLessThanOrEqual(LIMITS.pollPaceBurst + 1_000 / 250);
  });

  it.each([1_000, 5_000, 30_000])(
    'gets no more than four answers in an interval of %i ms, for as long as it goes on',
    (interval) => {
      const count = answered(newPace(), 1, times(100_000, interval / 100), interval);
      expect(count).toBeLessThanOrEqual(LIMITS.pollPaceBurst + 1_000 * LIMITS.pollPaceFactor);
      expect(count).toBeGreaterThanOrEqual(1_000 * LIMITS.pollPaceFactor - 1);
    },
  );

  it('is refused just as long when its interval has become short, and no longer', () => {
    const pace = newPace();
    answered(pace, 1, times(100, 1), 30_000);
    // Ten questions are owed, of which four are used up in an interval of now.
    expect(answered(pace, 1, times(100, 10, 1_000), 1_000)).toBeLessThanOrEqual(1_000 / 250 + 1);
    expect(pace.allows(SALE, 1, 1_000, NOW + 3_000)).toBe(true);
  });

  it('is answered again soon after it stops', () => {
    const pace = newPace();
    expect(answered(pace, 1, times(100, 1))).toBeLessThan(20);
    expect(answered(pace, 1, times(1, 1, 1_100))).toBe(1);
  });

  it('does not harm other buyers, nor the same buyer at another sale', () => {
    const pace = newPace();
    answered(pace, 1, times(20, 0));
    expect(pace.allows(SALE, 1, 1_000, NOW)).toBe(false);
    expect(pace.allows(SALE, 2, 1_000, NOW)).toBe(true);
    expect(pace.allows(SALE + 1, 1, 1_000, NOW)).toBe(true);
    // The same low half.
    expect(pace.allows(SALE, 1 + 2 ** 32, 1_000, NOW)).toBe(true);
  });

  it('is not forgotten among a million who ask as told', () => {
    const pace = newPace();
    let number = 2;
    let count = 0;
    for (let ms = 0; ms < 30_000; ms += 10) {
      if (pace.allows(SALE, 1, 30_000, NOW + ms)) count += 1;
      for (let others = 0; others < 333; others += 1, number += 1) pace.allows(SALE, number, 30_000, NOW + ms);
    }
    expect(number).toBeGreaterThan(990_000);
    expect(count).toBeLessThanOrEqual(LIMITS.pollPaceBurst + LIMITS.pollPaceFactor);
  });
});

it('forgets whoever owes least when a set is full', () => {
  // One set: five numbers, four places.
  const pace = newPace(4);
  for (let asked = 0; asked < 20; asked += 1) pace.allows(SALE, 1, 1_000, NOW);
  for (const number of [2, 3, 4, 5, 6, 7]) pace.allows(SALE, number, 1_000, NOW);
  expect(pace.allows(SALE, 1, 1_000, NOW)).toBe(false);
});

it('takes a power of two only, of which it makes its mask', () => {
  expect(() => newPace(1_000)).toThrow('power of two');
});
