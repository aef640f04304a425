/**
 * `npm run bench:fairness`: is a line fair at two servers? What is checked and how to read it: docs/performance.md.
 */
import { writeFile } from 'node:fs/promises';
import { type FairnessOptions, longestMs, parseOptions, USAGE } from './fairness/options.ts';
import { renderMarkdown, resultDocument } from './fairness/report.ts';
import { runFairness } from './fairness/run.ts';

const FAILED = 1;
const USAGE_ERROR = 2;
/** As `fest` ends when a check failed. */
const UNFAIR = 7;
const INTERRUPTED = 130;

function readOptions(): FairnessOptions | undefined {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options !== 'help') return options;
    process.stdout.write(USAGE);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exitCode = USAGE_ERROR;
  }
  return undefined;
}

async function main(options: FairnessOptions): Promise<void> {
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupt.abort());
  const tooLong = AbortSignal.timeout(longestMs(options));
  const startedAt = new Date().toISOString();
  try {
    const run = await runFairness(options, {
      env: process.env,
      say: (line) => process.stderr.write(`${line}\n`),
      signal: AbortSignal.any([interrupt.signal, tooLong]),
    });
    process.stdout.write(renderMarkdown(run));
    if (options.json !== undefined)
      await writeFile(options.json, `${JSON.stringify(resultDocument(run, startedAt))}\n`);
    if (run.verdict.faults.length > 0 || !run.audit.clean) process.exitCode = UNFAIR;
  } catch (error) {
    process.exitCode = interrupt.signal.aborted ? INTERRUPTED : FAILED;
    process.stderr.write(`${explain(error, interrupt.signal, tooLong)}\n`);
  }
}

function explain(error: unknown, interrupt: AbortSignal, tooLong: AbortSignal): string {
  if (interrupt.aborted) return 'Interrupted; everything was stopped.';
  if (tooLong.aborted) {
    return 'Given up: it took longer than it should. Is the machine busy? Everything was stopped.';
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const options = readOptions();
if (options !== undefined) await main(options);
