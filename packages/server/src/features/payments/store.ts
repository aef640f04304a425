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
  returnTicketsScript,
} from '../../redis/scripts.ts';

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

/** An empty failure code frees the hold only: the payment's outcome is still to come. */
export function failPayment(
  redis: Redis,
  payment: Pick<PaymentIntent, 'saleId' | 'holdId' | 'paymentId'>,
  epoch: number,
  failureCode: string,
  nowMs: number,
) {
  const { saleId, holdId, paymentId } = payment;
  return failPaymentScript.run(
    redis,
    {
      sale: saleKeys.sale(saleId),
      hold: saleKeys.hold(saleId, holdId),
      payment: saleKeys.payment(saleId, paymentId),
      expiry: saleKeys.expiry(saleId),
      paying: saleKeys.paying(saleId),
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

/** Shows an outcome to the buyer; only after its record is durable. */
export function completePayment(
  redis: Redis,
  payment: Pick<PaymentIntent, 'saleId' | 'accountId' | 'holdId' | 'paymentId'>,
  outcome: PaymentOutcome,
) {
  const { saleId, accountId, holdId, paymentId } = payment;
  return completePaymentScript.run(
    redis,
    { payment: saleKeys.payment(saleId, paymentId), hold: saleKeys.hold(saleId, holdId) },
    {
      account: accountId,
      holdId,
      status: outcome.status,
      orderId: outcome.orderId ?? '',
      failureCode: outcome.failureCode ?? '',
      finishedTtlSeconds: LIMITS.finishedTtlSeconds,
    },
  );
}

export interface ReturnedTickets {
  readonly saleId: number;
  readonly accountId: number;
  readonly orderId: string;
  readonly ticketNumbers: readonly number[];
}

/** The tickets of a cancelled order go back to stock. The order's id stands in for its hold: it remembers the return. */
export function returnTickets(redis: Redis, order: ReturnedTickets, epoch: number) {
  const { saleId, accountId, orderId, ticketNumbers } = order;
  return returnTicketsScript.run(
    redis,
    {
      sale: saleKeys.sale(saleId),
      released: saleKeys.released(saleId),
      bought: saleKeys.bought(saleId),
      hold: saleKeys.hold(saleId, orderId),
    },
    {
      epoch,
      account: accountId,
      orderId,
      tickets: ticketNumbers.join(','),
      finishedTtlSeconds: LIMITS.finishedTtlSeconds,
    },
  );
}

export interface StoredPayment extends PaymentOutcome {
  readonly accountId: number;
}

export interface LivePayment extends StoredPayment {
  /** Of the sale's state when it was begun. */
  readonly epoch: number;
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
    epoch: parseStoredEpoch(epoch).epoch,
    startedAtMs: Number(startedAtMs ?? 0),
    holdId: holdId ?? '',
    ...(orderId == null ? {} : { orderId }),
    ...(failureCode == null ? {} : { failureCode }),
  };
}

/** A payment as the archive knows it. */
export async function findArchivedPayment(pool: MysqlPool, paymentId: string): Promise<StoredPayment | undefined> {
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
    };
  }
  const [payment] = await selectRows<{ account_id: number; status: PaymentStatus; failure_code: string | null }>(
    pool,
    'SELECT account_id, status, failure_code FROM payments WHERE payment_id = ?',
    [paymentId],
  );
  if (payment === undefined) return undefined;
  const { account_id: accountId, status, failure_code: failureCode } = payment;
  // A payment whose order MySQL refused: the order is in a log all the same, and its buyer was told so.
  if (status === 'succeeded') return { accountId, status, orderId: orderIdOf(paymentId) };
  // The reason of a refund that is under way is told when it is done.
  return { accountId, status, ...(failureCode === null || status === 'pending' ? {} : { failureCode }) };
}

export interface PayingHold {
  readonly holdId: string;
  readonly paymentId: string;
  /** The log of the server that works on it. */
  readonly logId: string;
}

/** Holds whose payment began before a time, oldest first. */
export async function listPayingHolds(
  redis: Redis,
  saleId: number,
  beforeMs: number,
  atMost: number,
): Promise<readonly PayingHold[]> {
  const holdIds = await redis.zrange(saleKeys.paying(saleId), '-inf', String(beforeMs), 'BYSCORE', 'LIMIT', 0, atMost);
  const paying: PayingHold[] = [];
  for (const holdId of holdIds) {
    const paymentId = await redis.hget(saleKeys.hold(saleId, holdId), 'paymentId');
    if (paymentId === null) continue;
    const logId = await redis.hget(saleKeys.payment(saleId, paymentId), 'logId');
    paying.push({ holdId, paymentId, logId: logId ?? '' });
  }
  return paying;
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
