/** The command line of the measurement. */
import { parseArgs } from 'node:util';
import { FUNNEL_WINDOWS, funnelPurchases } from './funnel-size.ts';
import { PARTS, type Part } from './rows.ts';

export interface CoreOptions {
  /** Pairs of blocks: one of the ceiling, one of the path. */
  readonly pairs: number;
  /** What a block takes, about. */
  readonly blockMs: number;
  /** Keep-alive connections of the generator, each with one request under way. */
  readonly connections: number;
  /** Payments under way at once. */
  readonly inFlight: number;
  /** Orders per second while their acknowledgement is timed. */
  readonly ordersPerSecond: number;
  /** Purchases in each window of the funnel, and buyers who are in it at once. */
  readonly purchases: number;
  readonly funnelBuyers: number;
  readonly only: readonly Part[];
  /** Where the stack's temporary folder is made; undefined: the first of the usual places that is on a disk. */
  readonly directory: string | undefined;
  readonly json: string | undefined;
  readonly svg: string | undefined;
}

/** `limits`: smallest and largest value; whole numbers only. */
interface Flag {
  readonly fallback: number;
  readonly limits: readonly [number, number];
}

const FLAGS = {
  // One pair has no interval; more than 60 would outlast the buyers' access tokens (30 min).
  pairs: { fallback: 10, limits: [2, 60] },
  // Processor time is counted in steps of 10 ms: shorter blocks are good for trying the command only.
  'block-ms': { fallback: 800, limits: [50, 5_000] },
  connections: { fallback: 64, limits: [1, 1_000] },
  'in-flight': { fallback: 256, limits: [1, 1_000] },
  rate: { fallback: 200, limits: [10, 1_000] },
  purchases: { fallback: 1_500, limits: [50, 20_000] },
  buyers: { fallback: 1_024, limits: [1, 2_000] },
} as const satisfies Record<string, Flag>;
type FlagName = keyof typeof FLAGS;

export const COMMAND = 'npm run bench:core';

export const USAGE = `${COMMAND} -- [--pairs N] [--block-ms M] [--only PARTS] [--json FILE] [--svg FILE] …

Measures one server process, pinned to a processor, against ceilings on the same machine; then purchases on the whole machine.

  --pairs N        pairs of blocks, ceiling and path, of each row (default ${FLAGS.pairs.fallback})
  --block-ms M     what a block takes, about (default ${FLAGS['block-ms'].fallback})
  --connections C  of the generator, one request under way on each (default ${FLAGS.connections.fallback})
  --in-flight P    payments under way at once, for the confirmation (default ${FLAGS['in-flight'].fallback})
  --rate R         orders per second while their acknowledgement is timed (default ${FLAGS.rate.fallback})
  --purchases N    whole purchases in each of the ${FUNNEL_WINDOWS} windows of the funnel (default ${FLAGS.purchases.fallback})
  --buyers B       who are in the funnel at once (default ${FLAGS.buyers.fallback})
  --only PARTS     of ${PARTS.join(', ')}; with commas between them
  --directory DIR  on the disk to measure: the order log is in a temporary folder in it
  --json FILE      write the whole result, every block of it, as JSON
  --svg FILE       draw the ratios with their intervals
`;

/** @throws {Error} with one sentence for each fault of the input, and how to put it right */
export function parseOptions(args: readonly string[]): CoreOptions | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      pairs: text,
      'block-ms': text,
      connections: text,
      'in-flight': text,
      rate: text,
      purchases: text,
      buyers: text,
      only: text,
      directory: text,
      json: text,
      svg: text,
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
  const asked = values.only?.split(',').map((part) => part.trim()) ?? [...PARTS];
  for (const part of asked) {
    if (!PARTS.some((known) => known === part))
      faults.push(`--only: there is no "${part}"; take of ${PARTS.join(', ')}.`);
  }
  const options: CoreOptions = {
    pairs: numberOf('pairs'),
    blockMs: numberOf('block-ms'),
    connections: numberOf('connections'),
    inFlight: numberOf('in-flight'),
    ordersPerSecond: numberOf('rate'),
    purchases: numberOf('purchases'),
    funnelBuyers: numberOf('buyers'),
    only: PARTS.filter((part) => asked.includes(part)),
    directory: values.directory,
    json: values.json,
    svg: values.svg,
  };
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return options;
}

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

/** The command that does the same again. */
export function commandOf(options: CoreOptions): string {
  const asked: Readonly<Record<FlagName, number>> = {
    pairs: options.pairs,
    'block-ms': options.blockMs,
    connections: options.connections,
    'in-flight': options.inFlight,
    rate: options.ordersPerSecond,
    purchases: options.purchases,
    buyers: options.funnelBuyers,
  };
  const flags = (Object.keys(FLAGS) as FlagName[])
    .filter((name) => FLAGS[name].fallback !== asked[name])
    .map((name) => `--${name} ${asked[name]}`);
  if (options.only.length < PARTS.length) flags.push(`--only ${options.only.join(',')}`);
  return [COMMAND, ...(flags.length === 0 ? [] : ['--', ...flags])].join(' ');
}
