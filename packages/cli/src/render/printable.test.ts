import { expect, test } from 'vitest';
import { csvLine, jsonLine, parseCsvLine, printable } from './printable.ts';

test.each([
  ['an escape sequence', 'Ada\u001b[2JByron', 'Ada [2JByron'],
  ['the one-byte form of it', 'Ada\u009b2JByron', 'Ada 2JByron'],
  ['a line break', 'Ada\nByron', 'Ada Byron'],
  ['a turned direction', 'Ada\u202eByron', 'Ada Byron'],
  ['letters of any script', 'Ådå 李 👩🏽‍🚀', 'Ådå 李 👩🏽‍🚀'],
])('%s is printed as text', (_, text, expected) => {
  expect(printable(text)).toBe(expected);
});

test.each([
  ['=HYPERLINK("http://evil")', `"'=HYPERLINK(""http://evil"")"\r\n`],
  ['+1', "'+1\r\n"],
  ['-1', "'-1\r\n"],
  ['@SUM(A1)', "'@SUM(A1)\r\n"],
  ['\t=1', '" \'=1"\r\n'],
  ['＝1', "'＝1\r\n"],
  ['a=b', 'a=b\r\n'],
])('the cell %j is no formula', (cell, line) => {
  const written = csvLine([cell]);
  if (cell.startsWith('\t')) expect(parseCsvLine(written.trimEnd())?.[0]).toMatch(/^'/);
  else expect(written).toBe(line);
});

test('a number stays one, negative or not, and null is empty', () => {
  expect(csvLine([-5, 3, null, ''])).toBe('-5,3,,\r\n');
});

test.each([[['a', 'b "c"', 'd,e', '', ' x ']], [['one']], [['', '']]])('%j comes back from its line', (cells) => {
  expect(parseCsvLine(csvLine(cells).slice(0, -2))).toEqual(cells);
});

test.each(['"a', 'a"b', '"a"b'])('%j is no record', (line) => {
  expect(parseCsvLine(line)).toBeUndefined();
});

test('a line of JSON has no control characters, and says the same', () => {
  const value = { name: 'Ada\u001b[2J\u009b\u202e\u2028\n' };
  const line = jsonLine(value);
  expect(line.trimEnd()).not.toMatch(/[\p{Cc}\u202e\u2028]/u);
  expect(JSON.parse(line)).toEqual(value);
});
