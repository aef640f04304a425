/** What Redis counts, and a recount of it from the keys behind the counters. Only reads. */
import type { Redis } from 'ioredis';
import { saleKeys } from '../redis/keys.ts';
import type { RedisEvidence, RedisHold, RedisPayment } from './evidence.ts';

/** Keys of one reply: small enough not to hold up a sale that is running. */
const KEYS_PER_CALL = 1_000;

/** A sweep may return holds between two reads: then the reading is repeated. */
const ATTEMPTS = 10;
const ATTEMPT_PAUSE_MS = 100;

/**
 * A consistent reading: the sale's sequence number is the same before and after it.
 * @throws {Error} when the sale never stood still for the time of a reading
 */
export async function readRedisEvidence(redis: Redis, saleId: number): Promise<RedisEvidence | undefined> {
  const sale = saleKeys.sale(saleId);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await redis.hget(sale, 'seq');
    if (before === null) return undefined;
    const evidence = await readOnce(redis, saleId);
    if ((await redis.hget(sale, 'seq')) === before) return evidence;
    await new Promise((resolve) => setTimeout(resolve, ATTEMPT_PAUSE_MS));
  }
  throw new Error(`Sale ${saleId} changes faster than it can be counted: pause it, then look again.`);
}

async function readOnce(redis: Redis, saleId: number): Promise<RedisEvidence> {
  const fields = ['epoch', 'capacity', 'available', 'held', 'sold', 'nextFresh'] as const;
  const values = await redis.hmget(saleKeys.sale(saleId), ...fields);
  const read = (field: (typeof fields)[number]): number => Number(values[fields.indexOf(field)]);
  return {
    epoch: read('epoch'),
    capacity: read('capacity'),
    available: read('available'),
    held: read('held'),
    sold: read('sold'),
    nextFresh: read('nextFresh'),
    released: (await redis.zrange(saleKeys.released(saleId), '0', '-1')).map(Number),
    liveHolds: await readLiveHolds(redis, saleId),
    bought: await readBought(redis, saleId),
    succeeded: await readSucceededPayments(redis, saleId),
  };
}

async function readLiveHolds(redis: Redis, saleId: number): Promise<readonly RedisHold[]> {
  const listed = await Promise.all([
    redis.zrange(saleKeys.expiry(saleId), '0', '-1'),
    redis.zrange(saleKeys.paying(saleId), '0', '-1'),
  ]);
  const holds: RedisHold[] = [];
  for (const holdIds of chunks([...new Set(listed.flat())])) {
    const rows = await Promise.all(
      holdIds.map((holdId) => redis.hmget(saleKeys.hold(saleId, holdId), 'account', 'state', 'tickets')),
    );
    for (const [index, [account, state, tickets]] of rows.entries()) {
      if (state !== 'held' && state !== 'paying') continue;
      const ticketNumbers = (tickets ?? '').split(',').filter(Boolean).map(Number);
      holds.push({ holdId: holdIds[index] ?? '', accountId: Number(account), state, ticketNumbers });
    }
  }
  return holds;
}

async function readBought(redis: Redis, saleId: number): Promise<ReadonlyMap<number, number>> {
  const bought = new Map<number, number>();
  let cursor = '0';
  do {
    const [next, entries] = await redis.hscan(saleKeys.bought(saleId), cursor, 'COUNT', KEYS_PER_CALL);
    for (let index = 0; index < entries.length; index += 2)
      bought.set(Number(entries[index]), Number(entries[index + 1]));
    cursor = next;
  } while (cursor !== '0');
  return bought;
}

/** Payments keep their outcome for a day; nothing lists them, so the keys are scanned. */
async function readSucceededPayments(redis: Redis, saleId: number): Promise<readonly RedisPayment[]> {
  const prefix = saleKeys.payment(saleId, '');
  const found = new Map<string, RedisPayment>();
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', KEYS_PER_CALL);
    const rows = await Promise.all(keys.map((key) => redis.hmget(key, 'status', 'orderId')));
    for (const [index, [status, orderId]] of rows.entries()) {
      if (status !== 'succeeded') continue;
      const paymentId = (keys[index] ?? '').slice(prefix.length);
      found.set(paymentId, { paymentId, orderId: orderId ?? undefined });
    }
    cursor = next;
  } while (cursor !== '0');
  return [...found.values()];
}

function* chunks<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += KEYS_PER_CALL) yield items.slice(start, start + KEYS_PER_CALL);
}
