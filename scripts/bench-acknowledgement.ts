/**
 * `npm run bench:acknowledgement`: how long an order takes to be acknowledged, with and without a thousand clients that log in
 * all the time, side by side. What is measured and how to read it: docs/performance.md.
 */
import { writeFile } from 'node:fs/promises';
import { type BenchOptions, longestMs, parseOptions, USAGE } from './acknowledgement/options.ts';
import { renderMarkdown, resultDocument } from './acknowledgement/report.ts';
import { measure } from './acknowledgement/run.ts';
import { summarise } from './acknowledgement/summary.ts';

const FAILED = 1;
const USAGE_ERROR = 2;
const INTERRUPTED = 130;

function readOptions(): BenchOptions | undefined {
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

async function main(options: BenchOptions): Promise<void> {
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupt.abort());
  const tooLong = AbortSignal.timeout(longestMs(options));
  const startedAt = new Date().toISOString();
  try {
    const measurement = await measure(options, {
      env: process.env,
      say: (line) => process.stderr.write(`${line}\n`),
      signal: AbortSignal.any([interrupt.signal, tooLong]),
    });
    const summary = summarise(measurement);
    process.stdout.write(renderMarkdown(measurement, summary));
    if (options.json !== undefined) {
      await writeFile(options.json, `${JSON.stringify(resultDocument(measurement, summary, startedAt))}\n`);
    }
  } catch (error) {
    process.exitCode = interrupt.signal.aborted ? INTERRUPTED : FAILED;
    process.stderr.write(`${explain(error, interrupt.signal, tooLong)}\n`);
  }
}

function explain(error: unknown, interrupt: AbortSignal, tooLong: AbortSignal): string {
  if (interrupt.aborted) return 'Interrupted; everything was stopped.';
  if (tooLong.aborted) {
    return 'Given up: it took several times as long as it should. Is the machine busy? Everything was stopped.';
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const options = readOptions();
if (options !== undefined) await main(options);
