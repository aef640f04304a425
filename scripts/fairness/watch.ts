/** Looks at the serving number in Redis, again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis } from '@fest/server/platform/redis';
import { saleKeys } from '@fest/server/redis/keys';
import type { Sample } from './record.ts';

/** A tick is 200 ms: every batch is seen, and when it came is known to a few milliseconds. */
const EVERY_MS = 4;

export class ServingWatch {
  readonly samples: Sample[] = [];
  readonly #ended = new AbortController();
  #running: Promise<void> = Promise.resolve();

  static async begin(redisUrl: string, saleId: number): Promise<ServingWatch> {
    const redis = await connectRedis(redisUrl);
    const watch = new ServingWatch();
    const look = async (): Promise<void> => {
      const askedAt = performance.now();
      const fields = await redis.hmget(saleKeys.sale(saleId), 'serving', 'windowsStoppedMs', 'windowsStoppedAtMs');
      const [serving = 0, before = 0, sinceMs = 0] = fields.map(Number);
      const stoppedMs = before + (sinceMs > 0 ? Math.max(0, Date.now() - sinceMs) : 0);
      watch.samples.push({ askedAt, answeredAt: performance.now(), serving, stoppedMs });
    };
    watch.#running = (async () => {
      try {
        while (!watch.#ended.signal.aborted) {
          await look();
          await sleep(EVERY_MS);
        }
        // Once more: what was said last is judged by a look that began later.
        await look();
      } finally {
        redis.disconnect();
      }
    })();
    watch.#running.catch(() => undefined);
    return watch;
  }

  /** @throws what looking failed with */
  async end(): Promise<readonly Sample[]> {
    this.#ended.abort();
    await this.#running;
    return this.samples;
  }
}
