import { FixableError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { STACK_LIMITS } from './limits.ts';

export interface RedisFacts {
  /** Of Redis, or the Redis version a Valkey says it is compatible with. */
  readonly version: string;
  readonly maxmemoryPolicy: string;
  /** Redis's own clock, milliseconds since 1970. */
  readonly timeMs: number;
}

/** Connects once, asks, and leaves. Throws when Redis does not answer within the probe's time. */
export async function probeRedis(url: string): Promise<RedisFacts> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: STACK_LIMITS.probeTimeoutMs,
    commandTimeout: STACK_LIMITS.probeTimeoutMs,
  });
  // The rejected promise of connect() says it all; without a listener ioredis prints to stderr as well.
  let lastError: Error | undefined;
  redis.on('error', (error: Error) => {
    lastError = error;
  });
  try {
    await redis.connect().catch((error: unknown) => {
      throw lastError ?? error;
    });
    const [info, time] = await Promise.all([redis.info(), redis.time()]);
    const [seconds = 0, microseconds = 0] = time;
    return {
      version: infoField(info, 'redis_version'),
      maxmemoryPolicy: infoField(info, 'maxmemory_policy'),
      timeMs: Number(seconds) * 1000 + Number(microseconds) / 1000,
    };
  } finally {
    redis.disconnect();
  }
}

function infoField(info: string, name: string): string {
  return new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim() ?? '';
}

/** What is wrong with this Redis for fest; undefined when it will do. */
export function findRedisFault(facts: RedisFacts): { readonly why: string; readonly fix: string } | undefined {
  if (Number.parseInt(facts.version, 10) < 7) {
    return { why: `it is version ${facts.version}; fest needs 7.0 or newer`, fix: 'Install a newer Redis, or Valkey.' };
  }
  if (facts.maxmemoryPolicy !== 'noeviction') {
    return {
      why: `its maxmemory-policy is ${facts.maxmemoryPolicy}: it would throw away stock and queue numbers when it is full`,
      fix: 'Set it: `redis-cli config set maxmemory-policy noeviction`, and in its configuration file.',
    };
  }
  return undefined;
}

/** Throws for a Redis that answers but must not be used. */
export function assertRedisUsable(facts: RedisFacts): void {
  const fault = findRedisFault(facts);
  if (fault === undefined) return;
  throw new FixableError({ what: 'This Redis cannot be used', ...fault, exitCode: EXIT.unreachable });
}
