/**
 * Which process records: a lease, so that it is one; without a fence, since what two of them write is the same row twice. And what
 * reports ask Redis for.
 */
import type { Redis } from 'ioredis';
import { LIMITS } from '../../../limits.ts';
import { FLEET_RECORDER_KEY, saleKeys } from '../../../redis/keys.ts';
import { AGE_CLASSES } from '../../waiting-room/show-model.ts';

/** True: this process records, for `reportLeaseMs` at least. @throws when Redis does not answer */
export async function takeLease(redis: Redis, id: string): Promise<boolean> {
  const holder = await redis.call('SET', FLEET_RECORDER_KEY, id, 'NX', 'GET', 'PX', LIMITS.reportLeaseMs);
  if (holder === null) return true;
  if (holder !== id) return false;
  // Lost meanwhile, it makes the lease of another one longer, who then holds it rightly.
  await redis.pexpire(FLEET_RECORDER_KEY, LIMITS.reportLeaseMs);
  return true;
}

/** So that another one goes on at once. Never throws: it runs out by itself. */
export async function giveLeaseUp(redis: Redis, id: string): Promise<void> {
  const holder = await redis.get(FLEET_RECORDER_KEY).catch(() => null);
  if (holder === id) await redis.del(FLEET_RECORDER_KEY).catch(() => 0);
}

const SHOW_FIELDS = Array.from({ length: AGE_CLASSES }, (_, index) => `shows:${index + 1}`);

/** How many buyers came for tickets in their turn so far, in the present epoch, by sale; of those Redis has. @throws when Redis does not answer */
export async function readCame(redis: Redis, saleIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const counted = await Promise.all(
    saleIds.map(async (saleId) => {
      const [epoch, ...shows] = await redis.hmget(saleKeys.sale(saleId), 'epoch', ...SHOW_FIELDS);
      if (epoch == null) return undefined;
      return [saleId, shows.reduce((sum, count) => sum + Number(count ?? 0), 0)] as const;
    }),
  );
  return new Map(counted.filter((entry) => entry !== undefined));
}

/** Number of the order that was confirmed last; undefined when Redis has nothing of the sale. */
export async function readConfirmed(redis: Redis, saleId: number): Promise<number | undefined> {
  const text = await redis.hget(saleKeys.sale(saleId), 'confirmSeq');
  return text === null ? undefined : Number(text);
}
