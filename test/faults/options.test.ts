import { describe, expect, it } from 'vitest';
import { commandOf, parseOptions } from './options.ts';

describe('the command line', () => {
  it('has a default for everything', () => {
    expect(parseOptions([], 'drawn')).toMatchObject({
      seed: 'drawn',
      recipes: undefined,
      json: undefined,
      keep: false,
    });
  });

  it('reads back the command it prints', () => {
    const args = ['--minutes', '1.5', '--seed', 'x1', '--faults', 'redis-wipe,server-kill', '--rate', '50'];
    const options = parseOptions(args, 'drawn');
    if (options === 'help') throw new Error('no help was asked for');
    const [, printed = ''] = commandOf(options).split(' -- ');
    expect(parseOptions(printed.split(' '), 'other')).toEqual(options);
  });

  it('says all that is wrong with its input', () => {
    const args = ['--minutes', 'soon', '--rate', '0', '--faults', 'server-kill,flood', '--seed', ''];
    for (const fault of [/--minutes .*"soon"/, /--rate .*"0"/, /no fault "flood"/, /--seed must not be empty/])
      expect(() => parseOptions(args, 'drawn')).toThrow(fault);
    expect(() => parseOptions(['--hours', '1'], 'drawn')).toThrow(/--hours/);
  });
});
