/** What was measured on, with its stores. */
import { probeMysql } from '@fest/cli/local-stack/probe-mysql';
import { probeRedis } from '@fest/cli/local-stack/probe-redis';
import { type MachineFacts, machineFacts } from '@fest/loadtest/measuring/machine';
import type { Stage } from './stage.ts';

export interface Machine extends MachineFacts {
  readonly redis: string;
  readonly mysql: string;
  /** Of the order log. */
  readonly fileSystem: string;
}

export async function describeMachine({ stack, fileSystem }: Pick<Stage, 'stack' | 'fileSystem'>): Promise<Machine> {
  const [redis, mysql] = await Promise.all([probeRedis(stack.state.redisUrl), probeMysql(stack.state.mysqlUrl)]);
  return { ...machineFacts(), redis: redis.version, mysql: mysql.version, fileSystem };
}
