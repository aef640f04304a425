import Fastify from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { FestApp } from './fest-app.ts';
import { registerHandlerDeadline } from './handler-deadline.ts';
import { registerProblemDetails } from './problem-details.ts';

let app: FestApp;
let address: string;
let handler: PromiseWithResolvers<object>;
beforeEach(async () => {
  handler = Promise.withResolvers();
  app = Fastify();
  registerProblemDetails(app);
  registerHandlerDeadline(app, 100);
  app.all('/stuck', () => handler.promise);
  app.all('/quick', async () => ({ said: 'at once' }));
  app.get('/begun', (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200).write('a part');
  });
  // A real connection: the trouble with bodies is in Node's streams.
  address = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => app.close());

const post = (path: string) =>
  fetch(`${address}${path}`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });

it.each([
  ['without a body', () => fetch(`${address}/stuck`)],
  ['with a body', () => post('/stuck')],
])('a request %s whose handler is stuck is answered', async (_, send) => {
  const answer = await send();
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(await answer.json()).toMatchObject({ code: 'overloaded', retryAfterMs: 1_000 });
});

it('a handler that comes to its end after that harms nobody', async () => {
  expect((await post('/stuck')).status).toBe(503);
  handler.resolve({ said: 'too late' });
  expect(await (await post('/quick')).json()).toEqual({ said: 'at once' });
});

it('an answer that stops in the middle is broken off', async () => {
  const answer = await fetch(`${address}/begun`);
  await expect(answer.text()).rejects.toThrow('terminated');
});
