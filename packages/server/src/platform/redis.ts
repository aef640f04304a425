/** Connections to Redis or Valkey. */
import { Redis, type RedisOptions } from 'ioredis';
import { LIMITS } from '../limits.ts';
import { watchRun } from '../redis/run-id.ts';
import { GatheringRedis } from './gathering-redis.ts';

/**
 * Nothing is sent twice and nothing waits unseen: ioredis would by default keep commands while disconnected and resend
 * unanswered ones after a reconnect. Here a command either gets its answer or fails, and whoever sent it decides.
 */
const OPTIONS = {
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  commandTimeout: LIMITS.redisCommandTimeoutMs,
  connectTimeout: LIMITS.redisCommandTimeoutMs,
  lazyConnect: true,
  keepAlive: LIMITS.keepAliveProbeMs,
  retryStrategy: (attempt: number) => Math.min(50 * attempt, 500),
  // A primary that lives on as a replica refuses writes for good, and its address leads to another one by now. The command fails.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  protocol: 3,
} as const satisfies RedisOptions;

/**
 * A peer that vanished without a word is noticed by the answers it owes: ioredis closes the connection then and opens another
 * one. An idle connection owes none.
 */
export const COMMAND_OPTIONS = {
  ...OPTIONS,
  socketTimeout: LIMITS.redisSocketTimeoutMs,
} as const satisfies RedisOptions;

/** For commands. */
export async function connectRedis(url: string): Promise<Redis> {
  const redis = heard(new GatheringRedis(url, COMMAND_OPTIONS));
  const identified = watchRun(redis);
  await redis.connect();
  await identified;
  return redis;
}

/**
 * For SUBSCRIBE: its own connection. Only keep-alive can watch it. Whoever subscribes does so again on every `ready`: ioredis
 * would do it by itself with nobody to hear of a failure, and a rejection that nobody hears ends the process.
 */
export async function connectSubscriber(url: string): Promise<Redis> {
  const redis = heard(new Redis(url, { ...OPTIONS, autoResubscribe: false }));
  await redis.connect();
  return redis;
}

function heard(redis: Redis): Redis {
  // Without a listener ioredis prints every failed reconnect; callers see the failure on their own commands.
  redis.on('error', () => undefined);
  return redis;
}

/**
 * A Redis that may evict keys loses holds. Throws unless `maxmemory-policy` is `noeviction` and the version is ≥ 7.
 * Managed services that hide CONFIG are taken at their word, with the sentence returned to be logged.
 */
export async function checkRedis(redis: Redis): Promise<string | undefined> {
  const info = await redis.info('server');
  const version = /^(?:redis|valkey)_version:(\d+)/m.exec(info)?.[1];
  if (version !== undefined && Number(version) < 7)
    throw new Error(`Redis ${version} is too old: 7.0 or newer is needed.`);
  let policy: string | undefined;
  try {
    policy = ((await redis.config('GET', 'maxmemory-policy')) as string[])[1];
  } catch {
    return 'Redis does not show its configuration: make sure that maxmemory-policy is noeviction.';
  }
  if (policy !== 'noeviction') {
    throw new Error(
      `Redis has maxmemory-policy ${policy}: it would drop holds when memory runs short. Set it to noeviction ` +
        '(CONFIG SET maxmemory-policy noeviction, and in its configuration file).',
    );
  }
  return undefined;
}
