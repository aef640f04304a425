/** `npm run faults`: breaks a running deployment in every way it must survive, and tells what held. See docs/reliability.md. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { parseOptions, type RunOptions, USAGE } from './options.ts';
import { renderResult } from './report.ts';
import { runFaults } from './run.ts';

/** Something was found, or could not be looked for. */
const FAILED = 1;
const USAGE_ERROR = 2;
/** As shells say it: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

function readOptions(): RunOptions | undefined {
  try {
    const options = parseOptions(process.argv.slice(2), randomBytes(4).toString('hex'));
    if (options !== 'help') return options;
    process.stdout.write(USAGE);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exitCode = USAGE_ERROR;
  }
  return undefined;
}

async function main(options: RunOptions): Promise<void> {
  const interrupt = new AbortController();
  let destroy: () => Promise<void> = async () => undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!interrupt.signal.aborted) {
      process.stderr.write(`${signal}: ending after this round and its audit; once more to end at once.\n`);
      interrupt.abort();
      return;
    }
    void destroy().finally(() => process.exit(INTERRUPTED));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const result = await runFaults(options, {
    env: process.env,
    print: (line) => process.stdout.write(`${line}\n`),
    signal: interrupt.signal,
    onStarted: (destroyAll) => {
      destroy = destroyAll;
    },
  });
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
  await new Promise<void>((resolve) => process.stdout.write(renderResult(result), () => resolve()));
  // A buyer whose payment has no end would keep the process waiting for ever.
  process.exit(result.violations.length > 0 ? FAILED : result.interrupted ? INTERRUPTED : 0);
}

const options = readOptions();
if (options !== undefined) {
  await main(options).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(FAILED);
  });
}
