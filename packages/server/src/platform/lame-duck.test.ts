import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { stopListening, untilConnectionsEnd } from './lame-duck.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer((_request, response) => response.end('here'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  open.push({ close: () => server.closeAllConnections() });
  return { server, port: address.port };
}

async function connection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  open.push({ close: () => socket.destroy() });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function ask(socket: Socket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const [answer] = await once(socket, 'data');
  return String(answer);
}

const never = new AbortController().signal;

test('a server that stops listening takes no new connection, and answers on those it has, however idle they were', async () => {
  const { server, port } = await listen();
  const socket = await connection(port);
  await ask(socket);
  await sleep(50);
  stopListening(server);
  await sleep(50);
  expect(await ask(socket)).toContain('here');
  const late = connect(port, '127.0.0.1');
  const [error] = await once(late, 'error');
  expect(error.code).toBe('ECONNREFUSED');
});

test('it can be closed in the usual way afterwards', async () => {
  const { server, port } = await listen();
  const socket = await connection(port);
  await ask(socket);
  stopListening(server);
  const closed = new Promise((resolve) => server.close(resolve));
  await closed;
  expect(server.listening).toBe(false);
});

test('the wait ends when the connections have ended', async () => {
  const { server, port } = await listen();
  const socket = await connection(port);
  await ask(socket);
  setTimeout(() => socket.destroy(), 60);
  const beganMs = performance.now();
  expect(await untilConnectionsEnd(server, { lasting: () => 0, withinMs: 5_000, signal: never })).toBe(0);
  expect(performance.now() - beganMs).toBeLessThan(4_000);
});

test('the wait ends when its time is over, or nobody has time, and says how many were left', async () => {
  const { server, port } = await listen();
  for (let count = 0; count < 3; count += 1) await ask(await connection(port));
  expect(await untilConnectionsEnd(server, { lasting: () => 0, withinMs: 50, signal: never })).toBe(3);
  expect(await untilConnectionsEnd(server, { lasting: () => 0, withinMs: 60_000, signal: AbortSignal.abort() })).toBe(
    3,
  );
});

test('connections that do not end by an answer are not waited for', async () => {
  const { server, port } = await listen();
  await ask(await connection(port));
  expect(await untilConnectionsEnd(server, { lasting: () => 1, withinMs: 60_000, signal: never })).toBe(0);
});
