/** Handshakes over real connections, with a directory of sales that answers when the test wants it to. */
import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import Fastify from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { API_PREFIX } from '../../contract/paths.ts';
import { LIMITS } from '../../limits.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import { registerProblemDetails, sendProblem } from '../../platform/problem-details.ts';
import { RequestMeters } from '../../platform/request-meters.ts';
import type { SaleRecord } from '../catalogue/sale-record.ts';
import type { LiveSale, LiveSales } from '../stock/live-sales.ts';
import { asksForWebSocket } from './handshake.ts';
import { LiveBroadcast } from './live-broadcast.ts';
import { registerLiveRoutes } from './routes.ts';

const SALE = {
  saleId: 7,
  snapshot: { epoch: 1, seq: 1, servingNumber: 0, available: 5 },
  steps: [] as LiveSale['steps'],
  phase: 'open',
  readAtMs: 0,
} as LiveSale;

let app: FestApp;
let port: number;
let broadcast: LiveBroadcast;
let meters: RequestMeters;
/** URLs of the requests that reached Fastify. */
let routed: string[];
/** What the directory says when it is asked for a sale that is not followed. */
let found: PromiseWithResolvers<SaleRecord | undefined>;
let followed: boolean;
const opened: WebSocket[] = [];

beforeEach(async () => {
  found = Promise.withResolvers();
  followed = true;
  routed = [];
  meters = new RequestMeters();
  const states = { followed: new Set([7]), get: () => (followed ? SALE : undefined), onRead: () => undefined };
  const live = { get: states.get, load: async () => SALE } as unknown as LiveSales;
  const logger = pino({ level: 'silent' });
  broadcast = new LiveBroadcast({ states, seats: { sockets: 2, perAddress: 0 }, logger });
  app = Fastify({ frameworkErrors: sendProblem, http: { shouldUpgradeCallback: asksForWebSocket } });
  registerProblemDetails(app);
  app.addHook('onRequest', async ({ url }) => {
    routed.push(url);
  });
  const directory = { getSale: () => found.promise };
  const shedder = { turnsAway: () => false, takesIn: () => true };
  await app.register(async (api: FestApp) => registerLiveRoutes(api, { live, directory, broadcast, meters, shedder }), {
    prefix: API_PREFIX,
  });
  port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port);
});
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.terminate();
  await app.close();
});

async function connect(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${API_PREFIX}/sales/7/live`);
  opened.push(socket);
  await once(socket, 'message');
  return socket;
}

interface Refusal {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly problem: { readonly code: string; readonly instance: string; readonly retryAfterMs?: number };
}

/** Asks for a WebSocket and is refused. */
async function beRefused(path = '/sales/7/live', changes: Readonly<Record<string, string>> = {}): Promise<Refusal> {
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...changes,
  };
  const asked = request({ port, path: API_PREFIX + path, headers });
  asked.end();
  const [answer] = await once(asked, 'response');
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  return { status: answer.statusCode, headers: answer.headers, problem: JSON.parse(text) };
}

test('a handshake that waits for a store while the server begins to stop is refused, and holds nothing up', async () => {
  followed = false;
  const refused = beRefused();
  while (routed.length === 0) await new Promise(setImmediate);
  const beganMs = performance.now();
  const closed = app.close();
  while (broadcast.vacancy('') !== 'stopping') await new Promise(setImmediate);
  found.resolve({ id: 7 } as SaleRecord);
  expect(await refused).toMatchObject({ status: 503, problem: { code: 'overloaded', retryAfterMs: 1_000 } });
  await closed;
  expect(performance.now() - beganMs).toBeLessThan(LIMITS.liveCloseMs);
});

describe('when the server is full', () => {
  beforeEach(async () => {
    for (let count = 0; count < 2; count += 1) await connect();
    routed = [];
  });

  const answers = (): number =>
    [...meters.all()].find(({ route }) => route === '/api/v1/sales/:saleId/live')?.statuses.get(503) ?? 0;

  test('a handshake is refused before anything is made for it, and counted', async () => {
    const { status, headers, problem } = await beRefused();
    expect(status).toBe(503);
    expect(problem).toMatchObject({ code: 'overloaded', instance: `${API_PREFIX}/sales/7/live` });
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      connection: 'close',
      'retry-after': String(Math.ceil((problem.retryAfterMs ?? 0) / 1000)),
    });
    expect([routed, answers()]).toEqual([[], 1]);
  });

  test.each([
    ['another version', '/sales/7/live', { 'Sec-WebSocket-Version': '8' }, 'upgrade_required'],
    ['a bad key', '/sales/7/live', { 'Sec-WebSocket-Key': 'short' }, 'validation_failed'],
    ['a path that cannot be decoded', '/sales/%zz/live', {}, 'malformed_url'],
    ['a very long path', `/sales/${'1'.repeat(200)}/live`, {}, 'malformed_url'],
  ])('one with %s is refused by the route, for that', async (_, path, headers, code) => {
    expect((await beRefused(path, headers)).problem.code).toBe(code);
    expect(answers()).toBe(0);
  });

  test('one finds room when somebody has left', async () => {
    const [first] = opened;
    first?.close();
    while (broadcast.isFull) await new Promise(setImmediate);
    expect((await connect()).readyState).toBe(WebSocket.OPEN);
  });
});
