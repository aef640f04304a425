import { expect, test } from 'vitest';
import { CORE, longestMs } from './options.ts';
import { PARTS } from './rows.ts';

function parsed(...args: readonly string[]) {
  const options = CORE.parse(args);
  if (options === 'help') throw new Error('these are options');
  return options;
}

test('without flags: everything, ten pairs, given up after nine minutes', () => {
  const options = parsed();
  expect(options).toMatchObject({ pairs: 10, inFlight: 256, only: PARTS, json: undefined, svg: undefined });
  expect(longestMs(options)).toBeLessThanOrEqual(540_000);
  expect(CORE.parse(['--help'])).toBe('help');
});

test.each([
  [['--pairs', '1'], '--pairs must be a whole number from 2 to 60, not "1".'],
  [['--block-ms', '1.5'], '--block-ms must be a whole number from 50 to 5000, not "1.5".'],
  [['--buyers', ''], '--buyers must be a whole number from 1 to 2000, not "".'],
  [['--only', 'poll,pol'], '--only: there is no "pol"; take of poll, join'],
  [['--nonsense'], '--nonsense'],
])('%j is refused with what to write instead', (args, message) => {
  expect(() => CORE.parse(args)).toThrow(message);
});

test('parts are measured in their own order, each once, however they are asked for', () => {
  expect(parsed('--only', 'funnel, poll,poll').only).toEqual(['poll', 'funnel']);
});

test('the command of a run does the same again', () => {
  const options = parsed('--pairs', '12', '--in-flight', '64', '--only', 'poll,join', '--json', 'x.json');
  const command = CORE.commandOf(options);
  expect(command).toBe('npm run bench:core -- --pairs 12 --in-flight 64 --only poll,join');
  expect(parsed(...command.split(' ').slice(4))).toEqual({ ...options, json: undefined });
});
