/**
 * Order logs of servers that are not started this time: a stack had two servers and has one now. What the workers of a server
 * that is started have left, that server brings in itself.
 */
import { dirname, relative } from 'node:path';
import { bringInCommand, bringInLogs, findLogs } from '@fest/server/features/archive/left-logs';
import { messageOf } from '../errors.ts';
import type { StackEventListener } from './events.ts';
import { orderLogDirectory, type StackPaths } from './paths.ts';

/** Of a server, and of each of its workers. */
const LEVELS = 2;

function logFolder(paths: StackPaths): string {
  return dirname(orderLogDirectory(paths, 'any'));
}

/** The folders of logs below the stack's that belong to none of the servers about to start. */
export function findOrphanLogs(paths: StackPaths, serverNames: readonly string[]): readonly string[] {
  const parent = logFolder(paths);
  return findLogs(parent, LEVELS).filter((directory) => {
    const [server = ''] = relative(parent, directory).split('/');
    return server !== '' && !serverNames.includes(server);
  });
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
  const nameOf = (directory: string): string => relative(logFolder(paths), directory);
  await bringInLogs({
    directories: findOrphanLogs(paths, serverNames),
    mysqlUrl,
    nowMs: now,
    onBroughtIn: (directory) =>
      emit({
        type: 'progress',
        message: `Brought in the order log of ${nameOf(directory)}, which is not started this time.`,
      }),
    onFailed: (directory, error) =>
      emit({
        type: 'warning',
        message: `The order log of ${nameOf(directory)} could not be brought in: ${messageOf(error)}. Until it is, a sale whose state in Redis is lost waits for it: ${bringInCommand(directory)}`,
      }),
  });
}
