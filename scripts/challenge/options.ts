/** The command line of the measurement. */
import { defineCommandLine, type OptionsOf } from '../measuring/command-line.ts';
import { file, wholeNumber } from '../measuring/flags.ts';

const FLAGS = {
  rounds: wholeNumber({
    placeholder: 'N',
    help: 'of which the one counts in which others disturbed least',
    fallback: 5,
    limits: [1, 100],
  }),
  json: file('write the whole result as JSON'),
};
export type ChallengeOptions = OptionsOf<typeof FLAGS>;

export const CHALLENGE = defineCommandLine({
  command: 'npm run bench:challenge',
  purpose:
    'Measures what a proof of work costs a client for each way it can hash, and a server for making and checking one.',
  flags: FLAGS,
  shown: ['rounds', 'json'],
});

/** A run that takes longer than this is given up, milliseconds: several times what it takes on a quiet machine. */
export function longestMs({ rounds }: ChallengeOptions): number {
  return 60_000 + rounds * 20_000;
}
