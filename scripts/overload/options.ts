/** The command line of the measurement. */
import { parseArgs } from 'node:util';

export interface OverloadOptions {
  /** Arrivals, as multiples of those that made the peak. */
  readonly factors: readonly number[];
  /** Of each factor: before the measured window, and that. */
  readonly leadInSeconds: number;
  readonly seconds: number;
  /** Keep-alive connections of the open load. */
  readonly connections: number;
  /** Of a hundred admitted, so many never come. */
  readonly noShows: number;
  /** Buyers at once, where the peak is looked for. */
  readonly lanes: readonly number[];
  /** Purchases of each of these. */
  readonly purchases: number;
  readonly directory: string | undefined;
  readonly json: string | undefined;
}

/** `limits`: smallest and largest value; whole numbers only. */
interface Flag {
  readonly fallback: number;
  readonly limits: readonly [number, number];
}

const FLAGS = {
  'lead-in': { fallback: 8, limits: [1, 60] },
  seconds: { fallback: 12, limits: [2, 60] },
  connections: { fallback: 4_000, limits: [10, 10_000] },
  'no-shows': { fallback: 20, limits: [0, 90] },
  purchases: { fallback: 5_000, limits: [200, 20_000] },
} as const satisfies Record<string, Flag>;
type FlagName = keyof typeof FLAGS;

const LANES = [128, 256, 512, 1_024];
const FACTORS = [1, 2, 5, 10];
const FACTOR_MAX = 20;

export const COMMAND = 'npm run bench:overload';

export const USAGE = `${COMMAND} -- [--factors 1,2,5,10] [--seconds S] [--lead-in S] [--json FILE] …

Finds the most orders a second that one server process makes, then sends it multiples of the people who made them.

  --factors LIST   multiples of the arrivals (default ${FACTORS.join(',')}; at most ${FACTOR_MAX})
  --seconds S      measured for each (default ${FLAGS.seconds.fallback})
  --lead-in S      before that (default ${FLAGS['lead-in'].fallback})
  --connections C  of the open load, as a load balancer keeps them (default ${FLAGS.connections.fallback})
  --no-shows P     per cent of the admitted who never come (default ${FLAGS['no-shows'].fallback})
  --purchases N    of each step of the search for the peak (default ${FLAGS.purchases.fallback})
  --directory DIR  on the disk to measure: the order log is in a temporary folder in it
  --json FILE      write the whole result as JSON
`;

/** @throws {Error} with one sentence for each fault of the input, and how to put it right */
export function parseOptions(args: readonly string[]): OverloadOptions | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      factors: text,
      'lead-in': text,
      seconds: text,
      connections: text,
      'no-shows': text,
      purchases: text,
      directory: text,
      json: text,
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const faults: string[] = [];
  const numberOf = (name: FlagName): number => {
    const { fallback, limits }: Flag = FLAGS[name];
    const given = values[name];
    if (given === undefined) return fallback;
    const number = Number(given);
    if (!/^\d+$/.test(given) || number < limits[0] || number > limits[1]) {
      faults.push(`--${name} must be a whole number from ${limits[0]} to ${limits[1]}, not "${given}".`);
    }
    return number;
  };
  const factors = values.factors?.split(',').map(Number) ?? FACTORS;
  if (!factors.every((factor) => factor > 0 && factor <= FACTOR_MAX)) {
    faults.push(`--factors must be numbers up to ${FACTOR_MAX} with commas between them, not "${values.factors}".`);
  }
  const options: OverloadOptions = {
    factors,
    leadInSeconds: numberOf('lead-in'),
    seconds: numberOf('seconds'),
    connections: numberOf('connections'),
    noShows: numberOf('no-shows'),
    lanes: LANES,
    purchases: numberOf('purchases'),
    directory: values.directory,
    json: values.json,
  };
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return options;
}

/** The stack, the accounts, the peak. */
const AROUND_MS = 180_000;
/** What is left of a phase is worked off, and audited. */
const SETTLING_MS = 60_000;

/** A run that takes longer than this is given up. */
export function longestMs({ factors, leadInSeconds, seconds }: OverloadOptions): number {
  return AROUND_MS + factors.length * ((leadInSeconds + seconds) * 1_000 + SETTLING_MS);
}
