/** Holds in Redis: one command each. */
import type { Redis } from 'ioredis';
import type { HoldStatus } from '../../contract/words.ts';
import { LIMITS } from '../../limits.ts';
import type { RepeatableRequest } from '../../platform/idempotency-key.ts';
import { numberField, saleKeys } from '../../redis/keys.ts';
import { parseStoredEpoch } from '../../redis/run-id.ts';
import { releaseHoldScript, sweepHoldsScript, takeHoldScript } from '../../redis/scripts/holds.ts';
import type { QueueTicketClaims } from '../waiting-room/queue-token.ts';

export interface HoldRequest {
  readonly claims: QueueTicketClaims;
  readonly quantity: number;
  /** Id of the hold if one is made. */
  readonly holdId: string;
  readonly nowMs: number;
  readonly request: RepeatableRequest;
}

export function takeHold(redis: Redis, { claims, quantity, holdId, nowMs, request }: HoldRequest) {
  const { saleId, accountId, number, epoch } = claims;
  return takeHoldScript.run(
    redis,
    {
      sale: saleKeys.sale(saleId),
      numbers: saleKeys.numbers(saleId, accountId),
      steps: saleKeys.steps(saleId),
      remaining: saleKeys.remaining(saleId),
      released: saleKeys.released(saleId),
      expiry: saleKeys.expiry(saleId),
      buyers: saleKeys.buyers(saleId),
      bought: saleKeys.bought(saleId),
      hold: saleKeys.hold(saleId, holdId),
      request: saleKeys.request(saleId, accountId, 'hold', request.idempotencyKey),
      departed: saleKeys.departed(saleId),
    },
    {
      epoch,
      nowMs,
      account: accountId,
      field: numberField(accountId),
      number,
      quantity,
      holdId,
      holdPrefix: saleKeys.holdPrefix(saleId),
      requestFingerprint: request.fingerprint,
      requestTtlSeconds: LIMITS.idempotencyTtlSeconds,
    },
  );
}

export function releaseHold(
  redis: Redis,
  saleId: number,
  epoch: number,
  accountId: number,
  holdId: string,
  nowMs: number,
) {
  return releaseHoldScript.run(
    redis,
    {
      sale: saleKeys.sale(saleId),
      departed: saleKeys.departed(saleId),
      released: saleKeys.released(saleId),
      expiry: saleKeys.expiry(saleId),
      buyers: saleKeys.buyers(saleId),
      hold: saleKeys.hold(saleId, holdId),
    },
    { epoch, nowMs, account: accountId, holdId, finishedTtlSeconds: LIMITS.finishedTtlSeconds },
  );
}

export function sweepHolds(redis: Redis, saleId: number, epoch: number, nowMs: number) {
  return sweepHoldsScript.run(
    redis,
    {
      sale: saleKeys.sale(saleId),
      released: saleKeys.released(saleId),
      expiry: saleKeys.expiry(saleId),
      buyers: saleKeys.buyers(saleId),
    },
    {
      epoch,
      nowMs,
      holdPrefix: saleKeys.holdPrefix(saleId),
      atMost: LIMITS.sweepHoldsPerCall,
      finishedTtlSeconds: LIMITS.finishedTtlSeconds,
    },
  );
}

export interface StoredHold {
  readonly accountId: number;
  readonly ticketNumbers: readonly number[];
  readonly amount: number;
  readonly status: HoldStatus;
  readonly expiresAtMs: number;
  /** Of the sale's state when it was made, and the Redis process that state was in. */
  readonly epoch: number;
  readonly run: string;
}

export async function findHold(redis: Redis, saleId: number, holdId: string): Promise<StoredHold | undefined> {
  const [account, tickets, amount, state, expiresAtMs, epoch] = await redis.hmget(
    saleKeys.hold(saleId, holdId),
    'account',
    'tickets',
    'amount',
    'state',
    'expiresAtMs',
    'epoch',
  );
  if (account == null || tickets == null || state == null) return undefined;
  return {
    accountId: Number(account),
    ticketNumbers: tickets.split(',').map(Number),
    amount: Number(amount ?? 0),
    status: state as HoldStatus,
    expiresAtMs: Number(expiresAtMs ?? 0),
    ...parseStoredEpoch(epoch),
  };
}
