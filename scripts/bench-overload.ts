/**
 * `npm run bench:overload`: how many orders a second one server process makes, and what is left of that when up to ten times as many
 * people come. What is measured and how to read it: docs/performance.md.
 */
import { writeFile } from 'node:fs/promises';
import { longestMs, type OverloadOptions, parseOptions, USAGE } from './overload/options.ts';
import { renderMarkdown } from './overload/report.ts';
import { measure } from './overload/run.ts';

const FAILED = 1;
const USAGE_ERROR = 2;
const INTERRUPTED = 130;

function readOptions(): OverloadOptions | undefined {
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

async function main(options: OverloadOptions): Promise<void> {
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupt.abort());
  const tooLong = AbortSignal.timeout(longestMs(options));
  try {
    const measurement = await measure(options, {
      env: process.env,
      say: (line) => process.stderr.write(`${line}\n`),
      signal: AbortSignal.any([interrupt.signal, tooLong]),
    });
    process.stdout.write(renderMarkdown(measurement));
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(measurement)}\n`);
    // A server that lost an order is not slow or fast, it is broken.
    if (measurement.phases.some(({ isClean }) => !isClean)) process.exitCode = FAILED;
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
