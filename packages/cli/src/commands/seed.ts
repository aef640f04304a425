import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Context, GlobalOptions } from '../context.ts';
import { FixableError, messageOf } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { tellEnvironment } from '../prompt.ts';
import { writeDocument } from '../render/document.ts';
import { renderSeedReport, seed } from '../seeding.ts';
import { loadSettings } from '../settings.ts';

/** A seed file is written by people: one that is larger is something else. */
const SEED_FILE_BYTES_MAX = 4 * 1024 * 1024;

export async function runSeed(context: Context, file: string, options: GlobalOptions): Promise<ExitCode> {
  const settings = await loadSettings(context, options);
  const path = resolve(context.cwd, file);
  const text = readSeedFile(path);
  const { mysqlUrl, redisUrl } = settings;
  if (mysqlUrl === undefined || redisUrl === undefined) {
    throw new FixableError({
      what: 'There is nothing to seed',
      why: `no stack runs in ${settings.directory}, and FEST_MYSQL_URL and FEST_REDIS_URL are not both set`,
      fix: 'Start one with `fest up`, or set both.',
      exitCode: EXIT.unreachable,
    });
  }
  tellEnvironment(context, settings.environment);
  const report = await seed({
    file,
    text,
    mysqlUrl: mysqlUrl.value,
    redisUrl: redisUrl.value,
    onProgress: (message) => context.stderr.write(`${message}\n`),
  });
  if (options.json === true) writeDocument(context.stdout, 'fest.seed/1', { report });
  else context.stdout.write(renderSeedReport(report));
  // What was refused is told apart: a script must not take it for done, and may repeat the rest.
  return report.festivalsRefused + report.salesRefused > 0 ? EXIT.partlyDone : EXIT.done;
}

function readSeedFile(path: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    if (Buffer.byteLength(text) > SEED_FILE_BYTES_MAX)
      throw new Error(`it is larger than ${SEED_FILE_BYTES_MAX} bytes`);
    return text;
  } catch (error) {
    throw new FixableError({
      what: `${path} cannot be read`,
      why: messageOf(error),
      fix: 'Name a YAML file with festivals and sales.',
      exitCode: EXIT.usage,
      cause: error,
    });
  }
}
