/**
 * `npm run bench:live`: what WebSockets cost one server, and how long a change takes to reach all of them. What is measured and
 * how to read it: docs/performance.md.
 */
import { writeFile } from 'node:fs/promises';
import { openFilesLimit } from '@fest/server/platform/open-files';
import { type LiveBenchOptions, longestMs, parseOptions, tooFewFiles, USAGE } from './live/options.ts';
import { renderMarkdown, resultDocument } from './live/report.ts';
import { measure } from './live/run.ts';

const FAILED = 1;
const USAGE_ERROR = 2;
const INTERRUPTED = 130;

function readOptions(): LiveBenchOptions | undefined {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options === 'help') {
      process.stdout.write(USAGE);
      return undefined;
    }
    const complaint = tooFewFiles(options.clients, openFilesLimit());
    if (complaint === undefined) return options;
    process.stderr.write(`${complaint}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
  process.exitCode = USAGE_ERROR;
  return undefined;
}

async function main(options: LiveBenchOptions): Promise<void> {
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
    process.stdout.write(renderMarkdown(measurement));
    if (options.json !== undefined) {
      await writeFile(options.json, `${JSON.stringify(resultDocument(measurement, startedAt))}\n`);
    }
  } catch (error) {
    process.exitCode = interrupt.signal.aborted ? INTERRUPTED : FAILED;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(
      interrupt.signal.aborted
        ? 'Interrupted; everything was stopped.\n'
        : tooLong.aborted
          ? 'Given up: it took several times as long as it should. Is the machine busy? Everything was stopped.\n'
          : `${text}\n`,
    );
  }
}

const options = readOptions();
if (options !== undefined) await main(options);
