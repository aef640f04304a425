/**
 * What operators did and MySQL may not have yet, in Redis, so that the history shows it at once, at every server and also
 * while appliers are late. A convenience: the order log is the truth, and what Redis loses comes with the applier.
 */
import type { Redis } from 'ioredis';
import { LIMITS } from '../../limits.ts';
import { saleKeys } from '../../redis/keys.ts';
import type { OperatorAction } from '../archive/operator-actions.ts';

/** An action with its place in the order log, which is what it is known by. */
export interface RecordedAction extends OperatorAction {
  readonly logId: string;
  readonly lsn: number;
}

/** Never throws: the action is in the order log already. */
export async function addFreshAction(redis: Redis, action: RecordedAction): Promise<void> {
  const key = saleKeys.actions(action.saleId);
  const outlivedMs = action.atMs - LIMITS.freshActionTtlSeconds * 1000;
  // On one connection commands keep their order, and none waits for the answer of the one before.
  await Promise.allSettled([
    redis.zadd(key, action.atMs, JSON.stringify(action)),
    redis.zremrangebyscore(key, '-inf', outlivedMs),
    redis.expire(key, LIMITS.freshActionTtlSeconds),
  ]);
}

/** Newest first; none while Redis does not answer. */
export async function listFreshActions(redis: Redis, saleId: number): Promise<readonly RecordedAction[]> {
  const texts = await redis.zrevrange(saleKeys.actions(saleId), 0, LIMITS.freshActions - 1).catch(() => []);
  return texts.map((text) => JSON.parse(text) as RecordedAction);
}
