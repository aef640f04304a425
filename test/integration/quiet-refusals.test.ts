/** A crowd that is refused, or somebody who sends garbage in a loop, must not fill the log: what is refused with 4xx leaves no line. */
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { exchange, listen, parseAnswer } from '../support/raw-http.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';
import { newVisitor, type Visitor } from '../support/visitor.ts';
import { withoutMysql } from '../support/without-mysql.ts';

let fest: TestApp;
let port: number;
let saleId: number;
let buyer: Visitor;
let lines: string[] = [];
beforeAll(async () => {
  fest = await buildTestApp({
    started: false,
    config: { logLevel: 'trace', joinsPerAccount: 3 },
    logTo: { write: (line) => void lines.push(line) },
  });
  port = await listen(fest);
  saleId = (await fest.createSale({ opened: false })).id;
  buyer = await newVisitor(fest);
});
afterAll(() => fest?.close());

const api = (path: string) => `/api/v1${path}`;
const post = (path: string, body: string, headers: Record<string, string> = {}) => ({
  method: 'POST' as const,
  url: api(path),
  headers: { 'content-type': 'application/json', authorization: `Bearer ${buyer.token}`, ...headers },
  payload: body,
});

const REFUSED: readonly (readonly [string, number, () => Promise<number>])[] = [
  ['a body that is none', 400, () => statusOf(post('/sessions', '{'))],
  ['a body with a field that is missing', 400, () => statusOf(post('/sessions', '{"email":"a@example.org"}'))],
  ['a query that nobody knows', 400, () => statusOf({ url: api('/festivals?nobody=1') })],
  ['a malformed path', 400, () => statusOf({ url: api('/%zz') })],
  ['nobody at all', 401, () => statusOf({ url: api('/me') })],
  ['a forged token', 401, () => statusOf({ url: api('/me'), headers: { authorization: 'Bearer x.y.z' } })],
  ['a queue token that is garbage', 401, () => polled('A'.repeat(50))],
  ['a role that does not fit', 403, () => statusOf(post(`/sales/${saleId}/open`, ''))],
  ['a path that nobody knows', 404, () => statusOf({ url: '/nowhere' })],
  ['a sale that does not exist', 404, () => statusOf({ url: api('/sales/4000000000') })],
  ['a method that the path does not take', 405, () => statusOf({ method: 'PUT', url: api('/festivals') })],
  ['a sale that is not open', 409, async () => (await buyer.join(saleId)).status],
  ['a body that is too large', 413, () => statusOf(post('/sessions', `"${'x'.repeat(40_000)}"`))],
  ['a body of another kind', 415, () => statusOf(post('/sessions', 'x', { 'content-type': 'text/plain' }))],
  ['an account that asks too often', 429, joinTooOften],
  ['headers that are too large', 431, () => sent(`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)],
  ['bytes that are no request', 400, () => sent('HELO fest\r\n\r\n')],
];

async function statusOf(request: InjectOptions): Promise<number> {
  return (await fest.app.inject(request)).statusCode;
}

async function polled(queueToken: string): Promise<number> {
  return sent(
    `GET ${api(`/sales/${saleId}/queue`)} HTTP/1.1\r\nHost: fest\r\nQueue-Token: ${queueToken}\r\nConnection: close\r\n\r\n`,
  );
}

async function sent(request: string): Promise<number> {
  return parseAnswer(await exchange(port, request)).status;
}

async function joinTooOften(): Promise<number> {
  const { token } = await newVisitor(fest);
  const join = {
    method: 'POST' as const,
    url: api(`/sales/${saleId}/queue`),
    headers: { authorization: `Bearer ${token}` },
  };
  for (let times = 0; times < 10; times += 1) {
    const status = await statusOf(join);
    if (status === 429) return status;
  }
  return 0;
}

integration('the log', () => {
  test.each(REFUSED)('says nothing of %s (%i)', async (_, status, refuse) => {
    lines = [];
    expect(await refuse()).toBe(status);
    expect(lines).toEqual([]);
  });

  test('says what a store has refused', async () => {
    lines = [];
    expect(await withoutMysql(fest, () => statusOf({ url: api('/festivals?limit=7') }))).toBe(503);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 'warn', code: 'store_unavailable' }]);
  });
});
