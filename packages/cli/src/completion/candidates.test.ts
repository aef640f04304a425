import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../program.ts';
import { createFakeContext } from '../test-support/fake-context.ts';
import { completeWords } from './candidates.ts';
import { COMPLETION_SCRIPTS } from './scripts.ts';

const program = createProgram(createFakeContext(), () => undefined);
const valuesOf = (...words: readonly string[]) => completeWords(program, words).candidates.map(({ value }) => value);

/** Every command there is, whatever it does. */
function allCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

function wordsOf(command: Command): readonly string[] {
  return command.parent === null ? [] : [...wordsOf(command.parent), command.name()];
}

const shown = allCommands(program).filter((command) => command.name() !== '__complete');

test.each(shown.map((command) => [wordsOf(command).join(' ') || 'fest', command] as const))(
  'what stands behind %s is all offered',
  (_, command) => {
    const names = command.commands.map((child) => child.name()).filter((name) => name !== '__complete');
    const words = wordsOf(command);
    if (names.length > 0) expect(valuesOf(...words, '')).toEqual(expect.arrayContaining(names));
    const flags = command.options.map(({ long }) => long);
    expect(valuesOf(...words, '--')).toEqual(expect.arrayContaining(flags));
    if (command.parent !== null) expect(valuesOf(...words, '--')).toContain('--json');
  },
);

describe('what is being typed', () => {
  test('narrows what is offered', () => {
    expect(valuesOf('or')).toEqual(['orders']);
    expect(valuesOf('orders', 'e')).toEqual(['export']);
    expect(valuesOf('orders', 'export', '--res')).toEqual(['--resume']);
  });

  test.each([
    [['sale', 'show', ''], 'sale'],
    [['sale', 'close', '3', '--confirm', ''], 'sale'],
    [['orders', 'export', ''], 'sale'],
    [['audit', '--sale', ''], 'sale'],
    [['--json', 'sale', 'open', ''], 'sale'],
    [['-C', '/tmp', 'sale', 'open', ''], 'sale'],
    [['orders', 'export', '--festival', ''], 'festival'],
    [['attendees', 'export', ''], 'festival'],
    [['config', 'show', '--profile', ''], 'profile'],
    [['sale', 'list', ''], undefined],
    [['sale', 'show', '3', ''], undefined],
  ])('%j is for a server or a file to say', (words, dynamic) => {
    expect(completeWords(program, words).dynamic).toBe(dynamic);
  });

  test.each([[['seed', '']], [['-C', '']], [['orders', 'export', '3', '-o', '']], [['log', 'verify', 'a', '']]])(
    '%j is a file',
    (words) => {
      expect(completeWords(program, words).files).toBe(true);
    },
  );

  test('a value that bash has cut at its equals sign is one', () => {
    expect(valuesOf('orders', 'export', '--format', '=', 'nd')).toEqual(['ndjson']);
  });

  test('behind help stand commands and topics', () => {
    expect(valuesOf('help', 'ex')).toEqual(['exit-codes']);
    expect(valuesOf('help', 'log', 're')).toEqual(['replay', 'retire']);
  });

  test('nothing hidden is offered', () => {
    expect(valuesOf('')).not.toContain('__complete');
    expect(valuesOf('__')).toEqual([]);
  });
});

test('no script names a command or a flag, which could be out of date', () => {
  const names = shown.flatMap((command) => [command.name(), ...command.options.map(({ long }) => long ?? '')]);
  const ours = new Set(['fest', 'completion']);
  for (const script of Object.values(COMPLETION_SCRIPTS)) {
    const words = new Set(script.match(/--?[a-z][\w-]*|[a-z][\w-]*/g));
    const commands = [
      'orders',
      'attendees',
      'check-in',
      'seed',
      'doctor',
      'audit',
      ...names.filter((name) => name.startsWith('--')),
    ];
    expect(commands.filter((name) => words.has(name) && !ours.has(name))).toEqual([]);
  }
});
