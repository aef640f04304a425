import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../limits.ts';
import { queueHighWaterOf, releasedNumbers } from './restore-stock.ts';

describe('releasedNumbers', () => {
  it.each([
    ['nothing was sold', [], []],
    ['everything below the highest is sold', [1, 2, 3], []],
    ['gaps were given out and came back', [2, 5], [1, 3, 4]],
  ])('%s', (_, sold, released) => {
    expect(releasedNumbers(sold)).toEqual(released);
  });
});

describe('queueHighWaterOf', () => {
  it('leaves each epoch its own range of numbers', () => {
    expect([1, 2, 3].map(queueHighWaterOf)).toEqual([0, LIMITS.queueNumbersPerEpoch, 2 * LIMITS.queueNumbersPerEpoch]);
  });
});
