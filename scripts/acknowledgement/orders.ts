/**
 * Orders at a constant rate, whatever the server does ("open load"). Every time counts from when the order was due, not from when
 * it was sent: a server that stalls, or a generator that is late, cannot hide the orders that had to wait for it.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Servers } from '@fest/loadtest/buyers/servers';
import { IDEMPOTENCY_KEY_HEADER, pathOf } from '@fest/server/contract/paths';
import type { Payment } from '@fest/server/contract/schemas';

/** A hold that can be paid, and its buyer's access token. */
export interface PreparedHold {
  readonly holdId: string;
  readonly token: string;
}

/** All times are `performance.now()` of this process, milliseconds. */
export interface OrderTimes {
  /** When the payment was to be sent. */
  readonly dueAt: number;
  readonly sentAt: number;
  /** When 202 had arrived: the intent is durable. */
  readonly answeredAt: number;
  /** When the first answer had arrived that said `succeeded`: the order is durable. */
  readonly acknowledgedAt: number;
  readonly polls: number;
  /**
   * How exactly `acknowledgedAt` is known: from sending the last poll that said `pending` (or, without one, from 202) to
   * `acknowledgedAt`. The order became visible within this time.
   */
  readonly resolutionMs: number;
}

export interface FailedOrder {
  readonly dueAt: number;
  readonly sentAt: number;
  /** Undefined: the payment was never accepted. */
  readonly answeredAt: number | undefined;
  /** What came instead. */
  readonly reason: string;
}

export type MeasuredOrder = OrderTimes | FailedOrder;

export interface OrderLoad {
  readonly servers: Servers;
  readonly holds: readonly PreparedHold[];
  readonly perSecond: number;
  readonly gatewayMs: number;
  readonly signal: AbortSignal;
}

const POLLS = {
  /** From one poll's sending to the next one's, when the answer does not take longer. */
  everyMs: 2,
  /** The first poll comes this much before the gateway can have answered; the timer is late by up to a millisecond itself. */
  beforeGatewayMs: 1,
  /** After a refusal ("busy"). */
  afterRefusalMs: 50,
} as const;

/** An order that is not acknowledged by then counts as failed. */
const PATIENCE_MS = 15_000;

/** Pays every hold, the i-th i/perSecond seconds after now, and follows each to its end. In the order in which they were due. */
export async function payAtConstantRate(load: OrderLoad): Promise<readonly MeasuredOrder[]> {
  const startAt = performance.now();
  const orders: Array<Promise<MeasuredOrder>> = [];
  for (const [index, hold] of load.holds.entries()) {
    const dueAt = startAt + (index * 1_000) / load.perSecond;
    // Those that are overdue are sent at once.
    await waitUntil(dueAt, load.signal);
    if (load.signal.aborted) break;
    orders.push(follow(load, hold, dueAt));
  }
  const measured = await Promise.all(orders);
  load.signal.throwIfAborted();
  return measured;
}

/**
 * Never too early: timers count whole milliseconds from when the event loop last looked at the clock, and an order that is sent
 * before it is due has a head start. Ends early, without failing, when the signal is aborted.
 */
async function waitUntil(at: number, signal: AbortSignal): Promise<void> {
  for (let waitMs = at - performance.now(); waitMs > 0 && !signal.aborted; waitMs = at - performance.now()) {
    await sleep(Math.ceil(waitMs), undefined, { signal }).catch(() => undefined);
  }
}

async function follow(load: OrderLoad, { holdId, token }: PreparedHold, dueAt: number): Promise<MeasuredOrder> {
  const headers = { authorization: `Bearer ${token}` };
  const sentAt = performance.now();
  const started = await load.servers.send(0, {
    method: 'POST',
    path: pathOf('holdPayments', { holdId }),
    headers: { ...headers, [IDEMPOTENCY_KEY_HEADER]: randomUUID() },
    body: { method: 'card' },
  });
  const answeredAt = performance.now();
  if (started.status !== 202) {
    return { dueAt, sentAt, answeredAt: undefined, reason: `payment: ${started.status} ${started.code ?? ''}` };
  }
  const { paymentId } = started.body as Payment;
  const outcome = await pollUntilAcknowledged(load, { path: pathOf('payment', { paymentId }), headers, answeredAt });
  return { dueAt, sentAt, answeredAt, ...outcome };
}

interface Followed {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly answeredAt: number;
}

async function pollUntilAcknowledged(
  { servers, gatewayMs, signal }: OrderLoad,
  { path, headers, answeredAt }: Followed,
): Promise<Pick<OrderTimes, 'acknowledgedAt' | 'polls' | 'resolutionMs'> | Pick<FailedOrder, 'reason'>> {
  let pendingSince = answeredAt;
  let nextAt = answeredAt + gatewayMs - POLLS.beforeGatewayMs;
  for (let polls = 1; ; polls += 1) {
    await waitUntil(nextAt, signal);
    if (signal.aborted) return { reason: 'interrupted' };
    const pollSentAt = performance.now();
    const said = readPoll(await servers.send(0, { method: 'GET', path, headers }));
    const nowAt = performance.now();
    if (said === 'succeeded') return { acknowledgedAt: nowAt, polls, resolutionMs: nowAt - pendingSince };
    if (typeof said === 'object') return said;
    if (nowAt - answeredAt > PATIENCE_MS) return { reason: `not acknowledged within ${PATIENCE_MS / 1_000} s` };
    if (said === 'pending') pendingSince = pollSentAt;
    nextAt = said === 'pending' ? pollSentAt + POLLS.everyMs : nowAt + POLLS.afterRefusalMs;
  }
}

function readPoll(answer: Answer): 'succeeded' | 'pending' | 'busy' | Pick<FailedOrder, 'reason'> {
  if (answer.status === 503) return 'busy';
  if (answer.status !== 200) return { reason: `poll: ${answer.status} ${answer.code ?? ''}` };
  const { status } = answer.body as Payment;
  return status === 'succeeded' || status === 'pending' ? status : { reason: `the payment is ${status}` };
}
