import { describe, expect, it, test } from 'vitest';
import { defineCommandLine } from './command-line.ts';
import { file, numbers, oneOf, someOf, wholeNumber } from './flags.ts';

const COMMAND_LINE = defineCommandLine({
  command: 'npm run bench:nothing',
  purpose: 'Measures nothing.',
  flags: {
    pairs: wholeNumber({ placeholder: 'N', help: 'pairs of it', fallback: 6, limits: [2, 60] }),
    blockMs: wholeNumber({ placeholder: 'M', help: 'of a block', fallback: 0, limits: [0, 9], fallbackSaid: 'none' }),
    ordersPerSecond: wholeNumber({ name: 'rate', placeholder: 'R', help: 'of it', fallback: 1, limits: [1, 2] }),
    rule: oneOf({ help: 'of it', words: ['keep', 'tail'], fallback: 'keep' }),
    only: someOf({ placeholder: 'PARTS', help: 'of it', words: ['poll', 'join', 'hold'] }),
    factors: numbers({ placeholder: 'LIST', help: 'of it', fallback: [1, 2], most: 20 }),
    json: file('write it'),
  },
  shown: ['pairs', 'rule', 'json'],
  ending: 'It ends.',
  faultsBetween: ({ pairs, blockMs }) => (pairs > 50 && blockMs > 5 ? ['--pairs or --block-ms must be less.'] : []),
});

function parsed(...args: readonly string[]) {
  const options = COMMAND_LINE.parse(args);
  if (options === 'help') throw new Error('these are options');
  return options;
}

describe('the options', () => {
  it('are the defaults where no flag is given', () => {
    const standard = { pairs: 6, blockMs: 0, ordersPerSecond: 1, rule: 'keep', factors: [1, 2], json: undefined };
    expect(parsed()).toEqual({ ...standard, only: ['poll', 'join', 'hold'] });
  });

  it('are read as what they are', () => {
    const given = parsed(
      '--block-ms',
      '7',
      '--rate=2',
      '--rule',
      'tail',
      '--only',
      'hold, poll,poll',
      '--factors',
      '0.5,3',
    );
    expect(given).toMatchObject({
      blockMs: 7,
      ordersPerSecond: 2,
      rule: 'tail',
      only: ['poll', 'hold'],
      factors: [0.5, 3],
    });
  });

  test.each([
    [['--pairs', '61'], '--pairs must be a whole number from 2 to 60, not "61".'],
    [['--pairs', ''], '--pairs must be a whole number from 2 to 60, not "".'],
    [['--rate', '1.5'], '--rate must be a whole number from 1 to 2, not "1.5".'],
    [['--rule', 'front'], '--rule must be one of keep, tail, not "front".'],
    [['--only', 'pol,join'], '--only: there is no "pol"; take of poll, join, hold.'],
    [['--factors', '1,x'], '--factors must be numbers up to 20 with commas between them, not "1,x".'],
    [['--pairs', '51', '--block-ms', '6'], '--pairs or --block-ms must be less.'],
    [['--pairs', '51', '--block-ms', '66'], '--block-ms must be a whole number from 0 to 9, not "66".'],
    [['--pairs', '1', '--rule', 'x'], '--pairs must be a whole number from 2 to 60, not "1".\n--rule must be one of'],
    [['--nonsense'], "Unknown option '--nonsense'"],
    [['--pairs'], "Option '--pairs <value>' argument missing"],
    [['6'], "Unexpected argument '6'"],
  ])('%j is refused with what to write instead', (args, message) => {
    expect(() => COMMAND_LINE.parse(args)).toThrow(message);
  });
});

test('help is asked for by either name, and tells every flag with its default', () => {
  for (const flag of ['--help', '-h']) expect(COMMAND_LINE.parse(['--pairs', '1', flag])).toBe('help');
  expect(COMMAND_LINE.usage).toBe(`npm run bench:nothing -- [--pairs N] [--rule keep|tail] [--json FILE] …

Measures nothing.

  --pairs N         pairs of it (default 6)
  --block-ms M      of a block (default: none)
  --rate R          of it (default 1)
  --rule keep|tail  of it (default keep)
  --only PARTS      of it
  --factors LIST    of it (default 1,2; at most 20)
  --json FILE       write it

It ends.
`);
});

test('the command that does the same again names what was not the default, and no files', () => {
  const options = parsed('--factors', '3', '--only', 'join,poll', '--rate', '2', '--json', 'x.json');
  const command = COMMAND_LINE.commandOf(options);
  expect(command).toBe('npm run bench:nothing -- --rate 2 --only poll,join --factors 3');
  expect(parsed(...command.split(' ').slice(4))).toEqual({ ...options, json: undefined });
  expect(COMMAND_LINE.commandOf(parsed())).toBe('npm run bench:nothing');
});
