import { expect, test } from 'vitest';
import { parseCpuList, planPinning } from './processors.ts';

test.each([
  ['0-1', [0, 1]],
  ['3', [3]],
  ['0,2-4,9', [0, 2, 3, 4, 9]],
  ['', undefined],
  ['all', undefined],
  ['4-2', undefined],
])('the list "%s"', (text, cpus) => {
  expect(parseCpuList(text)).toEqual(cpus);
});

test('server and generator have a processor each; the rest has the others, or the generator’s', () => {
  expect(planPinning([4, 5, 6, 7])).toEqual({ server: 4, generator: 5, rest: [6, 7] });
  expect(planPinning([0, 1])).toEqual({ server: 0, generator: 1, rest: [1] });
  expect(planPinning([3])).toBeUndefined();
});
