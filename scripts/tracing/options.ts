/** The command line of the measurement. */
import { CORE } from '../core/options.ts';
import { defineCommandLine, type OptionsOf } from '../measuring/command-line.ts';
import { DIRECTORY, file, someOf, wholeNumber } from '../measuring/flags.ts';

export const PATHS = ['join', 'hold', 'confirmation'] as const;
export type TracedPath = (typeof PATHS)[number];

const FLAGS = {
  pairs: wholeNumber({ placeholder: 'N', help: 'pairs of blocks of each row', fallback: 10, limits: [2, 60] }),
  blockMs: wholeNumber({ placeholder: 'M', help: 'what a block takes, about', fallback: 800, limits: [50, 5_000] }),
  percent: wholeNumber({ placeholder: 'P', help: 'of the requests that are traced', fallback: 1, limits: [0, 100] }),
  only: someOf({ placeholder: 'PATHS', help: `of ${PATHS.join(', ')}; with commas between them`, words: PATHS }),
  directory: DIRECTORY,
  json: file('write the whole result, every block of it, as JSON'),
};
export type TracingOptions = OptionsOf<typeof FLAGS>;

export const TRACING = defineCommandLine({
  command: 'npm run bench:tracing',
  purpose:
    'Measures what traces cost a server process: one without them, one more without (what the machine does by itself), one with.',
  flags: FLAGS,
  shown: ['pairs', 'blockMs', 'percent', 'only', 'json'],
});

/** What a run takes of the measurement of the core, whose arms these are. */
export function coreOptions({ pairs, blockMs, directory }: TracingOptions) {
  const defaults = CORE.parse([]);
  if (defaults === 'help') throw new Error('no flags ask for no help');
  return { ...defaults, pairs, blockMs, directory };
}

const AROUND_MS = 180_000;
const PREPARING_MS = 1_500;

/** A run that takes longer than this is given up, milliseconds. */
export function longestMs({ pairs, blockMs, only }: TracingOptions): number {
  return AROUND_MS + only.length * 2 * (pairs + 2) * 2 * (blockMs + PREPARING_MS);
}
