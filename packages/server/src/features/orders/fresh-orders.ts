/**
 * Orders that are durable in a log but perhaps not in MySQL yet, so that buyers see them at once. A convenience: the log
 * is the truth, and the applier deletes an entry only after the commit that archived it.
 */
import type { Redis } from 'ioredis';
import { LIMITS } from '../../limits.ts';
import type { OrderPaid } from '../../order-log/records.ts';
import { freshOrdersKey } from '../../redis/keys.ts';

/** In the place of an order that is being given back. MySQL alone knows how far that is. */
const GIVEN_BACK = '';

export async function addFreshOrder(redis: Redis, order: OrderPaid): Promise<void> {
  const key = freshOrdersKey(order.accountId);
  // Only once, and never after it was given back: a start shows orders anew that may have been cancelled meanwhile.
  const added = redis.hsetnx(key, order.orderId, JSON.stringify(order));
  // On one connection commands keep their order, and neither waits for the other's answer.
  await Promise.all([added, redis.expire(key, LIMITS.freshOrderTtlSeconds)]);
}

/** From here on Redis does not say any more that the order is paid, also while MySQL is away. */
export async function endFreshOrder(
  redis: Redis,
  { accountId, orderId }: Pick<OrderPaid, 'accountId' | 'orderId'>,
): Promise<void> {
  const key = freshOrdersKey(accountId);
  try {
    await redis.hset(key, orderId, GIVEN_BACK);
  } catch (error) {
    // A Redis that is full takes nothing new, and cancellations are what frees it: then the order is only taken away.
    if (!(error instanceof Error && error.message.startsWith('OOM'))) throw error;
    await redis.hdel(key, orderId);
  }
  await redis.expire(key, LIMITS.freshOrderTtlSeconds);
}

export async function removeFreshOrders(
  redis: Redis,
  orders: readonly Pick<OrderPaid, 'accountId' | 'orderId'>[],
): Promise<void> {
  if (orders.length === 0) return;
  const pipeline = redis.pipeline();
  for (const { accountId, orderId } of orders) pipeline.hdel(freshOrdersKey(accountId), orderId);
  await pipeline.exec();
}

export async function findFreshOrder(redis: Redis, accountId: number, orderId: string): Promise<OrderPaid | undefined> {
  const text = await redis.hget(freshOrdersKey(accountId), orderId);
  return text === null || text === GIVEN_BACK ? undefined : (JSON.parse(text) as OrderPaid);
}

export async function listFreshOrders(redis: Redis, accountId: number): Promise<readonly OrderPaid[]> {
  const texts = Object.values(await redis.hgetall(freshOrdersKey(accountId)));
  return texts.filter((text) => text !== GIVEN_BACK).map((text) => JSON.parse(text) as OrderPaid);
}
