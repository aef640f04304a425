/**
 * Order logs that nobody is going to open: a server had four workers and has two now. Sales would wait for such a log whenever
 * their state in Redis has to be built anew, since it may have orders that MySQL does not; and buyers would not see those.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createMysqlPool, type MysqlPool, migrate } from '../../platform/mysql.ts';
import { selectRows } from '../../platform/mysql-statements.ts';
import { identifyLog } from './log-identity.ts';
import { replayLogs } from './replay.ts';

const MYSQL_CONNECTIONS = 2;

/** Segments, or the mark that a log was trimmed. */
const LOG_FILE = /^(\d{8,}\.seg|trimmed)$/;

/** Whether there is an order log in a folder, as opposed to below it. */
export function hasLog(directory: string): boolean {
  return entriesOf(directory).some((name) => LOG_FILE.test(name));
}

/** The folders of order logs in a folder and `depth` levels below it, the folder itself first. */
export function findLogs(directory: string, depth: number): readonly string[] {
  const own = hasLog(directory) ? [directory] : [];
  if (depth === 0) return own;
  const below = entriesOf(directory).sort();
  return [...own, ...below.flatMap((name) => findLogs(join(directory, name), depth - 1))];
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // No folder, or not to be read: no server can open a log there either.
    return [];
  }
}

/** What puts such a log right by hand. */
export function bringInCommand(directory: string): string {
  return `fest log replay --dir ${directory} --retire`;
}

export interface BringInOptions {
  readonly directories: readonly string[];
  readonly mysqlUrl: string;
  readonly nowMs: () => number;
  readonly onBroughtIn: (directory: string) => void;
  /** It stays as it is. */
  readonly onFailed: (directory: string, error: unknown) => void;
}

/** Applies logs to MySQL and retires them, but for those that were retired before. One that fails keeps nobody from going on. */
export async function bringInLogs(options: BringInOptions): Promise<void> {
  const { directories, mysqlUrl, nowMs, onBroughtIn, onFailed } = options;
  if (directories.length === 0) return;
  await migrate(mysqlUrl);
  const mysql = createMysqlPool(mysqlUrl, MYSQL_CONNECTIONS);
  try {
    for (const directory of directories) {
      try {
        if (await isRetired(mysql, directory)) continue;
        await replayLogs({ mysql, directories: [directory], nowMs, retire: true });
        onBroughtIn(directory);
      } catch (error) {
        onFailed(directory, error);
      }
    }
  } finally {
    await mysql.end();
  }
}

/** Whether rebuilds do not wait for the log in this directory any more; false where there is none. */
export async function isRetired(mysql: MysqlPool, directory: string): Promise<boolean> {
  const { logId } = await identifyLog(directory);
  const sql = 'SELECT 1 FROM applier_positions WHERE log_id = ? AND retired_at_ms IS NOT NULL';
  return logId !== undefined && (await selectRows(mysql, sql, [logId])).length > 0;
}
