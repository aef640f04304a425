/** The command line of the measurement. */
import { parseArgs } from 'node:util';

export interface LiveBenchOptions {
  readonly clients: number;
  /** Changes in the phase with one a second. */
  readonly changes: number;
  /** Where the result goes as JSON. */
  readonly json: string | undefined;
}

const CLIENTS = { fallback: 10_000, limits: [10, 100_000] } as const;
const CHANGES = { fallback: 40, limits: [5, 600] } as const;

export const USAGE = `npm run bench:live -- [--clients N] [--changes C] [--json FILE]

Measures what WebSockets cost one server, and how long a change takes to reach all of them.

  --clients N   WebSockets (default ${CLIENTS.fallback})
  --changes C   changes, one a second (default ${CHANGES.fallback})
  --json FILE   write the whole result as JSON
`;

/** @throws {Error} with one sentence for each fault of the input */
export function parseOptions(args: readonly string[]): LiveBenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      clients: { type: 'string' },
      changes: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const faults: string[] = [];
  const numberOf = (name: 'clients' | 'changes', { fallback, limits: [least, most] }: Bounds): number => {
    const text = values[name];
    if (text === undefined) return fallback;
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    faults.push(`--${name} must be a whole number from ${least} to ${most}, not "${text}".`);
    return fallback;
  };
  const options = {
    clients: numberOf('clients', CLIENTS),
    changes: numberOf('changes', CHANGES),
    json: values.json,
  };
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return options;
}

interface Bounds {
  readonly fallback: number;
  readonly limits: readonly [number, number];
}

/** What a process opens besides: the server keeps `LIMITS.liveSpareFiles` of its own. */
const OTHER_FILES = 2_100;

/** How to go on when a process may not open enough files; undefined when it may. */
export function tooFewFiles(clients: number, limit: number | undefined): string | undefined {
  const needed = clients + OTHER_FILES;
  if (limit === undefined || limit >= needed) return undefined;
  const possible = limit - OTHER_FILES;
  const fewer = possible >= CLIENTS.limits[0] ? `, or take fewer: --clients ${possible}` : '';
  return `${clients} WebSockets need ${needed} open files in one process, and the limit is ${limit}. Raise it: ulimit -n ${needed}${fewer}.`;
}

/** A run that takes longer is given up, milliseconds: several times what it takes on a quiet machine. */
export function longestMs({ clients, changes }: LiveBenchOptions): number {
  return 240_000 + clients * 10 + changes * 3_000;
}
