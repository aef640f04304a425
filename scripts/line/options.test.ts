import { expect, test } from 'vitest';
import { LINE, longestMs } from './options.ts';

test('the defaults are a million waiters against a thousand, and a hundred thousand who ask', () => {
  expect(LINE.parse([])).toMatchObject({ waiters: 1_000_000, few: 1_000, polling: 100_000, seconds: 60, pairs: 10 });
  expect(LINE.parse(['--help'])).toBe('help');
});

test.each([
  [['--waiters', '1'], '--waiters must be a whole number from 2000 to 5000000, not "1".'],
  [['--waiters', '50000'], '--polling at most --waiters'],
  [['--few', '2000', '--polling', '1000'], '--few must be less than --polling'],
  [['--nonsense'], '--nonsense'],
])('%j is refused with what to write instead', (args, message) => {
  expect(() => LINE.parse(args)).toThrow(message);
});

test('a run is given up after whole milliseconds, as timers have them', () => {
  const options = LINE.parse(['--waiters', '100001']);
  if (options === 'help') throw new Error('these are options');
  expect(Number.isInteger(longestMs(options))).toBe(true);
});

test('the command that repeats a run names what was not the default', () => {
  const options = LINE.parse(['--waiters', '300000', '--block-ms', '800']);
  if (options === 'help') throw new Error('these are options');
  expect(LINE.commandOf(options)).toBe('npm run bench:line -- --waiters 300000 --block-ms 800');
});
