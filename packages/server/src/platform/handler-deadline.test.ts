import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
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
  app.get('/ended', ({ raw }) => {
    raw.socket.end();
    return handler.promise;
  });
  app.get('/large', async () => ({ said: 'x'.repeat(50_000_000) }));
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

/** By a client that closes nothing and reads nothing, unless it is told to. */
function sendRaw(...paths: readonly string[]): Socket {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(address).port), allowHalfOpen: true });
  socket.on('error', () => undefined);
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: fest\r\n\r\n`).join(''));
  return socket;
}

const connections = (): Promise<number> =>
  new Promise((resolve, reject) => {
    app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });

it.each(['/ended', '/large'])('a connection over which no answer goes out any more is closed: %s', async (path) => {
  const closed = Promise.withResolvers<void>();
  app.server.once('connection', (accepted) => accepted.once('close', () => closed.resolve()));
  const socket = sendRaw(path);
  await closed.promise;
  expect(await connections()).toBe(0);
  socket.destroy();
});

it('an answer that waits for the one before it comes after it', async () => {
  const socket = sendRaw('/stuck', '/quick');
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk;
  });
  while (!text.includes('at once')) await sleep(10);
  expect(text).toMatch(/^HTTP\/1\.1 503 .*HTTP\/1\.1 200 .*at once/s);
  socket.destroy();
});
