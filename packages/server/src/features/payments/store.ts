/** Payments in Redis; MySQL answers for those Redis no longer knows. */
import type { Redis } from 'ioredis';
import type { OrderStatus, PaymentStatus } from '../../contract/words.ts';
import { LIMITS } from '../../limits.ts';
import type { PaymentIntent } from '../../order-log/records.ts';
import type { RepeatableRequest } from '../../platform/idempotency-key.ts';
import { orderIdOf } from '../../platform/ids.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { selectRows } from '../../platform/mysql-statements.ts';
import { saleKeys } from '../../redis/keys.ts';
import { parseStoredEpoch } from '../../redis/run-id.ts';
import {
  beginPaymentScript,
  completePaymentScript,
  confirmPaymentScript,
  failPaymentScript,
  forgetOutcomeScript,
  returnTicketsScript,
} from '../../redis/scripts/payments.ts';

export interface PaymentStart {
  readonly saleId: number;
  readonly epoch: number;
  readonly accountId: number;
  readonly holdId: string;
  /** Id of the payment if one is begun. */
  readonly paymentId: string;
  readonly method: string;
  readonly logId: string;
  readonly nowMs: number;
  readonly request: RepeatableRequest;
}

export function beginPayment(redis: Redis, start: PaymentStart) {
  const { saleId, epoch, accountId, holdId, paymentId, method, logId, nowMs, request } = start;
  return beginPaymentScript.run(
    redis,
    {
      sale: saleKeys.sale(saleId),
      hold: saleKeys.hold(saleId, holdId),
      payment: saleKeys.payment(saleId, paymentId),
      expiry: saleKeys.expiry(saleId),
      paying: saleKeys.paying(saleId),
      request: saleKeys.request(saleId, accountId, 'pay', request.idempotencyKey),
    },
    {
      epoch,
      nowMs,
      account: accountId,
      holdId,
      paymentId,
      method,
      logId,
      requestFingerprint: request.fingerprint,
      requestTtlSeconds: LIMITS.idempotencyTtlSeconds,
    },
  );
}

export function confirmPayment(redis: Redis, intent: PaymentIntent, epoch: number) {
  const { saleId, holdId, accountId, paymentId, amount, ticketNumbers } = intent;
  return confirmPaymentScript.run(
    redis,
    {
      sale: saleKeys.sale(saleId),
      hold: saleKeys.hold(saleId, holdId),
      buyers: saleKeys.buyers(saleId),
      bought: saleKeys.bought(saleId),
      paying: saleKeys.paying(saleId),
      released: saleKeys.released(saleId),
      expiry: saleKeys.expiry(saleId),
    },
    { epoch, account: accountId, holdId, paymentId, amount, quantity: ticketNumbers.length },
  );
}

/**
 * An empty failure code frees the hold only: the payment's outcome is still to come.
 * @param idempotencyKey with which the payment was asked for; with the failure code `not_started` it is forgotten
 */
export function failPayment(
  redis: Redis,
  payment: Pick<PaymentIntent, 'saleId' | 'accountId' | 'holdId' | 'paymentId'>,
  epoch: number,
  failureCode: string,
  nowMs: number,
  idempotencyKey?: string,
) {
  const { saleId, accountId, holdId, paymentId } = payment;
  return failPaymentScript.run(
    redis,
    {
      sale: saleKeys.sale(saleId),
      hold: saleKeys.hold(saleId, holdId),
      payment: saleKeys.payment(saleId, paymentId),
      expiry: saleKeys.expiry(saleId),
      paying: saleKeys.paying(saleId),
      request: saleKeys.request(saleId, accountId, 'pay', idempotencyKey),
    },
    {
      epoch,
      nowMs,
      holdId,
      paymentId,
      failureCode,
      graceMs: LIMITS.holdGraceAfterDeclineMs,
      finishedTtlSeconds: LIMITS.finishedTtlSeconds,
    },
  );
}

