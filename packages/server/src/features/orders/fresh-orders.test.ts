import type { Redis } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';
import { freshOrdersKey } from '../../redis/keys.ts';
import { endFreshOrder } from './fresh-orders.ts';

const ORDER = { accountId: 7, orderId: 'ord_1_a' };
const KEY = freshOrdersKey(7);

function redisWhoseHsetFails(message: string) {
  return {
    hset: vi.fn(() => Promise.reject(new Error(message))),
    hdel: vi.fn(async () => 1),
    expire: vi.fn(async () => 1),
  };
}

describe('the end of a fresh order', () => {
  it('is that it is taken away when Redis is full: a cancellation must not wait for room', async () => {
    const redis = redisWhoseHsetFails("OOM command not allowed when used memory > 'maxmemory'.");
    await endFreshOrder(redis as unknown as Redis, ORDER);
    expect(redis.hdel).toHaveBeenCalledWith(KEY, 'ord_1_a');
  });

  it('is waited for when Redis fails otherwise', async () => {
    const redis = redisWhoseHsetFails('Connection is closed.');
    await expect(endFreshOrder(redis as unknown as Redis, ORDER)).rejects.toThrow('closed');
    expect(redis.hdel).not.toHaveBeenCalled();
  });
});
