/** The command line of the measurement. */
import { BENCH_PROFILES } from '@fest/loadtest/bench/plan';
import { defineCommandLine, type OptionsOf } from '../measuring/command-line.ts';
import { DIRECTORY, file, oneOf, wholeNumber } from '../measuring/flags.ts';

const FLAGS = {
  profile: oneOf({ words: BENCH_PROFILES, fallback: 'average', help: 'of the load, as `fest bench festival` has it' }),
  users: wholeNumber({
    placeholder: 'N',
    help: 'who come, each for one visit',
    fallback: 0,
    fallbackSaid: 'as the profile has it',
    limits: [0, 50_000],
  }),
  directory: DIRECTORY,
  json: file('write the whole result, a sample a second, as JSON'),
};
export type LimitedOptions = OptionsOf<typeof FLAGS>;

export const LIMITED = defineCommandLine({
  command: 'npm run bench:limited',
  purpose:
    'Runs the production build of the server under the limits of infra/systemd/fest.service (memory, processors) through the load "festival" (W1).',
  flags: FLAGS,
  shown: ['profile', 'users', 'json'],
});

/** What `enter.ts` is told in its environment: the files of the control group, with colons between them, and how many files may be open. */
export const LIMITED_PROCS = 'LIMITED_PROCS';
export const LIMITED_FILES = 'LIMITED_FILES';

/** A run that takes longer than this is given up, milliseconds: a load test has 20 minutes at most, and what is around it. */
export function longestMs(): number {
  return 30 * 60_000;
}