export interface PaymentOutcome {
  readonly status: PaymentStatus;
  readonly orderId?: string;
  readonly failureCode?: string;
}

/** In the place of an epoch: the outcome may be older than what has been archived since. */
export const NO_EPOCH = 0;

/**
 * Shows an outcome to the buyer; only after its record is durable.
 * @param epoch in which it became, or still was, the latest outcome: until that epoch ends Redis answers for it alone, also
 *   while MySQL is away
 */
export function completePayment(
  redis: Redis,
  payment: Pick<PaymentIntent, 'saleId' | 'accountId' | 'holdId' | 'paymentId'>,
  outcome: PaymentOutcome,
  epoch: number,
) {
  const { saleId, accountId, holdId, paymentId } = payment;
  return completePaymentScript.run(
    redis,
    { sale: saleKeys.sale(saleId), payment: saleKeys.payment(saleId, paymentId), hold: saleKeys.hold(saleId, holdId) },
    {
      epoch,
      account: accountId,
      holdId,
      status: outcome.status,
      orderId: outcome.orderId ?? '',
      failureCode: outcome.failureCode ?? '',
      finishedTtlSeconds: LIMITS.finishedTtlSeconds,
    },
  );
}

/** Whatever Redis says of a payment from here on, MySQL is asked, until an outcome is shown anew; `refunded` stays. */
export async function forgetOutcome(redis: Redis, saleId: number, paymentId: string): Promise<void> {
  await forgetOutcomeScript.run(redis, { payment: saleKeys.payment(saleId, paymentId) }, {});
}

export interface ReturnedTickets {
  readonly saleId: number;
  readonly accountId: number;
  readonly orderId: string;
  readonly ticketNumbers: readonly number[];
}

/** The tickets of a cancelled order go back to stock. Once: the stock remembers the order. */
export function returnTickets(redis: Redis, order: ReturnedTickets, epoch: number) {
  const { saleId, accountId, orderId, ticketNumbers } = order;
  return returnTicketsScript.run(
    redis,
    {
      sale: saleKeys.sale(saleId),
      released: saleKeys.released(saleId),
      bought: saleKeys.bought(saleId),
      returned: saleKeys.returned(saleId),
      voided: saleKeys.voided(saleId),
    },
    { epoch, account: accountId, orderId, tickets: ticketNumbers.join(',') },
  );
}

export interface StoredPayment extends PaymentOutcome {
  readonly accountId: number;
}

export interface LivePayment extends StoredPayment {
  /** Of the sale's state when it was begun, or when it ended, and the Redis process that state was in. */
  readonly epoch: number;
  readonly run: string;
  /** Unix milliseconds. */
  readonly startedAtMs: number;
  readonly holdId: string;
}

/** A payment as Redis knows it. `succeeded` is there only once its order is durable. */
export async function findPayment(redis: Redis, saleId: number, paymentId: string): Promise<LivePayment | undefined> {
  const [account, status, orderId, failureCode, epoch, startedAtMs, holdId] = await redis.hmget(
    saleKeys.payment(saleId, paymentId),
    'account',
    'status',
    'orderId',
    'failureCode',
    'epoch',
    'startedAtMs',
    'holdId',
  );
  if (account == null || status == null) return undefined;
  return {
    accountId: Number(account),
    status: status as PaymentStatus,
    ...parseStoredEpoch(epoch),
    startedAtMs: Number(startedAtMs ?? 0),
    holdId: holdId ?? '',
    ...(orderId == null ? {} : { orderId }),
    ...(failureCode == null ? {} : { failureCode }),
  };
}

/** A payment as the archive knows it. */
export interface ArchivedPayment extends StoredPayment {
  /** Its order is being given back: the money may be back already, by the log of a server that MySQL has not heard yet. */
  readonly isCancelling?: true;
}

