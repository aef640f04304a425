/** One buyer's way through the API, for tests that are about something else. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hold, Order, Payment } from '@fest/server/contract/schemas';
import type { TestApp, TestBuyer } from './test-app.ts';

export interface Answered<Body> {
  readonly status: number;
  readonly body: Body;
}

/** A request as a buyer; the body is parsed, whatever the status. */
export async function ask<Body = Record<string, unknown>>(
  server: TestApp,
  buyer: Pick<TestBuyer, 'token'>,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  { body, headers = {} }: { readonly body?: object; readonly headers?: Record<string, string> } = {},
): Promise<Answered<Body>> {
  const response = await server.app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { authorization: `Bearer ${buyer.token}`, ...headers },
    ...(body === undefined ? {} : { payload: body }),
  });
  return { status: response.statusCode, body: response.body === '' ? ({} as Body) : response.json() };
}

/** Joins and waits for the turn; returns the queue token. The ticker must be running. */
export async function admit(server: TestApp, buyer: TestBuyer, saleId: number): Promise<string> {
  const joined = await ask<{ queueToken: string }>(server, buyer, 'POST', `/sales/${saleId}/queue`);
  if (joined.status !== 200) throw new Error(`not joined: ${JSON.stringify(joined.body)}`);
  const headers = { 'queue-token': joined.body.queueToken };
  for (let tries = 0; tries < 100; tries += 1) {
    const { body } = await ask<{ admitted?: boolean }>(server, buyer, 'GET', `/sales/${saleId}/queue`, { headers });
    if (body.admitted === true) return joined.body.queueToken;
    await sleep(50);
  }
  throw new Error('the buyer was not admitted within 5 s');
}

export async function hold(server: TestApp, buyer: TestBuyer, saleId: number, quantity = 1): Promise<Hold> {
  const queueToken = await admit(server, buyer, saleId);
  const headers = { 'queue-token': queueToken };
  const held = await ask<Hold>(server, buyer, 'POST', `/sales/${saleId}/holds`, { body: { quantity }, headers });
  if (held.status !== 201) throw new Error(`not held: ${JSON.stringify(held.body)}`);
  return held.body;
}

/** Pays a hold and waits for the outcome. */
export async function pay(server: TestApp, buyer: TestBuyer, holdId: string): Promise<Payment> {
  const started = await ask<Payment>(server, buyer, 'POST', `/holds/${holdId}/payments`, { body: { method: 'card' } });
  if (started.status !== 202) throw new Error(`not paid: ${JSON.stringify(started.body)}`);
  return outcomeOf(server, buyer, started.body.paymentId);
}

export async function outcomeOf(
  server: TestApp,
  buyer: TestBuyer,
  paymentId: string,
  withinMs = 5_000,
): Promise<Payment> {
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; ) {
    const { body } = await ask<Payment>(server, buyer, 'GET', `/payments/${paymentId}`);
    if (body.status !== 'pending') return body;
    await sleep(25);
  }
  throw new Error(`payment ${paymentId} had no outcome within ${withinMs} ms`);
}

/** The whole way; returns the order as its buyer sees it. */
export async function buy(server: TestApp, buyer: TestBuyer, saleId: number, quantity = 1): Promise<Order> {
  const { holdId } = await hold(server, buyer, saleId, quantity);
  const payment = await pay(server, buyer, holdId);
  if (payment.status !== 'succeeded') throw new Error(`not bought: ${JSON.stringify(payment)}`);
  return (await ask<Order>(server, buyer, 'GET', `/orders/${payment.orderId}`)).body;
}

/** Repeats until the check gives true. */
export async function eventually(check: () => Promise<boolean>, what: string, withinMs = 10_000): Promise<void> {
  for (const deadline = performance.now() + withinMs; !(await check()); await sleep(50)) {
    if (performance.now() > deadline) throw new Error(`it did not happen within ${withinMs} ms: ${what}`);
  }
}
