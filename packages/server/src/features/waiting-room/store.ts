/** Queue numbers in Redis: one command each. */
import type { Redis } from 'ioredis';
import { LIMITS } from '../../limits.ts';
import type { RepeatableRequest } from '../../platform/idempotency-key.ts';
import { numberField, saleKeys } from '../../redis/keys.ts';
import { joinQueueScript, leaveQueueScript } from '../../redis/scripts/waiting-room.ts';
import type { QueueTicketClaims } from './queue-token.ts';

export interface Joining {
  readonly saleId: number;
  readonly epoch: number;
  readonly accountId: number;
  readonly nowMs: number;
  readonly request: RepeatableRequest;
}

export function joinQueue(redis: Redis, { saleId, epoch, accountId, nowMs, request }: Joining) {
  return joinQueueScript.run(
    redis,
    {
      sale: saleKeys.sale(saleId),
      numbers: saleKeys.numbers(saleId, accountId),
      steps: saleKeys.steps(saleId),
      departed: saleKeys.departed(saleId),
      request: saleKeys.request(saleId, accountId, 'join', request.idempotencyKey),
    },
    {
      epoch,
      nowMs,
      account: accountId,
      field: numberField(accountId),
      requestFingerprint: request.fingerprint,
      requestTtlSeconds: LIMITS.idempotencyTtlSeconds,
      earlyJoinMs: LIMITS.earlyJoinMs,
    },
  );
}

export function leaveQueue(redis: Redis, claims: QueueTicketClaims, nowMs: number) {
  const { saleId, accountId, number, epoch } = claims;
  return leaveQueueScript.run(
    redis,
    {
      sale: saleKeys.sale(saleId),
      numbers: saleKeys.numbers(saleId, accountId),
      steps: saleKeys.steps(saleId),
      remaining: saleKeys.remaining(saleId),
      departed: saleKeys.departed(saleId),
      buyers: saleKeys.buyers(saleId),
    },
    { epoch, nowMs, account: accountId, field: numberField(accountId), number },
  );
}
