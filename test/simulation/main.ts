/**
 * The simulation of the sale core by hand:
 *
 *     npm run simulate -- --seeds 10000 --steps 1000 --from 1   many seeds, a summary, exit code 1 when one fails
 *     npm run simulate -- --seed 4711                           one seed with all that happened last
 *     npm run simulate -- --planted                             the planted bugs: each has to be caught
 *     npm run simulate -- --planted --only fdatasync            those with this in their names
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';
import { huntPlantedBug, PLANTED_BUGS } from './planted-bugs.ts';
import { renderFailure, renderKinds, renderSummary } from './report.ts';
import type { SeedResult } from './run-seed.ts';

const DEFAULTS = { seeds: '1000', steps: '1000', from: '1', workers: String(availableParallelism()) };
const FAILURES_SHOWN = 3;

class UsageError extends Error {}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new UsageError(`--${name} takes a whole number from 1 on, not "${text}"`);
  }
  return value;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string', default: DEFAULTS.seeds },
      steps: { type: 'string', default: DEFAULTS.steps },
      from: { type: 'string', default: DEFAULTS.from },
      workers: { type: 'string', default: DEFAULTS.workers },
      planted: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      lines: { type: 'string', default: '400' },
    },
  });
  return {
    seed: values.seed === undefined ? undefined : wholeNumber('seed', values.seed),
    seeds: wholeNumber('seeds', values.seeds),
    steps: wholeNumber('steps', values.steps),
    from: wholeNumber('from', values.from),
    workers: wholeNumber('workers', values.workers),
    lines: wholeNumber('lines', values.lines),
    planted: values.planted,
    only: values.only,
  };
}

type Options = ReturnType<typeof readOptions>;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function runOne(seed: number, { steps, lines }: Options): Promise<boolean> {
  const [result] = await runCampaign({ from: seed, seeds: 1, steps, workers: 1 });
  if (result === undefined) throw new Error(`seed ${seed} came to nothing`);
  const { failure, ...facts } = result;
  say(JSON.stringify(facts, undefined, 2));
  if (failure !== undefined) say(renderFailure(seed, steps, failure, lines));
  return failure === undefined;
}

async function runMany(options: Options): Promise<boolean> {
  const { steps } = options;
  const startedAtMs = performance.now();
  let shown = 0;
  let done = 0;
  const results = await runCampaign({
    ...options,
    onResult({ seed, failure }) {
      done += 1;
      if (process.stderr.isTTY && done % 100 === 0) process.stderr.write(`\r${done} seeds`);
      if (failure === undefined || shown >= FAILURES_SHOWN) return;
      shown += 1;
      say(renderFailure(seed, steps, failure));
    },
  });
  say(renderSummary(results, (performance.now() - startedAtMs) / 1000));
  const kinds = renderKinds(results);
  if (kinds !== '') say(kinds);
  return kinds === '';
}

async function runPlanted({ workers, only }: Options): Promise<boolean> {
  const bugs = PLANTED_BUGS.filter(({ name }) => name.includes(only));
  let missed = 0;
  for (const bug of bugs) {
    const line = await huntPlantedBug(bug, workers).then(describeCatch, (error: unknown) => ({
      caught: false,
      text: `UNUSABLE ${error instanceof Error ? error.message : String(error)}`,
    }));
    if (!line.caught) missed += 1;
    say(`${bug.name}: ${line.text}`);
  }
  say(`${bugs.length} planted bugs, ${missed} missed`);
  return missed === 0;
}

function describeCatch(caught: SeedResult | undefined): { readonly caught: boolean; readonly text: string } {
  if (caught?.failure === undefined) return { caught: false, text: 'MISSED' };
  const { seed, failure } = caught;
  return { caught: true, text: `caught by seed ${seed} at step ${failure.step}: ${failure.message}` };
}

try {
  const options = readOptions();
  const run = options.planted ? runPlanted : options.seed === undefined ? runMany : undefined;
  const passed = run === undefined ? await runOne(options.seed ?? 0, options) : await run(options);
  process.exitCode = passed ? 0 : 1;
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  process.stderr.write(
    `${isUsage ? (error as Error).message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = isUsage ? 2 : 1;
}
