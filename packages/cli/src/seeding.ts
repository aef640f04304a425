import type { SeedReport } from '@fest/server/seeding/seed';
import { codeOf, FixableError, messageOf } from './errors.ts';
import { EXIT } from './exit-codes.ts';

/** `seedFromFile` of the server's `seeding/seed`: festivals and sales into MySQL, stock into Redis; safe to repeat. */
export type SeedFromFile = (options: {
  /** For messages: as the user wrote it. */
  readonly file: string;
  readonly text: string;
  readonly mysqlUrl: string;
  readonly redisUrl: string;
  readonly onProgress: (message: string) => void;
}) => Promise<SeedReport>;

const SEEDING = '@fest/server/seeding/seed';

/** Runs the server's seeding. A faulty file and an engine that is down are the user's to fix, anything else is a bug. */
export async function seed(options: Parameters<SeedFromFile>[0]): Promise<SeedReport> {
  const { seedFromFile } = (await import(SEEDING)) as { readonly seedFromFile: SeedFromFile };
  try {
    return await seedFromFile(options);
  } catch (error) {
    throw explain(error, options.file);
  }
}

const NETWORK_CODES = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ER_ACCESS_DENIED_ERROR',
];

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
  if (NETWORK_CODES.includes(codeOf(error) ?? '')) {
    return new FixableError({
      what: 'MySQL or Redis cannot be reached',
      why: messageOf(error),
      fix: '`fest doctor` looks what is wrong.',
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
