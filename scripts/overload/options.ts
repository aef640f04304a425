/** The command line of the measurement. */
import { defineCommandLine, type OptionsOf } from '../measuring/command-line.ts';
import { DIRECTORY, file, numbers, wholeNumber } from '../measuring/flags.ts';

const FLAGS = {
  factors: numbers({
    placeholder: 'LIST',
    help: 'the arrivals, as multiples of those that made the peak',
    fallback: [1, 2, 5, 10],
    most: 20,
  }),
  seconds: wholeNumber({ placeholder: 'S', help: 'measured for each', fallback: 12, limits: [2, 60] }),
  leadInSeconds: wholeNumber({
    name: 'lead-in',
    placeholder: 'S',
    help: 'before that',
    fallback: 8,
    limits: [1, 60],
  }),
  connections: wholeNumber({
    placeholder: 'C',
    help: 'of the open load, as a load balancer keeps them',
    fallback: 4_000,
    limits: [10, 10_000],
  }),
  noShows: wholeNumber({
    placeholder: 'P',
    help: 'per cent of the admitted who never come',
    fallback: 20,
    limits: [0, 90],
  }),
  purchases: wholeNumber({
    placeholder: 'N',
    help: 'of each step of the search for the peak',
    fallback: 5_000,
    limits: [200, 20_000],
  }),
  directory: DIRECTORY,
  json: file('write the whole result as JSON'),
};
export type OverloadOptions = OptionsOf<typeof FLAGS>;

export const OVERLOAD = defineCommandLine({
  command: 'npm run bench:overload',
  purpose:
    'Finds the most orders a second that one server process makes, then sends it multiples of the people who made them.',
  flags: FLAGS,
  shown: ['factors', 'seconds', 'leadInSeconds', 'json'],
});

/** The stack, the accounts, the peak. */
const AROUND_MS = 180_000;
/** What is left of a phase is worked off, and audited. */
const SETTLING_MS = 60_000;

/** A run that takes longer than this is given up, milliseconds. */
export function longestMs({ factors, leadInSeconds, seconds }: OverloadOptions): number {
  return AROUND_MS + factors.length * ((leadInSeconds + seconds) * 1_000 + SETTLING_MS);
}