export async function findArchivedPayment(pool: MysqlPool, paymentId: string): Promise<ArchivedPayment | undefined> {
  // In this order: one that becomes an order in between leaves one table as it enters the other, and is not overlooked.
  const [payment] = await selectRows<{ account_id: number; status: PaymentStatus; failure_code: string | null }>(
    pool,
    'SELECT account_id, status, failure_code FROM payments WHERE payment_id = ?',
    [paymentId],
  );
  const [order] = await selectRows<{ account_id: number; status: OrderStatus }>(
    pool,
    'SELECT account_id, status FROM orders WHERE payment_id = ?',
    [paymentId],
  );
  if (order !== undefined) {
    return {
      accountId: order.account_id,
      status: order.status === 'cancelled' ? 'refunded' : 'succeeded',
      orderId: orderIdOf(paymentId),
      ...(order.status === 'cancelling' ? { isCancelling: true } : {}),
    };
  }
  if (payment === undefined) return undefined;
  const { account_id: accountId, status, failure_code: failureCode } = payment;
  // A payment whose order MySQL refused: the order is in a log all the same, and its buyer was told so.
  if (status === 'succeeded') return { accountId, status, orderId: orderIdOf(paymentId) };
  // The reason of a refund that is under way is told when it is done.
  return { accountId, status, ...(failureCode === null || status === 'pending' ? {} : { failureCode }) };
}

export interface PayingHoldStart {
  readonly holdId: string;
  /** When its payment began, Unix milliseconds. */
  readonly startedAtMs: number;
}

/** Holds whose payment began in a span of time, both ends included, oldest first; `offset` of them are left out. */
export async function listPayingHolds(
  redis: Redis,
  saleId: number,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  { offset, atMost }: { readonly offset: number; readonly atMost: number },
): Promise<readonly PayingHoldStart[]> {
  const key = saleKeys.paying(saleId);
  const flat = await redis.zrange(key, String(fromMs), String(toMs), 'BYSCORE', 'LIMIT', offset, atMost, 'WITHSCORES');
  return Array.from({ length: flat.length / 2 }, (_, index) => ({
    holdId: flat[2 * index] ?? '',
    startedAtMs: Number(flat[2 * index + 1]),
  }));
}

/** By hold: what it is being paid with, and through which log; without those that are not there any more. */
export async function findPayingHoldPayments(
  redis: Redis,
  saleId: number,
  holds: readonly PayingHoldStart[],
): Promise<ReadonlyMap<string, { readonly paymentId: string; readonly logId: string }>> {
  // Commands that are sent in one turn share their round trip.
  const found = await Promise.all(
    holds.map(async ({ holdId }) => {
      const paymentId = await redis.hget(saleKeys.hold(saleId, holdId), 'paymentId');
      if (paymentId === null) return undefined;
      const logId = (await redis.hget(saleKeys.payment(saleId, paymentId), 'logId')) ?? '';
      return [holdId, { paymentId, logId }] as const;
    }),
  );
  return new Map(found.filter((entry) => entry !== undefined));
}

export interface PayingHoldFacts
  extends Pick<PaymentIntent, 'paymentId' | 'accountId' | 'amount' | 'ticketNumbers' | 'method' | 'epoch'> {
  /** The Redis process that the hold was made in. */
  readonly run: string;
}

/** What an intent would say, read back from Redis: for payments that began but whose intent never reached the log. */
export async function findPayingHold(
  redis: Redis,
  saleId: number,
  holdId: string,
): Promise<PayingHoldFacts | undefined> {
  const [account, amount, tickets, paymentId, epoch] = await redis.hmget(
    saleKeys.hold(saleId, holdId),
    'account',
    'amount',
    'tickets',
    'paymentId',
    'epoch',
  );
  if (account == null || amount == null || tickets == null || paymentId == null) return undefined;
  const method = await redis.hget(saleKeys.payment(saleId, paymentId), 'method');
  return {
    paymentId,
    accountId: Number(account),
    amount: Number(amount),
    ticketNumbers: tickets.split(',').map(Number),
    method: method ?? 'card',
    ...parseStoredEpoch(epoch),
  };
}
