/** The command line of the measurement. */
import { LIMITS } from '@fest/server/limits';
import { defineCommandLine, type OptionsOf } from '../measuring/command-line.ts';
import { DIRECTORY, file, wholeNumber } from '../measuring/flags.ts';

const FLAGS = {
  waiters: wholeNumber({
    placeholder: 'N',
    help: 'numbers drawn in the end',
    fallback: 1_000_000,
    limits: [2_000, 5_000_000],
  }),
  few: wholeNumber({
    placeholder: 'N',
    help: 'numbers of the short lines they are compared with',
    fallback: 1_000,
    limits: [100, 10_000],
  }),
  // A million joins take two minutes of a server that has a processor to itself, and many more on a busy machine.
  overHttp: wholeNumber({
    placeholder: 'N',
    help: "of them join over HTTP, the first ones; the others by the server's own script in Redis",
    fallback: 5_000_000,
    limits: [1, 5_000_000],
    fallbackSaid: 'all',
  }),
  polling: wholeNumber({
    placeholder: 'N',
    help: 'of them ask as told by `pollAfterMs`, when N are drawn',
    fallback: 100_000,
    limits: [1_000, 1_000_000],
  }),
  seconds: wholeNumber({ placeholder: 'S', help: 'and are watched for so long', fallback: 60, limits: [1, 600] }),
  pairs: wholeNumber({
    placeholder: 'N',
    help: 'pairs of blocks, short line and long line',
    fallback: 10,
    limits: [2, 400],
  }),
  blockMs: wholeNumber({ placeholder: 'M', help: 'what a block takes, about', fallback: 600, limits: [50, 5_000] }),
  connections: wholeNumber({
    placeholder: 'C',
    help: 'of the generator, one request under way on each',
    fallback: 64,
    limits: [1, 1_000],
  }),
  warmUp: wholeNumber({
    placeholder: 'N',
    help: 'join a line that is thrown away, before anything is read',
    fallback: 60_000,
    limits: [1_000, 1_000_000],
  }),
  readings: wholeNumber({
    placeholder: 'N',
    help: 'of each memory, a second apart; the least counts',
    fallback: 10,
    limits: [1, 60],
  }),
  admissionSeconds: wholeNumber({
    placeholder: 'S',
    help: 'of the sales: nobody is told to wait longer than a third of it',
    fallback: LIMITS.admissionSecondsMax,
    limits: [LIMITS.admissionSecondsMin, LIMITS.admissionSecondsMax],
  }),
  directory: DIRECTORY,
  json: file('write the whole result as JSON'),
};
export type LineOptions = OptionsOf<typeof FLAGS>;

export const LINE = defineCommandLine({
  command: 'npm run bench:line',
  purpose:
    'Draws numbers through one server, pinned to a processor, and measures what a waiting room of that size costs.',
  flags: FLAGS,
  shown: ['waiters', 'polling', 'seconds', 'pairs', 'json'],
  ending: 'It ends with 7 when a bound is broken, and with 1 when it could not measure.',
  faultsBetween: ({ few, polling, waiters }) =>
    few < polling && polling <= waiters ? [] : ['--few must be less than --polling, and --polling at most --waiters.'],
});

const AROUND_MS = 240_000;
/** On a busy machine: a join, once; and what makes a block ready. */
const JOIN_MS = 0.5;
const PREPARING_MS = 3_000;
const PAIRED_ROWS = 4;

/** A run that takes longer than this is given up, milliseconds. */
export function longestMs({ waiters, seconds, pairs, blockMs }: LineOptions): number {
  const watched = 2 * (seconds * 1_000 + 60_000);
  return AROUND_MS + Math.ceil(waiters * JOIN_MS) + watched + PAIRED_ROWS * 2 * (pairs + 2) * (blockMs + PREPARING_MS);
}
