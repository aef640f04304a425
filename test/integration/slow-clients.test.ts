/** Clients that are slow, silent, or too many: they lose their connections, and nobody else notices. */
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '@fest/server/limits';
import { connectionsFor } from '@fest/server/platform/overload/connections';
import type { LoadShedder } from '@fest/server/platform/overload/load-shedder';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { isComplete, listen, openConnection, parseAnswer } from '../support/raw-http.ts';
import { buildTestApp, calmShedder, type TestApp } from '../support/test-app.ts';
import { until } from '../support/visitor.ts';

const SLOW = 300;
const SILENT = 200;
const BOMBS = 100;
/** Bounds that are reached without thousands of clients; those of each class are lower than `DRIPPING`. */
const DRIPPING = 60;
const IN_FLIGHT = 20;
const ARRIVING = 100;
const REQUEST_TIMEOUT_MS = LIMITS.requestTimeoutMs;
/** One answer beside them: a machine that is busy with other tests is no failure, waiting for the slow ones is. */
const PROMPT_MS = 3_000;

let shedder: LoadShedder;
let fest: TestApp;
let port: number;
let clients: Client[] = [];

beforeEach(async () => {
  const inFlightMax = { ...LIMITS.requestsInFlight, join: IN_FLIGHT, purchase: IN_FLIGHT };
  shedder = calmShedder({ inFlightMax, arrivingMax: ARRIVING });
  fest = await buildTestApp({ loadShedder: shedder });
  port = await listen(fest);
});
afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  clients = [];
  await fest?.close();
});

interface Client {
  readonly socket: Socket;
  text: string;
  closedAtMs: number | undefined;
}

function openClient(allowHalfOpen = false): Client {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen });
  const client: Client = { socket, text: '', closedAtMs: undefined };
  client.socket.setEncoding('latin1');
  client.socket.on('data', (chunk: string) => {
    client.text += chunk;
  });
  client.socket.on('error', () => undefined);
  client.socket.on('close', () => {
    client.closedAtMs = performance.now();
  });
  clients.push(client);
  return client;
}

const openClients = (count: number): readonly Client[] => Array.from({ length: count }, () => openClient());

