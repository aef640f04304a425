/** What was measured on: a figure without this cannot be compared with another. */
import { arch, cpus, release, totalmem, type } from 'node:os';
import { probeMysql } from '@fest/cli/local-stack/probe-mysql';
import { probeRedis } from '@fest/cli/local-stack/probe-redis';
import type { Stage } from './stage.ts';

export interface Machine {
  readonly processors: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly redis: string;
  readonly mysql: string;
  /** Of the order log. */
  readonly fileSystem: string;
}

export async function describeMachine({ stack, fileSystem }: Pick<Stage, 'stack' | 'fileSystem'>): Promise<Machine> {
  const [redis, mysql] = await Promise.all([probeRedis(stack.state.redisUrl), probeMysql(stack.state.mysqlUrl)]);
  const processors = cpus();
  return {
    processors: processors.length,
    processor: processors[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    redis: redis.version,
    mysql: mysql.version,
    fileSystem,
  };
}
