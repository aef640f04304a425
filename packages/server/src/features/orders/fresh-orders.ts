/**
 * Orders that are durable in a log but perhaps not in MySQL yet, so that buyers see them at once. A convenience: the log
 * is the truth, and the applier deletes an entry only after the commit that archived it.
 */
import type { Redis } from 'ioredis';
import { LIMITS } from '../../limits.ts';
import type { OrderPaid } from '../../order-log/records.ts';
import { freshOrdersKey } from '../../redis/keys.ts';

export async function addFreshOrder(redis: Redis, order: OrderPaid): Promise<void> {
  const key = freshOrdersKey(order.accountId);
  await redis.hset(key, order.orderId, JSON.stringify(order));
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
  return text === null ? undefined : (JSON.parse(text) as OrderPaid);
}

export async function listFreshOrders(redis: Redis, accountId: number): Promise<readonly OrderPaid[]> {
  return Object.values(await redis.hgetall(freshOrdersKey(accountId))).map((text) => JSON.parse(text) as OrderPaid);
}
