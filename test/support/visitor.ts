/** Somebody with an account who talks to a test server, and the steps of a purchase. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '@fest/server/contract/problems';
import type { Hold, Order, Payment, QueuePosition, QueueTicket } from '@fest/server/contract/schemas';
import type { Role } from '@fest/server/contract/words';
import inject, { type InjectOptions } from 'light-my-request';
import type { ManualClock, TestApp } from './test-app.ts';

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** What the answer says when it is no refusal. */
  readonly body: Body;
  /** What it says when it is one. */
  readonly problem: Problem;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type CallMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** As `app.inject`, which begins behind the front door: here requests come in where those of the network do. */
export async function injectAtTheDoor({ app }: TestApp, options: InjectOptions) {
  await app.ready();
  return inject((request, response) => void app.server.emit('request', request, response), options);
}

/** A request to the API; `path` is relative to its prefix. */
export async function call<Body = unknown>(
  fest: TestApp,
  method: CallMethod,
  path: string,
  { body, headers }: CallOptions = {},
): Promise<Answer<Body>> {
  const answer = await injectAtTheDoor(fest, {
    method,
    url: `/api/v1${path}`,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
  const parsed: unknown = answer.body === '' ? undefined : answer.json();
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text: answer.body,
    body: parsed as Body,
    problem: parsed as Problem,
  };
}

/** Status and problem code of a refusal in one text, for short expectations. */
export function refusalOf({ status, problem }: Answer<unknown>): string {
  return status >= 400 ? `${status} ${problem.code}` : String(status);
}

export interface Visitor {
  readonly id: number;
  readonly token: string;
  call<Body = unknown>(method: CallMethod, path: string, options?: CallOptions): Promise<Answer<Body>>;
  join(saleId: number, headers?: Readonly<Record<string, string>>): Promise<Answer<QueueTicket>>;
  poll(saleId: number, queueToken: string): Promise<Answer<QueuePosition>>;
  hold(saleId: number, queueToken: string, quantity?: number): Promise<Answer<Hold>>;
  pay(holdId: string, headers?: Readonly<Record<string, string>>): Promise<Answer<Payment>>;
  payment(paymentId: string): Promise<Answer<Payment>>;
  order(orderId: string): Promise<Answer<Order>>;
  /** The same account at another server of the deployment. */
  at(fest: TestApp): Visitor;
}

function visitorOf(fest: TestApp, id: number, token: string): Visitor {
  const as: Visitor['call'] = (method, path, options = {}) =>
    call(fest, method, path, { ...options, headers: { authorization: `Bearer ${token}`, ...options.headers } });
  const queueToken = (text: string) => ({ 'queue-token': text });
  return {
    id,
    token,
    call: as,
    join: (saleId, headers = {}) => as('POST', `/sales/${saleId}/queue`, { headers }),
    poll: (saleId, text) => as('GET', `/sales/${saleId}/queue`, { headers: queueToken(text) }),
    hold: (saleId, text, quantity = 1) =>
      as('POST', `/sales/${saleId}/holds`, { headers: queueToken(text), body: { quantity } }),
    pay: (holdId, headers = {}) => as('POST', `/holds/${holdId}/payments`, { headers, body: { method: 'card' } }),
    payment: (paymentId) => as('GET', `/payments/${paymentId}`),
    order: (orderId) => as('GET', `/orders/${orderId}`),
    at: (other) => visitorOf(other, id, token),
  };
}

export async function newVisitor(fest: TestApp, ...roles: readonly Role[]): Promise<Visitor> {
  const { id, token } = await fest.createAccount(roles.length === 0 ? ['buyer'] : roles);
  return visitorOf(fest, id, token);
}

export async function newVisitors(fest: TestApp, count: number): Promise<readonly Visitor[]> {
  return Promise.all(Array.from({ length: count }, () => newVisitor(fest)));
}

/** Asks again until the answer fits; for what happens in the background. */
export async function until<Value>(
  ask: () => Promise<Value>,
  fits: (value: Value) => boolean,
  withinMs = 10_000,
): Promise<Value> {
  for (const deadlineMs = performance.now() + withinMs; ; await sleep(20)) {
    const value = await ask();
    if (fits(value)) return value;
    if (performance.now() > deadlineMs) throw new Error(`still ${JSON.stringify(value)} after ${withinMs} ms`);
  }
}

/** For servers built with `started: false` and a clock of the test: lets everybody in who waits and may be let in. */
export async function admitWaiting(fest: TestApp, clock: ManualClock, saleId: number): Promise<void> {
  await fest.core.live.refresh(saleId);
  // The first tick of a leader only notes the time; what the rate allows counts from there.
  await fest.core.ticker.tick(saleId);
  clock.advance(1_000);
  await fest.core.ticker.tick(saleId);
  await fest.core.live.refresh(saleId);
}

/** Joins and waits for the turn, on a server whose ticker runs. */
export async function enter(visitor: Visitor, saleId: number): Promise<string> {
  const joined = await visitor.join(saleId);
  if (joined.status !== 200) throw new Error(`could not join: ${joined.text}`);
  const { queueToken } = joined.body;
  await until(
    () => visitor.poll(saleId, queueToken),
    ({ body }) => body.admitted,
  );
  return queueToken;
}

export async function outcomeOf(visitor: Visitor, paymentId: string): Promise<Payment> {
  const settled = await until(
    () => visitor.payment(paymentId),
    ({ body }) => body.status !== 'pending',
  );
  return settled.body;
}

/** From the hold to the outcome of its payment. */
export async function buy(visitor: Visitor, saleId: number, queueToken: string, quantity = 1): Promise<Payment> {
  const hold = await visitor.hold(saleId, queueToken, quantity);
  if (hold.status !== 201) throw new Error(`no hold: ${hold.text}`);
  const payment = await visitor.pay(hold.body.holdId);
  if (payment.status !== 202) throw new Error(`no payment: ${payment.text}`);
  return outcomeOf(visitor, payment.body.paymentId);
}
