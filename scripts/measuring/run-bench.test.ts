import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '@fest/cli/exit-codes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defineCommandLine, type OptionsOf } from './command-line.ts';
import { file, wholeNumber } from './flags.ts';
import { type Bench, type BenchContext, type BenchResult, runBench } from './run-bench.ts';

const FLAGS = {
  pairs: wholeNumber({ placeholder: 'N', help: 'of it', fallback: 6, limits: [2, 60] }),
  json: file('write it'),
};
type Options = OptionsOf<typeof FLAGS>;
const COMMAND_LINE = defineCommandLine({
  command: 'npm run bench:it',
  purpose: 'Measures it.',
  flags: FLAGS,
  shown: ['pairs', 'json'],
});
const RESULT: BenchResult = { markdown: '| it |\n', schema: 'fest.bench-it/1', document: { figure: 7 } };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fest-run-bench-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Scene extends Partial<Bench<Options>> {
  readonly args?: readonly string[];
  readonly interrupt?: AbortController;
}

async function run({ args = [], interrupt = new AbortController(), ...changes }: Scene) {
  const [printed, said]: [string[], string[]] = [[], []];
  const exitCode = await runBench(
    { commandLine: COMMAND_LINE, longestMs: () => 60_000, measure: async () => RESULT, ...changes },
    {
      args,
      env: { HOME: '/home' },
      print: (text) => printed.push(text),
      complain: (text) => said.push(text),
      interrupt: interrupt.signal,
    },
  );
  return { exitCode, printed: printed.join(''), said: said.join('') };
}

const mustNotRun = async (): Promise<never> => {
  throw new Error('nothing should be measured');
};
/** Ends when it is told to. */
const endless = ({ signal }: BenchContext): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

it('prints what was measured, and writes the files that were asked for', async () => {
  const [json, svg] = [join(folder, 'it.json'), join(folder, 'it.svg')];
  const ran = await run({
    args: ['--pairs', '8', '--json', json],
    measure: async ({ pairs }, { env, say, startedAt }) => {
      say(`Measuring ${pairs} pairs in ${env.HOME}.`);
      return { ...RESULT, document: { figure: 7, pairs, startedAt }, files: [{ path: svg, content: '<svg/>' }] };
    },
  });
  expect(ran).toEqual({ exitCode: EXIT.done, printed: '| it |\n', said: 'Measuring 8 pairs in /home.\n' });
  const { at, startedAt, ...rest } = JSON.parse(readFileSync(json, 'utf8'));
  expect(rest).toEqual({
    schema: 'fest.bench-it/1',
    command: 'npm run bench:it -- --pairs 8',
    figure: 7,
    pairs: 8,
  });
  expect(new Date(at).toISOString()).toBe(startedAt);
  expect(readFileSync(svg, 'utf8')).toBe('<svg/>');
});

it('ends as the measurement says, with its result all the same', async () => {
  const ran = await run({ measure: async () => ({ ...RESULT, exitCode: EXIT.checkFailed }) });
  expect(ran).toMatchObject({ exitCode: EXIT.checkFailed, printed: '| it |\n' });
});

it('helps without measuring', async () => {
  const ran = await run({ args: ['--help'], measure: mustNotRun, obstacle: () => 'not here' });
  expect(ran).toEqual({ exitCode: EXIT.done, printed: COMMAND_LINE.usage, said: '' });
});

it('says what is wrong with a flag, and how to write all of them', async () => {
  const { exitCode, printed, said } = await run({ args: ['--pairs', 'many'], measure: mustNotRun });
  expect([exitCode, printed]).toEqual([EXIT.usage, '']);
  expect(said).toBe(`--pairs must be a whole number from 2 to 60, not "many".\n\n${COMMAND_LINE.usage}`);
});

it('says what stands in the way before anything is started', async () => {
  const ran = await run({ measure: mustNotRun, obstacle: ({ pairs }) => `${pairs} pairs are too many here.` });
  expect(ran).toEqual({ exitCode: EXIT.usage, printed: '', said: '6 pairs are too many here.\n' });
});

it('stops when it is interrupted', async () => {
  const interrupt = new AbortController();
  const running = run({ interrupt, measure: (_, context) => endless(context) });
  interrupt.abort();
  expect(await running).toEqual({
    exitCode: EXIT.interrupted,
    printed: '',
    said: 'Interrupted; everything was stopped.\n',
  });
});

it('gives up a run that takes too long', async () => {
  const { exitCode, said } = await run({ longestMs: () => 20, measure: (_, context) => endless(context) });
  expect(exitCode).toBe(EXIT.bug);
  expect(said).toMatch(/^Given up: it took longer than it should\./);
});

it('shows where an error that nobody expected came from', async () => {
  const { exitCode, said } = await run({
    measure: async () => {
      throw new Error('no table');
    },
  });
  expect(exitCode).toBe(EXIT.bug);
  expect(said).toMatch(/^Error: no table\n {4}at /);
});
