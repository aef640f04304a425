/** The command line of the check. */
import { parseArgs } from 'node:util';
import { REJOIN_RULES, type RejoinRule } from '@fest/server/contract/words';

export interface FairnessOptions {
  readonly buyers: number;
  /** Admitted per second, and inside at once, at most. */
  readonly rate: number;
  readonly maxActive: number;
  readonly rejoin: RejoinRule;
  readonly admissionSeconds: number;
  readonly joiningSeconds: number;
  /** Within so much time every server has to say what Redis has. */
  readonly lagMs: number;
  readonly directory: string | undefined;
  readonly json: string | undefined;
}

interface Flag {
  readonly fallback: number;
  readonly limits: readonly [number, number];
}

const FLAGS = {
  buyers: { fallback: 50_000, limits: [100, 200_000] },
  rate: { fallback: 500, limits: [10, 10_000] },
  'max-active': { fallback: 2_000, limits: [10, 100_000] },
  'admission-seconds': { fallback: 20, limits: [5, 600] },
  'joining-seconds': { fallback: 15, limits: [1, 300] },
  'lag-ms': { fallback: 250, limits: [200, 10_000] },
} as const satisfies Record<string, Flag>;
type FlagName = keyof typeof FLAGS;

export const COMMAND = 'npm run bench:fairness';

export const USAGE = `${COMMAND} -- [--buyers N] [--rejoin keep|tail] [--rate R] [--json FILE] …

Lets a crowd through one line at two servers, records what everybody was told, and checks that it was fair.

  --buyers N               who join (default ${FLAGS.buyers.fallback})
  --rejoin RULE            of the sale: keep (default) or tail
  --rate R                 admitted per second (default ${FLAGS.rate.fallback})
  --max-active N           inside at once (default ${FLAGS['max-active'].fallback})
  --admission-seconds S    for which an admitted buyer may come (default ${FLAGS['admission-seconds'].fallback})
  --joining-seconds S      until the last one has joined (default ${FLAGS['joining-seconds'].fallback})
  --lag-ms M               within which both servers must say what Redis has (default ${FLAGS['lag-ms'].fallback})
  --directory DIR          on a disk, for the order logs
  --json FILE              write figures and faults as JSON

It ends with 7 when something was unfair, and with 1 when the run failed.
`;

/** @throws {Error} with one sentence for each fault of the input */
export function parseOptions(args: readonly string[]): FairnessOptions | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      buyers: text,
      rate: text,
      'max-active': text,
      'admission-seconds': text,
      'joining-seconds': text,
      'lag-ms': text,
      rejoin: text,
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
  const asked = values.rejoin ?? 'keep';
  const rejoin = REJOIN_RULES.find((rule) => rule === asked);
  if (rejoin === undefined) faults.push(`--rejoin must be one of ${REJOIN_RULES.join(', ')}, not "${asked}".`);
  const options: FairnessOptions = {
    buyers: numberOf('buyers'),
    rate: numberOf('rate'),
    maxActive: numberOf('max-active'),
    rejoin: rejoin ?? 'keep',
    admissionSeconds: numberOf('admission-seconds'),
    joiningSeconds: numberOf('joining-seconds'),
    lagMs: numberOf('lag-ms'),
    directory: values.directory,
    json: values.json,
  };
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return options;
}

const AROUND_MS = 180_000;

/** A run that takes longer is given up, milliseconds: those who come back make the line longer, and each turn takes its time. */
export function longestMs({ buyers, rate, admissionSeconds, joiningSeconds }: FairnessOptions): number {
  return AROUND_MS + Math.ceil(((4 * buyers) / rate + 5 * admissionSeconds + joiningSeconds) * 1_000);
}

/** The command that does the same again. */
export function commandOf(options: FairnessOptions): string {
  const asked: Readonly<Record<FlagName, number>> = {
    buyers: options.buyers,
    rate: options.rate,
    'max-active': options.maxActive,
    'admission-seconds': options.admissionSeconds,
    'joining-seconds': options.joiningSeconds,
    'lag-ms': options.lagMs,
  };
  const flags = (Object.keys(FLAGS) as FlagName[])
    .filter((name) => FLAGS[name].fallback !== asked[name])
    .map((name) => `--${name} ${asked[name]}`);
  if (options.rejoin !== 'keep') flags.push(`--rejoin ${options.rejoin}`);
  return [COMMAND, ...(flags.length === 0 ? [] : ['--', ...flags])].join(' ');
}
