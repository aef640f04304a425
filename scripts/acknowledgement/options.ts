/** The command line of the measurement. */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Pairs of phases: one without logins, one with. */
  readonly pairs: number;
  /** Measured seconds of one phase. */
  readonly phaseSeconds: number;
  /** Orders per second, at a constant rate whatever the server does. */
  readonly ordersPerSecond: number;
  /** Clients that log in all the time in the phases with logins; 0 compares two equal arms. */
  readonly loginClients: number;
  /** The server's `FEST_PASSWORD_PROCESSES`. */
  readonly passwordProcesses: number;
  /** What the simulated gateway takes for every payment, milliseconds. */
  readonly gatewayMs: number;
  /** Where the stack's temporary folder is made; undefined: the system's folder for temporary files. */
  readonly directory: string | undefined;
  /** Where the result goes as JSON. */
  readonly json: string | undefined;
}

/** `limits`: smallest and largest value; whole numbers only. */
interface Flag {
  readonly fallback: number;
  readonly limits: readonly [number, number];
}

const FLAGS = {
  // Fewer than two pairs have no differences to compare; more than 60 would outlast the buyers' access tokens (30 min).
  pairs: { fallback: 6, limits: [2, 60] },
  seconds: { fallback: 4, limits: [1, 60] },
  rate: { fallback: 150, limits: [10, 1_000] },
  // One socket each; 5,000 stay below common limits of open files.
  clients: { fallback: 1_000, limits: [0, 5_000] },
  // As many as the server takes; it has no more than it has threads for passwords.
  'password-processes': { fallback: 1, limits: [1, 64] },
  'gateway-ms': { fallback: 20, limits: [5, 1_000] },
} as const satisfies Record<string, Flag>;

/** The sale's tickets and its buyers are made beforehand, all of them. */
const ORDERS_MAX = 100_000;

export const USAGE = `npm run bench:acknowledgement -- [--pairs N] [--seconds S] [--rate R] [--clients C] [--json FILE] …

Measures how long an order takes to be acknowledged, with and without clients that log in all the time.

  --pairs N        pairs of phases without and with logins (default ${FLAGS.pairs.fallback})
  --seconds S      measured seconds of each phase (default ${FLAGS.seconds.fallback})
  --rate R         orders per second, sent at a constant rate (default ${FLAGS.rate.fallback})
  --clients C      clients that log in; 0 compares two equal arms, to try the method (default ${FLAGS.clients.fallback})
  --password-processes P
                   processes that the server hashes passwords in (default ${FLAGS['password-processes'].fallback})
  --gateway-ms M   what the simulated gateway takes for each payment (default ${FLAGS['gateway-ms'].fallback})
  --directory DIR  on the disk to measure: the order log is in a temporary folder in it
  --json FILE      write the whole result, every latency in it, as JSON
`;

/** @throws {Error} with one sentence for each fault of the input, and how to put it right */
export function parseOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pairs: { type: 'string' },
      seconds: { type: 'string' },
      rate: { type: 'string' },
      clients: { type: 'string' },
      'password-processes': { type: 'string' },
      'gateway-ms': { type: 'string' },
      directory: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const faults: string[] = [];
  const numberOf = (name: keyof typeof FLAGS): number => {
    const { fallback, limits }: Flag = FLAGS[name];
    const text = values[name];
    if (text === undefined) return fallback;
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < limits[0] || number > limits[1]) {
      faults.push(`--${name} must be a whole number from ${limits[0]} to ${limits[1]}, not "${text}".`);
    }
    return number;
  };
  const options: BenchOptions = {
    pairs: numberOf('pairs'),
    phaseSeconds: numberOf('seconds'),
    ordersPerSecond: numberOf('rate'),
    loginClients: numberOf('clients'),
    passwordProcesses: numberOf('password-processes'),
    gatewayMs: numberOf('gateway-ms'),
    directory: values.directory,
    json: values.json,
  };
  const orders = 2 * options.pairs * options.phaseSeconds * options.ordersPerSecond;
  if (faults.length === 0 && orders > ORDERS_MAX) {
    faults.push(
      `That is ${orders} orders, and ${ORDERS_MAX} is the most: take fewer --pairs, --seconds or a lower --rate.`,
    );
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return options;
}

/**
 * A run that takes longer than this is given up, milliseconds: several times what it takes on a quiet machine, where half a minute
 * goes into preparing and each phase into itself, its beginning and the last logins' end.
 */
export function longestMs({ pairs, phaseSeconds }: BenchOptions): number {
  return 4 * (30_000 + 2 * pairs * (phaseSeconds + 3) * 1_000);
}

/** The command that does the same again. */
export function commandOf(options: BenchOptions): string {
  const asked: ReadonlyArray<readonly [keyof typeof FLAGS, number]> = [
    ['pairs', options.pairs],
    ['seconds', options.phaseSeconds],
    ['rate', options.ordersPerSecond],
    ['clients', options.loginClients],
    ['password-processes', options.passwordProcesses],
    ['gateway-ms', options.gatewayMs],
  ];
  const flags = asked
    .filter(([name, value]) => FLAGS[name].fallback !== value)
    .map(([name, value]) => `--${name} ${value}`);
  return ['npm run bench:acknowledgement', ...(flags.length === 0 ? [] : ['--', ...flags])].join(' ');
}
