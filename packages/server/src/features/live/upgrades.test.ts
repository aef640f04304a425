/** Real connections: what is tested is what Node does with a socket. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { LIMITS } from '../../limits.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import { LoadShedder } from '../../platform/overload/load-shedder.ts';
import { ProblemError } from '../../platform/problem.ts';
import { registerProblemDetails } from '../../platform/problem-details.ts';
import { RequestMeters } from '../../platform/request-meters.ts';
import { asksForWebSocket } from './handshake.ts';
import { Upgrades } from './upgrades.ts';

const LIVE = '/api/v1/sales/7/live';
const HANDSHAKE = [
  `GET ${LIVE} HTTP/1.1`,
  'Host: fest',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');

let app: FestApp;
afterEach(() => app?.close());

/** A server that refuses every handshake, and answers `/slow` after a while. */
async function refuseAll({ shouldUpgradeCallback = asksForWebSocket, join = 10 } = {}) {
  app = Fastify({ http: { shouldUpgradeCallback } });
  registerProblemDetails(app);
  const inFlightMax = { ...LIMITS.requestsInFlight, join };
  const shedder = new LoadShedder({ clocks: { nowMs: () => 0, cpuMs: () => 0 }, inFlightMax });
  const meters = new RequestMeters();
  const upgrades = new Upgrades(app, { answerAtOnce: () => undefined, shedder, meters });
  const closed: ServerResponse[] = [];
  app.addHook('onRequest', async (_request, { raw }) => {
    raw.once('close', () => closed.push(raw));
  });
  app.get('/slow', () => sleep(100, { said: 'late' }));
  app.get(LIVE, ({ raw }) => {
    if (upgrades.has(raw)) throw new ProblemError('overloaded', 'This server has no room.');
    throw new ProblemError('upgrade_required', 'Connect with a WebSocket.');
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return { closed, shedder, meters };
}

/** All that came until the server closed the connection, or `last` was there. */
async function exchange(bytes: string, last?: string): Promise<string> {
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const socket: Socket = connect(address.port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk;
    if (last !== undefined && text.includes(last)) socket.destroy();
  });
  socket.on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}

test('the answer to a refused handshake is closed, for what is held until then is let go only then', async () => {
  const { closed } = await refuseAll();
  const answers = await Promise.all(Array.from({ length: 5 }, () => exchange(HANDSHAKE)));
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 503 .*"overloaded"/s);
  // Each of them once.
  expect(closed).toHaveLength(5);
  expect(new Set(closed).size).toBe(5);
});

test('a handshake is under way like a join, and refused and counted like one when too many are', async () => {
  const open = await refuseAll();
  await exchange(HANDSHAKE);
  expect([open.shedder.servedShare('join'), open.shedder.inFlight('join')]).toEqual([1, 0]);
  expect([...open.meters.all()]).toEqual([]);
  await app.close();
  const { closed, shedder, meters } = await refuseAll({ join: 0 });
  expect(await exchange(HANDSHAKE)).toMatch(/^HTTP\/1\.1 503 .*"overloaded"/s);
  expect([shedder.refused('join', 'full'), closed.length]).toEqual([1, 0]);
  expect([...meters.all()].map(({ route, statuses }) => [route, ...statuses])).toEqual([['refused', [503, 1]]]);
});

test('a handshake behind a request that is still being answered does not take its answer away', async () => {
  await refuseAll();
  const text = await exchange(`GET /slow HTTP/1.1\r\nHost: fest\r\n\r\n${HANDSHAKE}`, '"upgrade_required"');
  expect(text).toMatch(/^HTTP\/1\.1 200 .*"late".*HTTP\/1\.1 426 .*"upgrade_required"/s);
});

test('a socket that belongs to another answer is given up, and the server lives', async () => {
  await refuseAll({ shouldUpgradeCallback: () => true });
  expect(await exchange(`GET /slow HTTP/1.1\r\nHost: fest\r\n\r\n${HANDSHAKE}`)).toBe('');
  expect((await app.inject('/slow')).statusCode).toBe(200);
});
