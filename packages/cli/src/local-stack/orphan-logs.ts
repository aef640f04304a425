/**
 * Order logs of servers that are not started this time: a stack had two servers and has one now. Sales would wait for such a
 * log whenever their state in Redis has to be built anew, since it may have orders that nobody else knows of.
 */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { identifyLog } from '@fest/server/features/archive/log-identity';
import { replayLogs } from '@fest/server/features/archive/replay';
import { createMysqlPool, type MysqlPool, migrate } from '@fest/server/platform/mysql';
import { selectRows } from '@fest/server/platform/mysql-statements';
import { messageOf } from '../errors.ts';
import type { StackEventListener } from './events.ts';
import { orderLogDirectory, type StackPaths } from './paths.ts';

const MYSQL_CONNECTIONS = 2;

/** The folders of logs below the stack's that belong to none of the servers about to start. */
export function findOrphanLogs(paths: StackPaths, serverNames: readonly string[]): readonly string[] {
  const parent = join(orderLogDirectory(paths, 'any'), '..');
  let names: readonly string[];
  try {
    names = readdirSync(parent);
  } catch {
    return [];
  }
  return names
    .filter((name) => !serverNames.includes(name))
    .map((name) => join(parent, name))
    .filter((directory) => readdirSync(directory).some((file) => file.endsWith('.seg')));
}

/** Applies such logs to MySQL and retires them. One that cannot be is reported, and keeps nobody from starting. */
export async function bringInOrphanLogs(options: {
  readonly paths: StackPaths;
  readonly serverNames: readonly string[];
  readonly mysqlUrl: string;
  readonly now: () => number;
  readonly emit: StackEventListener;
}): Promise<void> {
  const { paths, serverNames, mysqlUrl, now, emit } = options;
  const orphans = findOrphanLogs(paths, serverNames);
  if (orphans.length === 0) return;
  await migrate(mysqlUrl);
  const mysql = createMysqlPool(mysqlUrl, MYSQL_CONNECTIONS);
  try {
    for (const directory of orphans) {
      const name = basename(directory);
      try {
        if (await isRetired(mysql, directory)) continue;
        await replayLogs({ mysql, directories: [directory], nowMs: now, retire: true });
        emit({ type: 'progress', message: `Brought in the order log of ${name}, which is not started this time.` });
      } catch (error) {
        const message = `The order log of ${name} could not be brought in: ${messageOf(error)}. Until it is, a sale whose state in Redis is lost waits for it: fest log replay --dir ${directory} --retire`;
        emit({ type: 'warning', message });
      }
    }
  } finally {
    await mysql.end();
  }
}

async function isRetired(mysql: MysqlPool, directory: string): Promise<boolean> {
  const { logId } = await identifyLog(directory);
  const sql = 'SELECT 1 FROM applier_positions WHERE log_id = ? AND retired_at_ms IS NOT NULL';
  return logId !== undefined && (await selectRows(mysql, sql, [logId])).length > 0;
}
