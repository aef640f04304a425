/** The command line of the measurement. */
import { defineCommandLine, type OptionsOf } from '../measuring/command-line.ts';
import { DIRECTORY, file, wholeNumber } from '../measuring/flags.ts';

const FLAGS = {
  // Fewer than two pairs have no differences to compare; more than 60 would outlast the buyers' access tokens (30 min).
  pairs: wholeNumber({
    placeholder: 'N',
    help: 'pairs of phases without and with logins',
    fallback: 6,
    limits: [2, 60],
  }),
  phaseSeconds: wholeNumber({
    name: 'seconds',
    placeholder: 'S',
    help: 'measured seconds of each phase',
    fallback: 4,
    limits: [1, 60],
  }),
  ordersPerSecond: wholeNumber({
    name: 'rate',
    placeholder: 'R',
    help: 'orders per second, sent at a constant rate whatever the server does',
    fallback: 150,
    limits: [10, 1_000],
  }),
  // One socket each; 5,000 stay below common limits of open files.
  loginClients: wholeNumber({
    name: 'clients',
    placeholder: 'C',
    help: 'clients that log in; 0 compares two equal arms, to try the method',
    fallback: 1_000,
    limits: [0, 5_000],
  }),
  // As many as the server takes; it has no more than it has threads for passwords.
  passwordProcesses: wholeNumber({
    placeholder: 'P',
    help: 'processes that the server hashes passwords in',
    fallback: 1,
    limits: [1, 64],
  }),
  gatewayMs: wholeNumber({
    placeholder: 'M',
    help: 'what the simulated gateway takes for each payment',
    fallback: 20,
    limits: [5, 1_000],
  }),
  directory: DIRECTORY,
  json: file('write the whole result, every latency in it, as JSON'),
};
export type AcknowledgementOptions = OptionsOf<typeof FLAGS>;

/** The sale's tickets and its buyers are made beforehand, all of them. */
const ORDERS_MAX = 100_000;

export const ACKNOWLEDGEMENT = defineCommandLine({
  command: 'npm run bench:acknowledgement',
  purpose: 'Measures how long an order takes to be acknowledged, with and without clients that log in all the time.',
  flags: FLAGS,
  shown: ['pairs', 'phaseSeconds', 'ordersPerSecond', 'loginClients', 'json'],
  faultsBetween({ pairs, phaseSeconds, ordersPerSecond }) {
    const orders = 2 * pairs * phaseSeconds * ordersPerSecond;
    if (orders <= ORDERS_MAX) return [];
    return [
      `That is ${orders} orders, and ${ORDERS_MAX} is the most: take fewer --pairs, --seconds or a lower --rate.`,
    ];
  },
});

/**
 * A run that takes longer than this is given up, milliseconds: several times what it takes on a quiet machine, where half a minute
 * goes into preparing and each phase into itself, its beginning and the last logins' end.
 */
export function longestMs({ pairs, phaseSeconds }: AcknowledgementOptions): number {
  return 4 * (30_000 + 2 * pairs * (phaseSeconds + 3) * 1_000);
}
