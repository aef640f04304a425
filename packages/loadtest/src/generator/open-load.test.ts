import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type OpenLoadOptions, runOpenLoad } from './open-load.ts';
import { Visitor } from './visitors.ts';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A sale that answers everything after a while. */
async function listen(delayMs: number, refuse: (count: number) => boolean = () => false): Promise<number> {
  let count = 0;
  server = createServer((request, response) => {
    const { method, url = '' } = request;
    request.resume();
    const isRefused = refuse(count++);
    const [status, body] = isRefused
      ? [503, { code: 'overloaded', retryAfterMs: 20 }]
      : url.endsWith('/queue')
        ? [200, { queueToken: 'place', admitted: true, pollAfterMs: 10 }]
        : url.endsWith('/holds')
          ? [201, { holdId: 'hold' }]
          : method === 'POST'
            ? [202, { paymentId: 'payment', status: 'pending', pollAfterMs: 10 }]
            : [200, { status: 'succeeded' }];
    const text = JSON.stringify(body);
    setTimeout(() => {
      response.writeHead(Number(status), { 'content-length': text.length });
      response.end(text);
    }, delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const options = (port: number): OpenLoadOptions => ({
  host: '127.0.0.1',
  port,
  arrivalsPerSecond: 100,
  leadInMs: 400,
  measuredMs: 1_000,
  connections: 100,
  visitorOf: () => new Visitor({ saleId: 7, token: 'access', shows: true }),
  onWindow: () => undefined,
  random: Math.random,
});

it('people come at their own rate and buy, and every request is counted', async () => {
  const edges: string[] = [];
  const port = await listen(5);
  const result = await runOpenLoad({ ...options(port), onWindow: (edge) => edges.push(edge) });
  expect(edges).toEqual(['begin', 'end']);
  expect(result.faults).toEqual([]);
  // A hundred are expected, give or take ten; on a busy machine the edges of the window are late.
  expect(result.arrivals).toBeGreaterThan(50);
  expect(result.arrivals).toBeLessThan(200);
  expect(result.orders).toBeGreaterThan(5);
  expect(result.kinds.hold.statuses[201]).toBeGreaterThan(0);
  expect(Math.min(...result.kinds.hold.latenciesMs)).toBeGreaterThanOrEqual(4);
});

it('a server that is too slow for its connections makes requests late, and none is forgotten', async () => {
  const port = await listen(100);
  const { kinds, unsent } = await runOpenLoad({ ...options(port), connections: 4 });
  expect(unsent).toBeGreaterThan(10);
  // From when they were due: far longer than the answer itself took.
  expect(Math.max(...kinds.join.latenciesMs)).toBeGreaterThan(300);
});

it('the refused come again after what they were told', async () => {
  const port = await listen(1, (count) => count % 2 === 0);
  const { kinds, orders, faults } = await runOpenLoad(options(port));
  expect(faults).toEqual([]);
  expect(kinds.join.statuses[503]).toBeGreaterThan(5);
  expect(orders).toBeGreaterThan(5);
});

it('says so when there is nobody left to come', async () => {
  const port = await listen(1);
  const visitor = new Visitor({ saleId: 7, token: 'access', shows: true });
  const { faults } = await runOpenLoad({ ...options(port), visitorOf: (index) => (index < 3 ? visitor : undefined) });
  expect(faults.join()).toContain('not enough accounts');
});
