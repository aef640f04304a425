/** One purchase as its trace tells it, under the id that the load balancer gave it; and the ids alone, without traces. */
import { randomBytes } from 'node:crypto';
import { LIMITS } from '@fest/server/limits';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { admit, eventually, outcomeOf } from '../support/purchase.ts';
import { listen } from '../support/raw-http.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';
import { type CollectedSpan, startTraceCollector, type TraceCollector } from '../support/trace-collector.ts';
import { withoutMysql } from '../support/without-mysql.ts';

let collector: TraceCollector;
let fest: TestApp;
let plain: TestApp;
let url: string;
let plainUrl: string;
let saleId: number;
let lines: string[] = [];

beforeAll(async () => {
  collector = await startTraceCollector();
  fest = await buildTestApp({
    config: { tracesUrl: collector.url, tracesShare: 1, logLevel: 'warn' },
    logTo: { write: (line) => void lines.push(line) },
  });
  plain = await buildTestApp({ besides: fest });
  url = `http://127.0.0.1:${await listen(fest)}`;
  plainUrl = `http://127.0.0.1:${await listen(plain)}`;
  saleId = (await fest.createSale({ capacity: 100 })).id;
});
afterAll(async () => {
  await plain?.close();
  await fest?.close();
  await collector?.close();
});

async function post(path: string, token: string, headers: Record<string, string>, body?: object): Promise<Response> {
  return fetch(`${url}/api/v1${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      ...headers,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** The spans of the trace that a request with this id began, once they are all there. */
async function traceOf(requestId: string, names: readonly string[]): Promise<readonly CollectedSpan[]> {
  const spans = (): readonly CollectedSpan[] => {
    const root = collector.spans.find(({ attributes }) => attributes['fest.request.id'] === requestId);
    return collector.spans.filter(({ traceId }) => traceId === root?.traceId);
  };
  await eventually(async () => names.every((name) => spans().some((span) => span.name === name)), names.join(', '));
  return spans();
}

integration('a purchase', () => {
  test('is one trace, from the answer to the durable order, under the id of the load balancer', async () => {
    const buyer = await fest.createAccount();
    const queueToken = await admit(fest, buyer, saleId);
    const held = await post(`/sales/${saleId}/holds`, buyer.token, { 'queue-token': queueToken }, { quantity: 1 });
    const { holdId } = (await held.json()) as { holdId: string };
    const paid = await post(`/holds/${holdId}/payments`, buyer.token, { 'x-request-id': 'lb-42' }, { method: 'card' });
    expect(paid.headers.get('x-request-id')).toBe('lb-42');
    const { paymentId } = (await paid.json()) as { paymentId: string };
    expect((await outcomeOf(fest, buyer, paymentId)).status).toBe('succeeded');

    const steps = ['redis begin-payment', 'order-log append', 'gateway charge', 'redis confirm-payment'];
    const spans = await traceOf('lb-42', [...steps, 'redis complete-payment']);
    const [root, ...others] = spans.filter(({ parentSpanId }) => parentSpanId === undefined || parentSpanId === '');
    expect(others).toEqual([]);
    expect(root).toMatchObject({
      name: 'POST /api/v1/holds/:holdId/payments',
      attributes: { 'http.response.status_code': 202, 'http.request.method': 'POST' },
      resource: { 'service.name': 'fest', 'service.instance.id': 'server-1' },
    });
    const children = spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId);
    expect(children.map(({ name }) => name)).toEqual(expect.arrayContaining(steps));
    // The intent, and the order.
    const appended = children.filter(({ name }) => name === 'order-log append');
    expect(appended.map(({ attributes }) => attributes['fest.record.type'])).toEqual(['paymentIntent', 'orderPaid']);
    expect(spans.every(({ durationMs, failed }) => durationMs >= 0 && !failed)).toBe(true);
  });

  test('goes on with the trace of a proxy in front', async () => {
    const buyer = await fest.createAccount();
    const traceId = randomBytes(16).toString('hex');
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, 'x-request-id': 'from-proxy' };
    expect((await post(`/sales/${saleId}/queue`, buyer.token, headers)).status).toBe(200);
    const spans = await traceOf('from-proxy', ['redis join-queue']);
    expect(spans.every((span) => span.traceId === traceId)).toBe(true);
    expect(spans.find(({ name }) => name.startsWith('POST'))?.parentSpanId).toBe('00f067aa0ba902b7');
  });
});

integration('what a store refuses', () => {
  test('has the id of its answer in the document, in the log and in the trace', async () => {
    lines = [];
    const headers = { 'x-request-id': 'refused-1' };
    const answer = await withoutMysql(fest, () => fetch(`${url}/api/v1/festivals?limit=9`, { headers }));
    expect([answer.status, answer.headers.get('x-request-id')]).toEqual([503, 'refused-1']);
    expect(await answer.json()).toMatchObject({ code: 'store_unavailable', requestId: 'refused-1' });
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([{ level: 'warn', reqId: 'refused-1' }]);
    const spans = await traceOf('refused-1', ['mysql', 'GET /api/v1/festivals']);
    expect(spans.filter(({ failed }) => failed).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['mysql', 'GET /api/v1/festivals']),
    );
  });

  test('has no value of a statement in its trace', async () => {
    const email = 'nobody@example.org';
    await fetch(`${url}/api/v1/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'login-1' },
      body: JSON.stringify({ email, password: 'not the password' }),
    });
    const spans = await traceOf('login-1', ['mysql']);
    expect(spans.find(({ name }) => name === 'mysql')?.attributes['db.query.text']).toContain('?');
    expect(JSON.stringify(spans)).not.toContain(email);
  });
});

integration('without traces', () => {
  test('answers have their ids all the same, and nothing is sent', async () => {
    const before = collector.spans.length;
    const buyer = await plain.createAccount();
    const join = (headers: Record<string, string>) =>
      fetch(`${plainUrl}/api/v1/sales/${saleId}/queue`, {
        method: 'POST',
        headers: { authorization: `Bearer ${buyer.token}`, ...headers },
      });
    expect((await join({ 'x-request-id': 'lb-7' })).headers.get('x-request-id')).toBe('lb-7');
    const own = (await join({})).headers.get('x-request-id');
    expect(own).toMatch(/^[\w-]{8,}$/);
    expect((await fetch(`${plainUrl}/api/v1/festivals`)).headers.get('x-request-id')).not.toBe(own);
    expect((await fetch(`${plainUrl}/nowhere`)).headers.get('x-request-id')).toMatch(/^[\w-]{8,}$/);
    expect((await fetch(`${plainUrl}/%zz`)).headers.get('x-request-id')).toMatch(/^[\w-]{8,}$/);
    expect(collector.spans.filter(({ resource }) => resource['service.instance.id'] === 'server-2')).toEqual([]);
    expect(collector.spans.length).toBeGreaterThanOrEqual(before);
  });
});

integration('a collector that is away', () => {
  test('costs a line of the log, and no request', async () => {
    const messages: string[] = [];
    const alone = await buildTestApp({
      besides: fest,
      serverName: 'server-3',
      config: { tracesUrl: 'http://127.0.0.1:1/v1/traces', tracesShare: 1, logLevel: 'warn' },
      logTo: { write: (line) => void messages.push(String((JSON.parse(line) as { msg: string }).msg)) },
    });
    expect((await alone.app.inject('/api/v1/festivals')).statusCode).toBe(200);
    const began = performance.now();
    await alone.close();
    expect(performance.now() - began).toBeLessThan(LIMITS.traceExportMs + 5_000);
    expect(messages.filter((message) => /trace/.test(message)).length).toBeGreaterThan(0);
  });
});
