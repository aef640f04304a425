/** The command line of the harness. */
import { parseArgs } from 'node:util';
import { RECIPES } from './plan.ts';

export interface RunOptions {
  readonly minutes: number;
  readonly seed: string;
  /** Names of recipes; undefined: all. */
  readonly recipes: readonly string[] | undefined;
  /** Orders per second that buyers ask for. */
  readonly rate: number;
  /** Where the result goes as JSON. */
  readonly json: string | undefined;
  /** Keep the folder even when all is well. */
  readonly keep: boolean;
}

const DEFAULT_MINUTES = 3;
const DEFAULT_RATE = 300;

export const USAGE = `npm run faults -- [--minutes M] [--seed S] [--faults NAME,NAME] [--rate R] [--json FILE] [--keep]

  --minutes M   how long to attack, 0.2 to 600 (default ${DEFAULT_MINUTES})
  --seed S      the same seed gives the same faults in the same order; printed at the end (default: drawn)
  --faults …    only these faults, comma-separated
  --rate R      orders per second that buyers ask for, 1 to 2000 (default ${DEFAULT_RATE})
  --json FILE   write the result as JSON
  --keep        keep servers' logs and stores even when nothing was found

Faults:
${RECIPES.map(({ name, describe }) => `  ${name.padEnd(30)} ${describe}`).join('\n')}
`;

/** @throws {Error} with one sentence for each fault of the input, and how to put it right */
export function parseOptions(args: readonly string[], drawnSeed: string): RunOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string' },
      faults: { type: 'string' },
      rate: { type: 'string' },
      json: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const faults: string[] = [];
  const numberOf = (name: 'minutes' | 'rate', fallback: number, from: number, to: number): number => {
    const text = values[name];
    if (text === undefined) return fallback;
    const number = Number(text);
    if (text.trim() === '' || !(number >= from && number <= to))
      faults.push(`--${name} must be a number from ${from} to ${to}, not "${text}".`);
    return number;
  };
  const minutes = numberOf('minutes', DEFAULT_MINUTES, 0.2, 600);
  const rate = numberOf('rate', DEFAULT_RATE, 1, 2_000);
  const recipes = values.faults?.split(',').map((name) => name.trim());
  for (const name of recipes ?? []) {
    if (!RECIPES.some((recipe) => recipe.name === name))
      faults.push(`--faults: there is no fault "${name}"; see npm run faults -- --help.`);
  }
  if (values.seed === '') faults.push('--seed must not be empty.');
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return { minutes, seed: values.seed ?? drawnSeed, recipes, rate, json: values.json, keep: values.keep };
}

/** The command that does the same again. */
export function commandOf({ minutes, seed, recipes, rate }: RunOptions): string {
  const chosen = recipes === undefined ? '' : ` --faults ${recipes.join(',')}`;
  const asked = rate === DEFAULT_RATE ? '' : ` --rate ${rate}`;
  return `npm run faults -- --minutes ${minutes} --seed ${seed}${chosen}${asked}`;
}
