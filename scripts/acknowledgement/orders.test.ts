/** The load against a server that stalls, refuses and forgets: what it must not hide. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Servers } from '@fest/loadtest/buyers/servers';
import { afterEach, expect, test } from 'vitest';
import { type MeasuredOrder, payAtConstantRate } from './orders.ts';

const GATEWAY_MS = 20;
let server: Server | undefined;
let servers: Servers | undefined;

afterEach(async () => {
  await servers?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
});

interface Answering {
  /** The i-th payment waits for this, from 0. */
  readonly beforeAnswer?: (index: number) => Promise<unknown>;
  readonly status?: (index: number) => number;
  /** What the polls of a payment say, one after the other; the last one for ever. */
  readonly polls?: readonly (string | number)[];
}

async function run(answering: Answering, { count = 20, perSecond = 200 } = {}): Promise<readonly MeasuredOrder[]> {
  const payments = new Map<string, { polls: number }>();
  server = createServer(async (request, response) => {
    const send = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.method === 'POST') {
      const index = payments.size;
      const paymentId = `p${index}`;
      payments.set(paymentId, { polls: 0 });
      await answering.beforeAnswer?.(index);
      const status = answering.status?.(index) ?? 202;
      return send(status, status === 202 ? { paymentId, status: 'pending' } : { code: 'overloaded' });
    }
    const payment = payments.get(request.url?.split('/').at(-1) ?? '');
    if (payment === undefined) return send(404, { code: 'not_found' });
    const said = answering.polls?.[Math.min(payment.polls, answering.polls.length - 1)] ?? 'succeeded';
    payment.polls += 1;
    if (typeof said === 'number') return send(said, { code: 'overloaded' });
    return send(200, { paymentId: 'p', status: said });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  servers = new Servers([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]);
  const holds = Array.from({ length: count }, (_, index) => ({ holdId: `h${index}`, token: 't' }));
  return payAtConstantRate({ servers, holds, perSecond, gatewayMs: GATEWAY_MS, signal: new AbortController().signal });
}

const spent = (order: MeasuredOrder): number => (order.answeredAt ?? Number.NaN) - order.dueAt;

test('orders are due at a constant rate and never sent before', async () => {
  const orders = await run({});
  const first = orders[0]?.dueAt ?? 0;
  for (const [index, { dueAt, sentAt }] of orders.entries()) {
    expect(dueAt - first).toBeCloseTo(index * 5, 6);
    expect(sentAt).toBeGreaterThanOrEqual(dueAt);
  }
});

test('a server that stalls does not slow the orders down, and every one of them shows the stall', async () => {
  const count = 20;
  let allCame = (): void => undefined;
  const stall = new Promise<void>((resolve) => {
    allCame = resolve;
  });
  const beforeAnswer = (index: number): Promise<void> => {
    if (index === count - 1) allCame();
    return stall;
  };
  const orders = await run({ beforeAnswer }, { count, perSecond: 200 });
  const [first, last] = [orders[0], orders.at(-1)];
  if (first === undefined || last === undefined) throw new Error('there are orders');
  expect(last.sentAt).toBeLessThan(first.answeredAt ?? 0);
  expect(spent(first)).toBeGreaterThan(last.dueAt - first.dueAt);
});

test('a generator that stalls counts against the orders that were due meanwhile', async () => {
  const beforeAnswer = async (index: number): Promise<void> => {
    // The server is in this process, so both stand still.
    for (const until = performance.now() + (index === 2 ? 80 : 0); performance.now() < until; );
  };
  const orders = await run({ beforeAnswer });
  const late = orders.filter(({ sentAt, dueAt }) => sentAt - dueAt > 20);
  expect(late.length).toBeGreaterThan(5);
  for (const order of late) expect(spent(order)).toBeGreaterThan(20);
});

test('an order is acknowledged when the first poll says so, and it is known how exactly', async () => {
  const orders = await run({ polls: ['pending', 'pending', 'succeeded'] }, { count: 10 });
  for (const order of orders) {
    if (!('acknowledgedAt' in order)) throw new Error(order.reason);
    const waitedMs = order.acknowledgedAt - order.answeredAt;
    expect(order.polls).toBe(3);
    // The first poll came when the gateway was about to answer, and the last one that said "pending" after that.
    expect(waitedMs - order.resolutionMs).toBeGreaterThanOrEqual(GATEWAY_MS - 1);
  }
});

test('a poll that is refused is repeated', async () => {
  const orders = await run({ polls: ['pending', 503, 'succeeded'] }, { count: 2 });
  expect(orders.map((order) => 'polls' in order && order.polls)).toEqual([3, 3]);
});

test.each([
  ['a payment that is refused', { status: () => 503 }, 'payment: 503 overloaded'],
  ['a payment that fails', { polls: ['pending', 'failed'] }, 'the payment is failed'],
  ['a payment nobody knows', { polls: [404] }, 'poll: 404 overloaded'],
])('%s is kept as failed', async (_, answering, reason) => {
  expect(await run(answering, { count: 1 })).toMatchObject([{ reason }]);
});

test('an interrupted run fails instead of reporting half of it', async () => {
  const aborted = AbortSignal.abort(new Error('Ctrl-C'));
  servers = new Servers(['http://127.0.0.1:1']);
  const holds = [{ holdId: 'h', token: 't' }];
  const paying = payAtConstantRate({ servers, holds, perSecond: 1, gatewayMs: GATEWAY_MS, signal: aborted });
  await expect(paying).rejects.toThrow('Ctrl-C');
});
