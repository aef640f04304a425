import { expect, test } from 'vitest';
import { FAIRNESS, longestMs } from './options.ts';

test('the defaults are fifty thousand buyers under the rule keep, and the lag that is promised', () => {
  expect(FAIRNESS.parse([])).toMatchObject({ buyers: 50_000, rejoin: 'keep', lagMs: 250 });
  expect(FAIRNESS.parse(['--help'])).toBe('help');
});

test.each([
  [['--buyers', '0'], '--buyers must be a whole number from 100 to 200000, not "0".'],
  [['--rejoin', 'front'], '--rejoin must be one of keep, tail, not "front".'],
  [['--nonsense'], '--nonsense'],
])('%j is refused with what to write instead', (args, message) => {
  expect(() => FAIRNESS.parse(args)).toThrow(message);
});

test('a run is given up after whole milliseconds, as timers have them', () => {
  const options = FAIRNESS.parse(['--rate', '150']);
  if (options === 'help') throw new Error('these are options');
  expect(Number.isInteger(longestMs(options))).toBe(true);
});

test('the command that repeats a run names what was not the default', () => {
  const options = FAIRNESS.parse(['--rejoin', 'tail', '--lag-ms', '400']);
  if (options === 'help') throw new Error('these are options');
  expect(FAIRNESS.commandOf(options)).toBe('npm run bench:fairness -- --rejoin tail --lag-ms 400');
});
