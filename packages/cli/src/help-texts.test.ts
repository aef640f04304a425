import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { EXIT, EXIT_CODE_MEANINGS } from './exit-codes.ts';
import { listCommands } from './help-texts.ts';
import { main } from './main.ts';
import { createProgram } from './program.ts';
import { createFakeContext } from './test-support/fake-context.ts';

const program = createProgram(createFakeContext(), () => undefined);
const listed = listCommands(program).filter(({ path }) => path !== '__complete');

async function helpOf(path: string, ...flags: readonly string[]): Promise<string> {
  const context = createFakeContext();
  expect(await main([...path.split(' '), ...flags], context)).toBe(EXIT.done);
  return context.text('stdout');
}

test.each(listed.map(({ path }) => path))('the help of %s has examples and exit codes', async (path) => {
  const help = await helpOf(path, '--help');
  const [, examples = '', codes = ''] = /\nExamples:\n([\s\S]+)\nExit codes:\n([\s\S]+)$/.exec(help) ?? [];
  expect(help.match(/\nExamples:/g), path).toHaveLength(1);
  expect(examples).toContain('fest');
  for (const line of codes.trim().split('\n')) {
    const [, code = '', meaning = ''] = /^ *(\d+) +(.+)$/.exec(line) ?? [];
    expect(EXIT_CODE_MEANINGS).toContainEqual({ code: Number(code), meaning });
  }
});

test.each(listed)('every example of $path is a command line that there is', ({ path, command }) => {
  const written: string[] = [];
  command.configureOutput({ writeOut: (text) => void written.push(text) });
  command.outputHelp();
  const [, examples = ''] = /\nExamples:\n([\s\S]+?)\n\n/.exec(written.join('')) ?? [];
  const lines = examples.split('\n').filter((line) => /\bfest\b/.test(line));
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(unknownFlags(command, line), `${path}: ${line}`).toEqual([]);
});

/** Flags in the part of the line that is the command. */
function unknownFlags(command: Command, line: string): readonly string[] {
  const [text = ''] = line.trim().split(/ {2,}/);
  const flags = text.match(/(?<=\s)--[a-z][a-z-]*/g) ?? [];
  const known: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent)
    known.push(...at.options.map(({ long }) => long ?? ''));
  return flags.filter((flag) => !known.includes(flag));
}

test('fest help says at length what --help says in short', async () => {
  const [short, long] = [await helpOf('orders export', '--help'), await helpOf('help orders export')];
  expect(long.startsWith(short)).toBe(true);
  expect(long).toContain('without a gap');
});
