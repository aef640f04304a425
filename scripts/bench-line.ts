/**
 * `npm run bench:line`: what a million people who wait cost Redis and one server. What is measured and how to read it:
 * docs/performance.md.
 */
import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { type LineOptions, longestMs, parseOptions, USAGE } from './line/options.ts';
import { renderMarkdown, resultDocument } from './line/report.ts';
import { measure } from './line/run.ts';
import { summarise } from './line/summary.ts';

const FAILED = 1;
const USAGE_ERROR = 2;
/** As `fest` ends when a check failed. */
const BOUND_BROKEN = 7;
const INTERRUPTED = 130;

function readOptions(): LineOptions | undefined {
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

async function main(options: LineOptions): Promise<void> {
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupt.abort());
  const tooLong = AbortSignal.timeout(longestMs(options));
  const startedAt = new Date().toISOString();
  try {
    const measurement = await measure(
      options,
      {
        env: process.env,
        say: (line) => process.stderr.write(`${line}\n`),
        signal: AbortSignal.any([interrupt.signal, tooLong]),
      },
      () => loadavg()[0] ?? 0,
    );
    const summary = summarise(measurement);
    process.stdout.write(renderMarkdown(measurement, summary));
    if (options.json !== undefined) {
      await writeFile(options.json, `${JSON.stringify(resultDocument(measurement, summary, startedAt))}\n`);
    }
    if (summary.broken.length > 0) process.exitCode = BOUND_BROKEN;
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
