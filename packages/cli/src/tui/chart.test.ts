import { expect, test } from 'vitest';
import { bar, columnChart, scaleOf, sparkline } from './chart.ts';
import { plainText } from './line.ts';
import { createTheme } from './theme.ts';

const utf8 = createTheme({ ascii: false, colour: false });
const ascii = createTheme({ ascii: true, colour: false });
const NONE = Number.NaN;

test('a line begins at zero and tells a gap from zero', () => {
  expect(sparkline([0, NONE, 4, 8], utf8)).toBe('▁ ▅█');
  expect(sparkline([0, NONE, 4, 8], ascii)).toBe('_ =#');
  expect(sparkline([0, 0], utf8)).toBe('▁▁');
});

test('columns of several rows', () => {
  expect(columnChart([0, NONE, 8, 16], 2, utf8)).toEqual(['   █', '▁ ██']);
  expect(columnChart([6, 3], 2, ascii)).toEqual(['# ', '##']);
});

test('the scale is that of what is known', () => {
  expect(scaleOf([NONE, 3, 1, NONE])).toEqual({ min: 1, max: 3, now: 1 });
  expect(scaleOf([NONE])).toEqual({ min: NONE, max: NONE, now: NONE });
});

test('a bar is full only when it is all', () => {
  expect(plainText(bar(0.999, 10, utf8))).toBe('█████████░');
  expect(plainText(bar(1, 10, utf8))).toBe('██████████');
  expect(plainText(bar(1.4, 4, ascii))).toBe('####');
});
