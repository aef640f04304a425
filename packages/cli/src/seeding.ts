import type { SeedFromFileOptions, SeedReport } from '@fest/server/seeding/seed';
import { codeOf, FixableError, messageOf } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import { reachEngine } from './local-stack/reach-engine.ts';

/** Runs the server's seeding. A faulty file and an engine that is down are the user's to fix, anything else is a bug. */
export async function seed(options: SeedFromFileOptions): Promise<SeedReport> {
  const fix = 'Start it, or correct its address. `fest doctor` looks what is wrong.';
  await Promise.all([reachEngine('redis', options.redisUrl, fix), reachEngine('mysql', options.mysqlUrl, fix)]);
  const { seedFromFile } = await import('@fest/server/seeding/seed');
  try {
    return await seedFromFile(options);
  } catch (error) {
    throw explain(error, options.file);
  }
}

function explain(error: unknown, file: string): unknown {
  if (error instanceof Error && error.name === 'SeedFileError') {
    return new FixableError({
      what: `${file} cannot be used`,
      why: error.message,
      fix: 'Correct the file; nothing was changed.',
      exitCode: EXIT.usage,
      cause: error,
    });
  }
  if (codeOf(error) === 'ER_NO_SUCH_TABLE') {
    return new FixableError({
      what: 'The database has no tables yet',
      why: messageOf(error),
      fix: 'A server makes them when it starts: start one, then seed again.',
      exitCode: EXIT.unreachable,
      cause: error,
    });
  }
  return error;
}

/** One line for each count of the report. */
export function renderSeedReport(report: SeedReport): string {
  const counts = Object.entries(report).filter(([, value]) => typeof value === 'number' || typeof value === 'string');
  const label = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const width = Math.max(0, ...counts.map(([name]) => label(name).length));
  return counts.map(([name, value]) => `${label(name).padEnd(width)}  ${value}\n`).join('');
}
