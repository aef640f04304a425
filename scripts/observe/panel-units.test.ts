import { expect, test } from 'vitest';
import { inUnit, panelUnit } from './panel-units.ts';

test.each([
  ['s', 0.0123, '12.3 ms'],
  ['s', 9.86, '9.86 s'],
  ['bytes', 285 * 2 ** 20, '285 MiB'],
  ['bytes', 900, '900 B'],
  ['Bps', 3 * 2 ** 10, '3 KiB'],
  ['percentunit', 0.254, '25.4 %'],
  ['reqps', 261, '261'],
  ['short', 1_431, '1,431'],
])('a largest value of %s of %d is written %s', (unit, most, words) => {
  const chosen = panelUnit(unit, most);
  expect(inUnit(chosen, most / chosen.size)).toBe(words);
});

test('what its numbers do not say stands beside the title: only rates need it', () => {
  const titles = ['s', 'bytes', 'percentunit', 'short', 'Bps', 'reqps', 'cps'].map((unit) => panelUnit(unit, 1).title);
  expect(titles).toEqual(['', '', '', '', 'a second', 'a second', 'a second']);
});
