/** What a line takes of Redis and of the server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICE_PATHS } from '@fest/server/contract/paths';
import { connectRedis } from '@fest/server/platform/redis';
import { saleKeys } from '@fest/server/redis/keys';
import type { Hall } from '../core/hall.ts';
import { metricValue, residentBytes } from '../live/readings.ts';
import type { Crowd } from './crowd.ts';
import type { LineOptions } from './options.ts';

/** Bytes. */
export interface ServerMemory {
  readonly resident: number;
  readonly heap: number;
  readonly external: number;
}

export interface LineMemory {
  readonly drawn: number;
  /** `used_memory` of INFO: everything that Redis has asked for, its own administration with it. */
  readonly redis: number;
  /** MEMORY USAGE (all samples) of the hashes account → number, their keys with it. */
  readonly numberKeys: number;
  /** Those hashes. */
  readonly hashes: number;
  /** MEMORY USAGE of what else the line has: the sale itself, steps, what remains of them, who left. */
  readonly otherKeys: number;
  readonly server: ServerMemory;
}

const READING_EVERY_MS = 1_500;
/** MEMORY USAGE of one round trip. */
const KEYS_AT_ONCE = 1_000;

/** Each the least of some readings, a second apart: what is garbage at the moment belongs to nobody. */
export async function readMemory(
  hall: Hall,
  crowd: Crowd,
  { readings }: Pick<LineOptions, 'readings'>,
): Promise<LineMemory> {
  const redis = await connectRedis(hall.stage.stack.state.redisUrl);
  try {
    const usageOf = async (keys: readonly string[]): Promise<number> => {
      const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
      return sizes.reduce<number>((sum, size) => sum + Number(size ?? 0), 0);
    };
    const hashes = [...new Set(crowd.places.map((_, index) => saleKeys.numbers(crowd.saleId, crowd.accountOf(index))))];
    let numberKeys = 0;
    for (let from = 0; from < hashes.length; from += KEYS_AT_ONCE) {
      numberKeys += await usageOf(hashes.slice(from, from + KEYS_AT_ONCE));
    }
    const others = (['sale', 'steps', 'remaining', 'departed'] as const).map((name) => saleKeys[name](crowd.saleId));
    const otherKeys = await usageOf(others);
    const used: number[] = [];
    const server: ServerMemory[] = [];
    for (let count = 0; count < readings; count += 1) {
      await sleep(READING_EVERY_MS, undefined, { signal: hall.signal });
      used.push(Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]));
      server.push(await readServer(hall));
    }
    const least = (of: (memory: ServerMemory) => number): number => Math.min(...server.map(of));
    return {
      drawn: crowd.drawn,
      redis: Math.min(...used),
      numberKeys,
      hashes: hashes.length,
      otherKeys,
      server: {
        resident: least(({ resident }) => resident),
        heap: least(({ heap }) => heap),
        external: least(({ external }) => external),
      },
    };
  } finally {
    redis.disconnect();
  }
}

async function readServer({ stage, signal }: Hall): Promise<ServerMemory> {
  const metrics = await (await fetch(stage.baseUrl + SERVICE_PATHS.metrics, { signal })).text();
  return {
    resident: residentBytes(stage.pids['server-1'] ?? 0),
    heap: metricValue(metrics, 'nodejs_heap_size_used_bytes'),
    external: metricValue(metrics, 'nodejs_external_memory_bytes'),
  };
}
