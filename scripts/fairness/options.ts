/** The command line of the check. */
import { REJOIN_RULES } from '@fest/server/contract/words';
import { defineCommandLine, type OptionsOf } from '../measuring/command-line.ts';
import { DIRECTORY, file, oneOf, wholeNumber } from '../measuring/flags.ts';

const FLAGS = {
  buyers: wholeNumber({ placeholder: 'N', help: 'who join', fallback: 50_000, limits: [100, 200_000] }),
  rejoin: oneOf({ help: 'for those who join again', words: REJOIN_RULES, fallback: 'keep' }),
  rate: wholeNumber({ placeholder: 'R', help: 'admitted per second', fallback: 500, limits: [10, 10_000] }),
  maxActive: wholeNumber({ placeholder: 'N', help: 'inside at once', fallback: 2_000, limits: [10, 100_000] }),
  admissionSeconds: wholeNumber({
    placeholder: 'S',
    help: 'for which an admitted buyer may come',
    fallback: 20,
    limits: [5, 600],
  }),
  joiningSeconds: wholeNumber({
    placeholder: 'S',
    help: 'until the last one has joined',
    fallback: 15,
    limits: [1, 300],
  }),
  lagMs: wholeNumber({
    placeholder: 'M',
    help: 'within which both servers must say what Redis has',
    fallback: 250,
    limits: [200, 10_000],
  }),
  directory: DIRECTORY,
  json: file('write figures and faults as JSON'),
};
export type FairnessOptions = OptionsOf<typeof FLAGS>;

export const FAIRNESS = defineCommandLine({
  command: 'npm run bench:fairness',
  purpose:
    'Lets a crowd through one line at two servers, records what everybody was told, and checks that it was fair.',
  flags: FLAGS,
  shown: ['buyers', 'rejoin', 'rate', 'json'],
  ending: 'It ends with 7 when something was unfair, and with 1 when the run failed.',
});

const AROUND_MS = 180_000;

/** A run that takes longer is given up, milliseconds: those who come back make the line longer, and each turn takes its time. */
export function longestMs({ buyers, rate, admissionSeconds, joiningSeconds }: FairnessOptions): number {
  return AROUND_MS + Math.ceil(((4 * buyers) / rate + 5 * admissionSeconds + joiningSeconds) * 1_000);
}
