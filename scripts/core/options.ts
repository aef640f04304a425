/** The command line of the measurement. */
import { defineCommandLine, type OptionsOf } from '../measuring/command-line.ts';
import { DIRECTORY, directory, file, someOf, wholeNumber } from '../measuring/flags.ts';
import { FUNNEL_WINDOWS, funnelPurchases } from './funnel-size.ts';
import { PARTS } from './rows.ts';

const FLAGS = {
  // One pair has no interval; more than 60 would outlast the buyers' access tokens (30 min).
  pairs: wholeNumber({
    placeholder: 'N',
    help: 'pairs of blocks, ceiling and path, of each row',
    fallback: 10,
    limits: [2, 60],
  }),
  // Processor time is counted in steps of 10 ms: shorter blocks are good for trying the command only.
  blockMs: wholeNumber({ placeholder: 'M', help: 'what a block takes, about', fallback: 800, limits: [50, 5_000] }),
  connections: wholeNumber({
    placeholder: 'C',
    help: 'of the generator, one request under way on each',
    fallback: 64,
    limits: [1, 1_000],
  }),
  inFlight: wholeNumber({
    placeholder: 'P',
    help: 'payments under way at once, for the confirmation',
    fallback: 256,
    limits: [1, 1_000],
  }),
  ordersPerSecond: wholeNumber({
    name: 'rate',
    placeholder: 'R',
    help: 'orders per second while their acknowledgement is timed',
    fallback: 200,
    limits: [10, 1_000],
  }),
  purchases: wholeNumber({
    placeholder: 'N',
    help: `whole purchases in each of the ${FUNNEL_WINDOWS} windows of the funnel`,
    fallback: 1_500,
    limits: [50, 20_000],
  }),
  funnelBuyers: wholeNumber({
    name: 'buyers',
    placeholder: 'B',
    help: 'who are in the funnel at once',
    fallback: 1_024,
    limits: [1, 2_000],
  }),
  only: someOf({ placeholder: 'PARTS', help: `of ${PARTS.join(', ')}; with commas between them`, words: PARTS }),
  directory: DIRECTORY,
  json: file('write the whole result, every block of it, as JSON'),
  svg: file('draw the ratios with their intervals'),
  cpuProf: directory("leave the server's profile there, for Chrome's developer tools; nothing is claimed then"),
};
export type CoreOptions = OptionsOf<typeof FLAGS>;

export const CORE = defineCommandLine({
  command: 'npm run bench:core',
  purpose:
    'Measures one server process, pinned to a processor, against ceilings on the same machine; then purchases on the whole machine.',
  flags: FLAGS,
  shown: ['pairs', 'blockMs', 'only', 'json', 'svg'],
});

/** The stack on a busy machine, the buyers, the audit. */
const AROUND_MS = 90_000;
/** A block is prepared (sales, lines, holds) and settles afterwards. */
const PREPARING_MS = 1_500;
/** A purchase takes a busy machine not longer than this. */
const PURCHASE_MS = 8;

/** A run that takes longer than this is given up, milliseconds: nine minutes with the default flags. */
export function longestMs(options: CoreOptions): number {
  const { pairs, blockMs, only } = options;
  const compared = only.filter((part) => part !== 'funnel').length + 1;
  const blocks = compared * pairs * (2 * blockMs + PREPARING_MS);
  return AROUND_MS + blocks + (only.includes('funnel') ? funnelPurchases(options) * PURCHASE_MS : 0);
}
