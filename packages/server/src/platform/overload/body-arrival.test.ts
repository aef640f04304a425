/** A real connection: what is tested is when a body is taken to be here. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify from 'fastify';
import { Registry } from 'prom-client';
import { afterEach, expect, it } from 'vitest';
import { LIMITS } from '../../limits.ts';
import type { FestApp } from '../fest-app.ts';
import { openFrontDoor } from '../front-door.ts';
import { registerProblemDetails } from '../problem-details.ts';
import { registerRequestMetrics } from '../request-metrics.ts';
import { watchBodies } from './body-arrival.ts';
import { LoadShedder } from './load-shedder.ts';

let app: FestApp;
afterEach(() => app.close());

const PATH = '/api/v1/holds/h/payments';

it('a payment whose body comes when others have taken all room is refused, and its handler does not run', async () => {
  const inFlightMax = { ...LIMITS.requestsInFlight, purchase: 1 };
  const shedder = new LoadShedder({ clocks: { nowMs: () => 0, cpuMs: () => 0 }, inFlightMax });
  const first = Promise.withResolvers<object>();
  let handled = 0;
  app = Fastify();
  registerProblemDetails(app);
  watchBodies(app, shedder);
  const meters = registerRequestMetrics(app, new Registry(), shedder);
  openFrontDoor(app, { meters, shedder, isLeaving: () => false });
  app.post(PATH, () => {
    handled += 1;
    return first.promise;
  });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(address).port) });
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk;
  });
  const headers = { authorization: 'Bearer x', 'content-type': 'application/json' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST ${PATH} HTTP/1.1\r\nHost: fest\r\n${lines.join('')}Content-Length: 2\r\n\r\n{`);
  while (shedder.arriving === 0) await sleep(5);

  const answer = fetch(address + PATH, { method: 'POST', headers, body: '{}' });
  while (handled === 0) await sleep(5);
  expect([shedder.arriving, shedder.inFlight('purchase')]).toEqual([1, 1]);
  socket.write('}');
  while (!text.includes('retryAfterMs')) await sleep(5);
  expect(text).toMatch(/^HTTP\/1\.1 503 .*Retry-After: [12]\r\n.*"code":"overloaded"/is);
  first.resolve({});
  expect((await answer).status).toBe(200);
  expect([handled, shedder.arriving, shedder.refused('purchase', 'full')]).toEqual([1, 0, 1]);
  while (shedder.inFlight('purchase') > 0) await sleep(5);
  // As what is refused before its body comes: who watches the route sees what was done, and what was not under its class.
  expect([...meters.all()].map(({ route, statuses }) => [route, ...statuses])).toEqual([
    ['refused', [503, 1]],
    [PATH, [200, 1]],
  ]);
  socket.destroy();
});
