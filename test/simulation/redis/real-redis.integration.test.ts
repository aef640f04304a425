/** Every command of random players on a real Redis and on the simulated one: the same replies, the same data. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commands } from '../../integration/redis/commands.ts';
import { Play } from '../../integration/redis/play.ts';
import { fromSources } from '../../integration/redis/support/call-script.ts';
import { connectEmptyRedis } from '../../integration/redis/support/sale-redis.ts';
import { integration } from '../../support/integration.ts';
import { createRedisClient } from './redis-client.ts';
import { RedisServer } from './redis-server.ts';

type Method = (...args: unknown[]) => unknown;
type Methods = Readonly<Record<string, Method>>;

/** Order of members and the form of scores differ between protocol versions and data structures, and mean nothing. */
function comparable(value: unknown): unknown {
  if (!Array.isArray(value)) return value instanceof Error ? value.message.split(' ')[0] : value;
  return value
    .flat(2)
    .map((item: unknown) => (item instanceof Error ? 'error' : typeof item === 'number' ? String(item) : item));
}

const UNORDERED = new Set(['keys', 'smembers']);

/** Sends everything to both, compares what they say, and answers as the real one. */
function twin(real: Redis, simulated: Redis, differences: string[]): Redis {
  const compare = (name: string, args: readonly unknown[], a: unknown, b: unknown): void => {
    const [left, right] = [a, b].map((value) => {
      const list = comparable(value);
      return UNORDERED.has(name) && Array.isArray(list) ? list.toSorted() : list;
    });
    if (!isDeepStrictEqual(left, right)) {
      const what = args.map(String).join(' ').slice(0, 300);
      differences.push(`${name} ${what}: ${JSON.stringify(left)} and simulated ${JSON.stringify(right)}`);
    }
  };
  const both = (name: string): Method => {
    return async (...args) => {
      const settled = await Promise.allSettled(
        [real, simulated].map((redis) => (redis as unknown as Methods)[name]?.apply(redis, args)),
      );
      const [a, b] = settled.map((result) => (result.status === 'fulfilled' ? result.value : result.reason));
      compare(name, args, a, b);
      if (settled[0]?.status === 'rejected') throw settled[0].reason;
      return a;
    };
  };
  const pipeline = (): unknown => {
    const pipelines = [real.pipeline(), simulated.pipeline()];
    const proxy: unknown = new Proxy(
      {},
      {
        get: (_, name: string) => {
          if (name === 'exec') {
            return async () => {
              const [a, b] = await Promise.all(pipelines.map((each) => each.exec()));
              compare('exec', [], a, b);
              return a;
            };
          }
          return (...args: unknown[]) => {
            for (const each of pipelines) (each as unknown as Methods)[name]?.apply(each, args);
            return proxy;
          };
        },
      },
    );
    return proxy;
  };
  return new Proxy(real, {
    get: (_, name: string) => (name === 'pipeline' ? pipeline : both(name)),
  });
}

async function dump(redis: Redis): Promise<Readonly<Record<string, unknown>>> {
  const entries = await Promise.all(
    (await redis.keys('*')).sort().map(async (key): Promise<[string, unknown]> => {
      if (/:(steps|departed|released|expiry|paying|voided)$/.test(key)) {
        return [key, (await redis.zrange(key, '0', '-1', 'WITHSCORES')).flat().map(String)];
      }
      if (key.includes(':request:')) return [key, await redis.get(key)];
      if (key.includes(':staged:')) return [key, 'staged'];
      if (key.endsWith(':returned')) return [key, (await redis.smembers(key)).sort()];
      return [key, { ...(await redis.hgetall(key)), ttl: (await redis.ttl(key)) > 0 }];
    }),
  );
  return Object.fromEntries(entries);
}

integration('the simulated Redis beside a real one', () => {
  let real: Redis;
  beforeAll(async () => {
    real = await connectEmptyRedis();
  });
  afterAll(() => real.disconnect());

  it('replies and stores the same under random commands', async () => {
    const server = new RedisServer({ nowMs: Date.now, newRunId: () => '0'.repeat(40) });
    const simulated = createRedisClient(async (name, args) => server.execute(name, args));
    const property = fc.asyncProperty(commands, async (list) => {
      const differences: string[] = [];
      const redis = twin(real, simulated, differences);
      await new Play(redis, fromSources(redis, new Map())).play(list);
      expect(differences).toEqual([]);
      expect(await dump(simulated)).toEqual(await dump(real));
    });
    await fc.assert(property, { numRuns: 60 });
  });
});
