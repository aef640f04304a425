import { expect, test } from 'vitest';
import { cleanText, fitText, textWidth } from './cells.ts';

test.each([
  ['abc', 3],
  ['東京', 4],
  ['🎟', 1],
  ['🎉', 2],
  ['é', 1],
  ['e\u0301', 1],
  ['▁▂█░─▶', 6],
])('“%s” takes %i cells', (text, width) => {
  expect(textWidth(text)).toBe(width);
});

test('a text is filled up or cut to just so many cells', () => {
  expect(fitText('ab', 4)).toBe('ab  ');
  expect(fitText('ab', 4, 'right')).toBe('  ab');
  expect(fitText('abcdef', 4)).toBe('abc…');
  expect(fitText('東京都', 4)).toBe('東… ');
  expect(fitText('abc', 0)).toBe('');
});

test('what could steer a terminal is taken out, and ASCII keeps our own marks readable', () => {
  expect(cleanText('a\u001b[31mb\n\u202ec', false)).toBe('a [31mb  c');
  expect(cleanText('“Day 1” – 東京 …', true)).toBe('"Day 1" - ?? ...');
});
