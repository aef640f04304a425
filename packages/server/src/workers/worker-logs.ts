/** The order logs of a server's workers, and those that workers left which it does not have any more. */
import type { Config } from '../config.ts';
import { bringInCommand, bringInLogs, findLogs } from '../features/archive/left-logs.ts';
import { SYSTEM_CLOCK } from '../platform/clock.ts';
import { createLogger } from '../platform/logger.ts';
import { ownLogDirectories } from './worker-config.ts';

type Place = Pick<Config, 'logDirectory' | 'workers'>;

/** In the folder of a server's order logs, those of another number of workers. Whatever else is there is not looked at. */
export function findLeftLogs(place: Place): readonly string[] {
  const { logDirectory } = place;
  const own = new Set(ownLogDirectories(place));
  const isWorkers = (directory: string): boolean =>
    /^worker-\d+$/.test(directory.slice(logDirectory.length).replace(/^\/+/, ''));
  return findLogs(logDirectory, 1).filter(
    (directory) => !own.has(directory) && (directory === logDirectory || isWorkers(directory)),
  );
}

/** Before the server starts: nobody else writes to them then, and what they sold is known before anything is sold anew. */
export async function bringInLeftLogs(config: Config): Promise<void> {
  const directories = findLeftLogs(config);
  const logger = createLogger(config);
  await bringInLogs({
    directories,
    mysqlUrl: config.mysqlUrl,
    nowMs: () => SYSTEM_CLOCK.nowMs(),
    onBroughtIn: (directory) =>
      logger.warn({ directory }, 'brought in an order log that no worker of this server has any more'),
    onFailed: (directory, error) =>
      logger.error(
        { err: error, directory, command: bringInCommand(directory) },
        'an order log of a worker that this server does not have any more could not be brought in: what was sold there and is not in MySQL is not seen, and a sale whose state in Redis is lost waits for it',
      ),
  });
}
