/** On what and with what a load test ran: a figure without this cannot be compared with another. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchResult } from '@fest/loadtest/bench/result';
import { fileSystemOf } from '@fest/loadtest/measuring/file-system';
import { machineFacts } from '@fest/loadtest/measuring/machine';
import { probeMysql } from '../../local-stack/probe-mysql.ts';
import { probeRedis } from '../../local-stack/probe-redis.ts';
import type { StageStores } from './stage.ts';

const GIT_TIMEOUT_MS = 5_000;

/** @param logDirectory of an order log; undefined: there is none on this machine */
export function describeMachine(logDirectory: string | undefined): BenchResult['machine'] {
  return { ...machineFacts(), fileSystem: logDirectory === undefined ? null : fileSystemOf(logDirectory) };
}

/** Which `fest` this is. The revision is that of the clone it is in; null: it is in none. */
export async function describeFest(): Promise<BenchResult['fest']> {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  const git = async (...args: readonly string[]): Promise<string | undefined> => {
    try {
      const { stdout } = await promisify(execFile)('git', ['-C', here, ...args], { timeout: GIT_TIMEOUT_MS });
      return stdout.trim();
    } catch {
      return undefined;
    }
  };
  const revision = (await git('rev-parse', 'HEAD')) ?? null;
  const changes = revision === null ? undefined : await git('status', '--porcelain');
  return { version, revision, dirty: changes === undefined ? null : changes !== '' };
}

/** Versions of the engines; null: they are not reachable from here. */
export async function describeEngines(
  stores: StageStores | undefined,
): Promise<Pick<BenchResult['target'], 'redis' | 'mysql'>> {
  if (stores === undefined) return { redis: null, mysql: null };
  const [redis, mysql] = await Promise.allSettled([
    stores.local === undefined ? Promise.reject(new Error('not known')) : probeRedis(stores.local.redisUrl),
    probeMysql(stores.mysqlUrl),
  ]);
  return {
    redis: redis.status === 'fulfilled' ? redis.value.version : null,
    mysql: mysql.status === 'fulfilled' ? mysql.value.version : null,
  };
}
