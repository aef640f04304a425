/**
 * `npm run bench:core`: what one server process makes of a processor, against ceilings on the same machine, and how many purchases
 * the whole machine does. What is measured and how to read it: docs/performance.md.
 */
import { writeFile } from 'node:fs/promises';
import { renderChart } from './core/chart.ts';
import { type CoreOptions, commandOf, longestMs, parseOptions, USAGE } from './core/options.ts';
import { renderMarkdown, resultDocument } from './core/report.ts';
import { measure } from './core/run.ts';
import { summarise } from './core/summary.ts';

const FAILED = 1;
const USAGE_ERROR = 2;
const INTERRUPTED = 130;

function readOptions(): CoreOptions | undefined {
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

async function main(options: CoreOptions): Promise<void> {
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
    if (options.svg !== undefined) {
      const { processors, processor } = measurement.machine;
      const caption = `${commandOf(options)} · ${processors} × ${processor} · ${startedAt}`;
      await writeFile(options.svg, renderChart(summary, caption));
    }
    // A server that lost an order is not slow or fast, it is broken.
    if (!measurement.audit.clean) process.exitCode = FAILED;
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
