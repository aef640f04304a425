import { describe, expect, it } from 'vitest';
import { releasedNumbers } from './rebuild-sale.ts';

describe('releasedNumbers', () => {
  it.each([
    ['nothing was sold', [], []],
    ['everything below the highest is sold', [1, 2, 3], []],
    ['gaps were given out and came back', [2, 5], [1, 3, 4]],
  ])('%s', (_, sold, released) => {
    expect(releasedNumbers(sold)).toEqual(released);
  });
});
