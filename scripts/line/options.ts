/** The command line of the measurement. */
import { parseArgs } from 'node:util';

export interface LineOptions {
  /** Numbers drawn in the end, and in the short lines they are compared with. */
  readonly waiters: number;
  readonly few: number;
  /** So many of them join over HTTP; the others by the server's own script, straight in Redis. */
  readonly overHttp: number;
  /** So many ask as told, while the line is that long. */
  readonly polling: number;
  /** How long they are watched. */
  readonly seconds: number;
  readonly pairs: number;
  readonly blockMs: number;
  /** Keep-alive connections of the generator, each with one request under way. */
  readonly connections: number;
  readonly directory: string | undefined;
  readonly json: string | undefined;
}

interface Flag {
  readonly fallback: number;
  readonly limits: readonly [number, number];
}

const FLAGS = {
  waiters: { fallback: 1_000_000, limits: [2_000, 5_000_000] },
  few: { fallback: 1_000, limits: [100, 10_000] },
  // A million joins take two minutes of a server that has a processor to itself, and many more on a busy machine.
  'over-http': { fallback: 5_000_000, limits: [1, 5_000_000] },
  polling: { fallback: 100_000, limits: [1_000, 1_000_000] },
  seconds: { fallback: 60, limits: [5, 600] },
  pairs: { fallback: 10, limits: [2, 60] },
  'block-ms': { fallback: 600, limits: [50, 5_000] },
  connections: { fallback: 64, limits: [1, 1_000] },
} as const satisfies Record<string, Flag>;
type FlagName = keyof typeof FLAGS;

export const COMMAND = 'npm run bench:line';

export const USAGE = `${COMMAND} -- [--waiters N] [--polling N] [--seconds S] [--pairs N] [--json FILE] …

Draws numbers through one server, pinned to a processor, and measures what a waiting room of that size costs.

  --waiters N      numbers drawn in the end (default ${FLAGS.waiters.fallback})
  --few N          numbers of the short lines they are compared with (default ${FLAGS.few.fallback})
  --over-http N    of them join over HTTP, the first ones; the others by the server's own script in Redis (default: all)
  --polling N      of them ask as told by \`pollAfterMs\`, when N are drawn (default ${FLAGS.polling.fallback})
  --seconds S      and are watched for so long (default ${FLAGS.seconds.fallback})
  --pairs N        pairs of blocks, short line and long line (default ${FLAGS.pairs.fallback})
  --block-ms M     what a block takes, about (default ${FLAGS['block-ms'].fallback})
  --connections C  of the generator, one request under way on each (default ${FLAGS.connections.fallback})
  --directory DIR  on the disk to measure
  --json FILE      write the whole result as JSON

It ends with 7 when a bound is broken, and with 1 when it could not measure.
`;

/** @throws {Error} with one sentence for each fault of the input, and how to put it right */
export function parseOptions(args: readonly string[]): LineOptions | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      waiters: text,
      few: text,
      'over-http': text,
      polling: text,
      seconds: text,
      pairs: text,
      'block-ms': text,
      connections: text,
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
  const options: LineOptions = {
    waiters: numberOf('waiters'),
    few: numberOf('few'),
    overHttp: numberOf('over-http'),
    polling: numberOf('polling'),
    seconds: numberOf('seconds'),
    pairs: numberOf('pairs'),
    blockMs: numberOf('block-ms'),
    connections: numberOf('connections'),
    directory: values.directory,
    json: values.json,
  };
  if (faults.length === 0 && !(options.few < options.polling && options.polling <= options.waiters)) {
    faults.push('--few must be less than --polling, and --polling at most --waiters.');
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return options;
}

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

/** The command that does the same again. */
export function commandOf(options: LineOptions): string {
  const asked: Readonly<Record<FlagName, number>> = {
    ...options,
    'block-ms': options.blockMs,
    'over-http': options.overHttp,
  };
  const flags = (Object.keys(FLAGS) as FlagName[])
    .filter((name) => FLAGS[name].fallback !== asked[name])
    .map((name) => `--${name} ${asked[name]}`);
  return [COMMAND, ...(flags.length === 0 ? [] : ['--', ...flags])].join(' ');
}