function connections(): Promise<number> {
  return new Promise((resolve, reject) => {
    fest.app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

interface Step {
  readonly status: number;
  readonly tookMs: number;
}

/** A whole purchase over one connection, as browsers do it. */
async function buy(saleId: number): Promise<readonly Step[]> {
  const { token } = await fest.createAccount();
  const steps: Step[] = [];
  const line = openConnection(port);
  let answers = 0;
  const ask = async <Body>(method: string, path: string, headers: readonly string[] = [], body = ''): Promise<Body> => {
    const beganMs = performance.now();
    const lines = ['Host: fest', `Authorization: Bearer ${token}`, `Content-Length: ${body.length}`, ...headers];
    line.send(`${method} /api/v1${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
    answers += 1;
    const text = await line.received((all) => {
      const each = all.split(/(?=HTTP\/1\.1 )/);
      return each.length === answers && isComplete(each.at(-1) ?? '');
    }, 15_000);
    const answer = parseAnswer(text.split(/(?=HTTP\/1\.1 )/).at(-1) ?? '');
    steps.push({ status: answer.status, tookMs: performance.now() - beganMs });
    return JSON.parse(answer.text) as Body;
  };
  const json = 'Content-Type: application/json';
  const { queueToken } = await ask<{ queueToken: string }>('POST', `/sales/${saleId}/queue`);
  const turn = `Queue-Token: ${queueToken}`;
  await until(
    async () => {
      // Who asks oftener is refused.
      await sleep(300);
      return ask<{ admitted: boolean }>('GET', `/sales/${saleId}/queue`, [turn]);
    },
    ({ admitted }) => admitted,
  );
  const { holdId } = await ask<{ holdId: string }>('POST', `/sales/${saleId}/holds`, [turn, json], '{"quantity":1}');
  const { paymentId } = await ask<{ paymentId: string }>(
    'POST',
    `/holds/${holdId}/payments`,
    [json],
    '{"method":"card"}',
  );
  await until(
    () => ask<{ status: string }>('GET', `/payments/${paymentId}`),
    ({ status }) => status === 'succeeded',
  );
  line.destroy();
  return steps;
}

integration('slow clients', () => {
  it('who never finishes a request is cut off in time, and a buyer beside hundreds of them is served at once', async () => {
    const sale = await fest.createSale();
    const beganMs = performance.now();
    const silent = openClients(SILENT);
    const slow = openClients(SLOW);
    const bombs = openClients(BOMBS);
    for (const { socket } of slow) socket.write('GET /api/v1/festivals HTTP/1.1\r\nHost: fest\r\n');
    for (const { socket } of bombs) {
      socket.write(`GET /health/live HTTP/1.1\r\nHost: fest\r\nX-Bomb: ${'x'.repeat(4 * LIMITS.headerBytes)}\r\n\r\n`);
    }
    // A header now and then, for ever: each is a sign of life, and none is a request.
    const drip = (async () => {
      while (slow.some(({ closedAtMs }) => closedAtMs === undefined)) {
        for (const { socket } of slow) if (socket.writable) socket.write('X-More: 1\r\n');
        await sleep(500);
      }
    })();
    const bought = [...(await buy(sale.id)), ...(await buy(sale.id))];
    expect(bought.map(({ status }) => status).filter((status) => status > 202)).toEqual([]);
    expect(Math.max(...bought.map(({ tookMs }) => tookMs))).toBeLessThan(PROMPT_MS);
    await until(
      async () => bombs.filter(({ closedAtMs }) => closedAtMs === undefined).length,
      (open) => open === 0,
    );
    // Who goes on sending while the connection is closed may lose the answer.
    const answered = bombs.filter(({ text }) => text !== '');
    expect(answered.length).toBeGreaterThan(0);
    expect(new Set(answered.map(({ text }) => parseAnswer(text).status))).toEqual(new Set([431]));

    const waiting = [...silent, ...slow];
    await until(
      async () => waiting.filter(({ closedAtMs }) => closedAtMs === undefined).length,
      (open) => open === 0,
      REQUEST_TIMEOUT_MS + 10_000,
    );
    await drip;
    const last = Math.max(...waiting.map(({ closedAtMs = 0 }) => closedAtMs)) - beganMs;
    // Looked for once a second; the rest is for a busy machine.
    expect(last).toBeLessThan(REQUEST_TIMEOUT_MS + LIMITS.slowRequestCheckMs + PROMPT_MS);
    expect(new Set(slow.map(({ text }) => parseAnswer(text).status))).toEqual(new Set([408]));
    await until(connections, (open) => open <= 1);
  });

  it('bodies that do not arrive take no place of those that do, and neither they nor their sockets outlast the time to send one', async () => {
    const sale = await fest.createSale();
    const { token } = await fest.createAccount();
    const beganMs = performance.now();
    const begin = (path: string, headers: readonly string[]): readonly Client[] => {
      // They never close by themselves.
      const begun = Array.from({ length: DRIPPING }, () => openClient(true));
      const lines = ['Host: fest', 'Content-Type: application/json', 'Content-Length: 30000', ...headers];
      for (const { socket } of begun) socket.write(`POST /api/v1${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n{`);
      return begun;
    };
    const refreshing = begin('/sessions/refresh', []);
    await until(
      async () => shedder.arriving,
      (arriving) => arriving === DRIPPING,
    );
    const paying = begin('/holds/x/payments', [`Authorization: Bearer ${token}`]);
    const dripping = [...refreshing, ...paying];
    let isOver = false;
    const drip = (async () => {
      for (; !isOver; await sleep(100)) for (const { socket } of dripping) if (socket.writable) socket.write(' ');
    })();
    // The oldest make room.
    const surplus = 2 * DRIPPING - ARRIVING;
    await until(
      async () => refreshing.filter(({ closedAtMs }) => closedAtMs !== undefined).length,
      (closed) => closed === surplus,
    );
    expect(shedder.refused('join', 'slow')).toBe(surplus);
    expect(shedder.arriving).toBe(ARRIVING);

    const bought = await buy(sale.id);
    const refreshed = await fetch(`http://127.0.0.1:${port}/api/v1/sessions/refresh`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: '{"refreshToken":"none"}',
    });
    expect(performance.now() - beganMs).toBeLessThan(REQUEST_TIMEOUT_MS);
    expect(bought.map(({ status }) => status).filter((status) => status > 202)).toEqual([]);
    expect(Math.max(...bought.map(({ tookMs }) => tookMs))).toBeLessThan(PROMPT_MS);
    expect(refreshed.status).toBeLessThan(500);
    expect([shedder.refused('join', 'full'), shedder.refused('purchase', 'full')]).toEqual([0, 0]);

    const left = beganMs + REQUEST_TIMEOUT_MS + LIMITS.slowRequestCheckMs + LIMITS.lastAnswerMs + PROMPT_MS;
    await until(connections, (open) => open === 0, left - performance.now());
    expect([shedder.arriving, shedder.inFlight('join'), shedder.inFlight('purchase')]).toEqual([0, 0, 0]);
    isOver = true;
    await drip;
    // Who goes on sending may lose the answer.
    const answered = dripping.filter(({ text }) => text !== '');
    expect(answered.length).toBeGreaterThan(0);
    expect(new Set(answered.map(({ text }) => parseAnswer(text).status))).toEqual(new Set([408]));
  });

  it('a flood of connections finds no room beyond the bound, costs no more files, and leaves those who have one alone', async () => {
    const sale = await fest.createSale();
    const room = 100;
    fest.app.server.maxConnections = room;
    const early = openConnection(port);
    early.send('GET /health/live HTTP/1.1\r\nHost: fest\r\n\r\n');
    await early.received(isComplete);
    const filesBefore = readdirSync('/proc/self/fd').length;
    const flood = openClients(5 * room);
    await until(
      async () => flood.filter(({ closedAtMs }) => closedAtMs === undefined).length,
      (open) => open === room - 1,
    );
    expect(await connections()).toBe(room);
    // Both ends of each are in this process.
    expect(readdirSync('/proc/self/fd').length - filesBefore).toBeLessThanOrEqual(2 * room + 20);
    early.send(`GET /api/v1/sales/${sale.id} HTTP/1.1\r\nHost: fest\r\n\r\n`);
    const text = await early.received((all) => all.split(/(?=HTTP\/1\.1 )/).length === 2 && all.endsWith('}'));
    expect(parseAnswer(text.split(/(?=HTTP\/1\.1 )/)[1] ?? '').status).toBe(200);
    early.destroy();
    const metrics = (await fest.app.inject({ url: '/metrics' })).body;
    expect(Number(/^fest_connections_dropped_total (\d+)$/m.exec(metrics)?.[1])).toBe(4 * room + 1);
    // The silent ones are cut off like all others, and then there is room again.
    await until(connections, (open) => open === 0, REQUEST_TIMEOUT_MS + 10_000);
    expect((await buy(sale.id)).at(-1)?.status).toBe(200);
  });

  it('takes fewer connections than there may be open files, and closes those that stand still', () => {
    expect(connectionsFor(20_000, Number.POSITIVE_INFINITY)).toBe(20_000 + LIMITS.httpConnections);
    expect(connectionsFor(20_000, 1_024)).toBe(1_024 - LIMITS.spareFiles);
    expect(fest.app.server.timeout).toBe(LIMITS.stalledConnectionMs);
    expect(fest.app.server.maxConnections).toBe(connectionsFor(fest.services.config.liveSockets));
  });
});
