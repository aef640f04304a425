/** `WebSocket /operations/live`: what an operator is told of all servers, by any of them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEngines } from '@fest/cli/local-stack/engines';
import { OperationsLive } from '@fest/server/contract/operations';
import { pathOf } from '@fest/server/contract/paths';
import type { Role } from '@fest/server/contract/words';
import { LIMITS } from '@fest/server/limits';
import { FLEET_EVENTS_KEY, FLEET_REPORTS_KEY, saleKeys } from '@fest/server/redis/keys';
import { Compile } from 'typebox/compile';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { whileHung } from '../support/hung-engine.ts';
import { engines, integration } from '../support/integration.ts';
import { connectLive, upgradeRequest } from '../support/live-client.ts';
import { type OperationsClient, watchOperations } from '../support/operations-client.ts';
import { exchange, listen, parseAnswer } from '../support/raw-http.ts';
import { buildTestApp, ManualClock, type TestApp } from '../support/test-app.ts';
import { admitWaiting, buy, call, newVisitor, newVisitors, refusalOf, until } from '../support/visitor.ts';

/** What a machine that is busy with other tests may add. */
const BUSY_MS = 700;
/** An operator is to see within this that a process is silent. */
const SILENCE_SEEN_MS = 3_000;

const opened: OperationsClient[] = [];
afterEach(() => {
  for (const { socket } of opened.splice(0)) socket.terminate();
});

async function watchAt(port: number, token: string): Promise<OperationsClient> {
  const client = await watchOperations(`http://127.0.0.1:${port}`, token);
  opened.push(client);
  return client;
}

/** Reports, and reads, when the test says so. */
integration('what operators are told', () => {
  const clock = new ManualClock();
  let fest: TestApp;
  let besides: TestApp;
  beforeAll(async () => {
    fest = await buildTestApp({ clock, started: false });
    besides = await buildTestApp({ besides: fest, clock, started: false });
  });
  afterAll(async () => {
    await besides?.close();
    await fest?.close();
  });

  async function reportAll(): Promise<void> {
    await Promise.all([fest, besides].map(({ fleet }) => fleet.reporter.report()));
  }

  const figuresOf = ({ fleet }: TestApp) => {
    const { own } = fleet.reporter;
    if (own === undefined) throw new Error('it has not reported');
    return own.figures;
  };

  /** The rate that so many answers of both are, by what each of them counted in. */
  const rateOf = (counts: readonly [number, number]): number =>
    [fest, besides].reduce((sum, app, index) => sum + ((counts[index] ?? 0) * 1_000) / figuresOf(app).intervalMs, 0);

  test('has the name of a sale in the first document that has the sale', async () => {
    await fest.fleet.document.read();
    const sale = await fest.createSale({ name: 'Named at once' });
    const { sales } = await fest.fleet.document.read();
    expect(sales.find(({ saleId }) => saleId === sale.id)).toMatchObject({
      name: 'Named at once',
      festivalTitle: 'Test Festival',
    });
  });

  test('is what was done: joins, refusals, orders, by whichever server', async () => {
    const sale = await fest.createSale({ capacity: 50 });
    const buyers = await newVisitors(fest, 12);
    await besides.core.live.load(sale.id);
    await fest.fleet.document.read();
    await reportAll();
    const tokens = await Promise.all(
      buyers.map(async (buyer, index) => (await buyer.at(index < 7 ? fest : besides).join(sale.id)).body.queueToken),
    );
    const [first] = buyers;
    expect(refusalOf(await call(fest, 'GET', '/orders/nothing'))).toBe('401 unauthenticated');
    expect(first && refusalOf(await first.at(besides).hold(sale.id, tokens[0] ?? ''))).toBe('403 not_admitted');
    await reportAll();
    const { fleet } = await fest.fleet.document.read();
    expect(fleet.latency.find((each) => each.class === 'join')?.perSecond).toBeCloseTo(rateOf([7, 5]), 1);
    expect(fleet.refusedPerSecondByCode.unauthenticated).toBeCloseTo(rateOf([1, 0]), 1);
    expect(fleet.refusedPerSecondByCode.not_admitted).toBeCloseTo(rateOf([0, 1]), 1);
    expect(fleet.requestsPerSecond).toBeCloseTo(rateOf([8, 6]), 1);

    await admitWaiting(fest, clock, sale.id);
    await besides.core.live.refresh(sale.id);
    let orders = 0;
    for (const [index, buyer] of buyers.entries()) {
      const server = index < 7 ? fest : besides;
      expect((await buy(buyer.at(server), sale.id, tokens[index] ?? '')).status).toBe('succeeded');
    }
    await reportAll();
    for (const app of [fest, besides]) orders += figuresOf(app).orders[sale.id] ?? 0;
    await fest.core.live.refresh(sale.id);
    // Names are learned by the document before.
    const { sales } = await until(
      () => fest.fleet.document.read(),
      (document) => document.sales.every(({ name }) => name !== ''),
    );
    expect(orders).toBe(12);
    expect(sales.find(({ saleId }) => saleId === sale.id)).toMatchObject({
      name: 'Day 1',
      festivalTitle: 'Test Festival',
      phase: 'open',
      capacity: 50,
      sold: 12,
      held: 0,
      available: 38,
      waiting: 0,
      servingNumber: 12,
      ordersPerSecond: expect.closeTo(rateOf([7, 5]), 1),
    });
  });

  test('is the same, whichever server says it, and as the contract has it', async () => {
    await reportAll();
    const documents = await Promise.all([fest, besides].map(({ fleet }) => fleet.document.read()));
    for (const document of documents) {
      expect([...Compile(OperationsLive).Errors(document)]).toEqual([]);
      expect(document.processes.map(({ server, stale }) => [server, stale])).toEqual([
        ['server-1', false],
        ['server-2', false],
      ]);
    }
  });

  test('names what operators did, once, on all servers', async () => {
    const operator = await newVisitor(fest, 'operator');
    const sale = await fest.createSale();
    expect((await operator.call('POST', `/sales/${sale.id}/pause`)).status).toBe(200);
    await besides.core.live.load(sale.id);
    clock.advance(1);
    const body = { mode: 'fixed', perSecond: 17 };
    expect((await operator.at(besides).call('PUT', `/sales/${sale.id}/admission`, { body })).status).toBe(200);
    await reportAll();
    for (const app of [fest, besides]) {
      const { events } = await app.fleet.document.read();
      const ofSale = events.filter(({ saleId, operatorId }) => saleId === sale.id && operatorId === operator.id);
      expect(ofSale.map(({ kind, text }) => [kind, text])).toEqual([
        ['action', 'open → paused'],
        ['action', expect.stringContaining('17 a second')],
      ]);
    }
  });

  test('names once what several servers notice', async () => {
    const saying = { kind: 'store', level: 'error', text: 'seen by several', once: 'a thing' } as const;
    for (const app of [fest, besides]) app.core.events.say(saying);
    await reportAll();
    const { events } = await fest.fleet.document.read();
    expect(events.filter(({ text }) => text === saying.text)).toHaveLength(1);
    for (const app of [fest, besides]) expect(app.core.events.waiting).toEqual([]);
  });

  test('has no more events in Redis than are kept', async () => {
    for (let round = 0; round < 7; round += 1) {
      for (let count = 0; count < LIMITS.fleetEventsWaiting; count += 1) {
        fest.core.events.say({ kind: 'log', level: 'info', text: `${round} ${count}` });
      }
      await fest.fleet.reporter.report();
    }
    expect(await fest.services.redis.xlen(FLEET_EVENTS_KEY)).toBe(LIMITS.fleetEventsKept);
    const { events } = await besides.fleet.document.read();
    expect(events).toHaveLength(LIMITS.fleetEventsShown);
    expect((await fest.fleet.document.read()).events.at(-1)?.text).toBe('6 99');
  });

  test('forgets processes that are long gone, and leaves alone what a later version wrote a moment ago', async () => {
    const { redis } = fest.services;
    const nowMs = Number((await redis.time())[0]) * 1_000;
    const old = { ...figuresOf(fest), id: 'old', atMs: nowMs - LIMITS.fleetForgetMs - 5_000 };
    await redis.hset(FLEET_REPORTS_KEY, {
      old: JSON.stringify(old),
      garbage: 'no report',
      later: JSON.stringify({ format: 2, atMs: nowMs }),
    });
    await reportAll();
    const { processes } = await fest.fleet.document.read();
    expect(processes).toHaveLength(2);
    const ids = [figuresOf(fest).id, figuresOf(besides).id, 'later'];
    expect((await redis.hkeys(FLEET_REPORTS_KEY)).sort()).toEqual(ids.sort());
    await redis.hdel(FLEET_REPORTS_KEY, 'later');
  });

  test('costs Redis one pipeline a report, of two commands while nothing happens', async () => {
    await reportAll();
    const sent: string[] = [];
    const { redis } = fest.services;
    const send = redis.sendCommand.bind(redis);
    redis.sendCommand = (command, stream) => {
      sent.push(command.name);
      return send(command, stream);
    };
    await fest.fleet.reporter.report();
    redis.sendCommand = send;
    expect(sent.sort()).toEqual(['hset', 'time']);
  });
});

/** Everything as it runs. */
integration('operators who listen', () => {
  let fest: TestApp;
  let port: number;
  let operatorToken: string;
  beforeAll(async () => {
    fest = await buildTestApp({ config: { environment: 'stage' } });
    port = await listen(fest);
    operatorToken = (await newVisitor(fest, 'operator')).token;
  });
  afterAll(() => fest?.close());

  const stalenessOf = ({ processes }: OperationsLive): Readonly<Record<string, boolean>> =>
    Object.fromEntries(processes.map(({ server, stale }) => [server, stale]));

  test('get a document at once and one a second; while nobody does, nothing is read', async () => {
    const client = await watchAt(port, operatorToken);
    const first = await client.next(() => true, 500 + BUSY_MS);
    expect([first.environment, first.complete]).toEqual(['stage', true]);
    await sleep(3_000);
    expect(Math.abs(client.documents.length - 4)).toBeLessThanOrEqual(1);
    client.socket.close();
    await until(
      async () => fest.fleet.operators.open,
      (open) => open === 0,
    );
    await sleep(LIMITS.fleetReportMs);
    let readings = 0;
    const read = fest.fleet.document.read.bind(fest.fleet.document);
    fest.fleet.document.read = () => {
      readings += 1;
      return read();
    };
    await sleep(2 * LIMITS.fleetReportMs);
    fest.fleet.document.read = read;
    expect(readings).toBe(0);
  });

  test('get the same bytes, and are counted among the WebSockets', async () => {
    const sale = await fest.createSale();
    const buyer = await connectLive(port, sale.id);
    const clients = await Promise.all([watchAt(port, operatorToken), watchAt(port, operatorToken)]);
    const counted = await Promise.all(clients.map((client) => client.next(({ fleet }) => fleet.webSockets === 3)));
    expect(counted[0]).toEqual(counted[1]);
    buyer.socket.terminate();
  });

  test('see within 3 s that a server is silent, without it in any sum, and when it is back', async () => {
    const besides = await buildTestApp({ besides: fest });
    const client = await watchAt(port, operatorToken);
    try {
      const both = await client.next(({ processes }) => processes.length >= 2);
      expect(stalenessOf(both)).toMatchObject({ 'server-1': false, 'server-2': false });
      const { redis } = besides.services;
      redis.disconnect();
      const silentSinceMs = performance.now();
      const silent = await client.next((document) => stalenessOf(document)['server-2'] === true);
      expect(performance.now() - silentSinceMs).toBeLessThan(SILENCE_SEEN_MS + BUSY_MS);
      const [own] = silent.processes;
      expect(silent.fleet.memoryBytes).toBe(own?.memoryBytes);
      await client.next(({ events }) => events.some(({ text }) => text.startsWith('server-2 has not reported for')));
      await redis.connect();
      await client.next((document) => stalenessOf(document)['server-2'] === false);
      await client.next(({ events }) => events.some(({ text }) => text === 'server-2 reports again'));
    } finally {
      await besides.close();
    }
    const left = await client.next(({ processes }) => processes.some(({ leaving }) => leaving));
    expect(left.processes.find(({ leaving }) => leaving)).toMatchObject({ server: 'server-2', stale: false });
    await client.next(({ processes }) => processes.length === 1, LIMITS.fleetLeftMs + 2_000 + BUSY_MS);
  });

  test.each<[string, Role | undefined, string]>([
    ['without a token', undefined, '401 unauthenticated'],
    ['as a buyer', 'buyer', '403 forbidden'],
    ['as an organizer', 'organizer', '403 forbidden'],
    ['as staff', 'staff', '403 forbidden'],
  ])('are refused %s, with and without an upgrade', async (_, role, refusal) => {
    const headers: Record<string, string> =
      role === undefined ? {} : { authorization: `Bearer ${(await newVisitor(fest, role)).token}` };
    expect(refusalOf(await call(fest, 'GET', '/operations/live', { headers }))).toBe(refusal);
    const upgraded = await exchange(
      port,
      upgradeRequest(pathOf('operationsLive'), { ...headers, Connection: 'Upgrade' }),
    );
    const { status, text } = parseAnswer(upgraded);
    expect(`${status} ${JSON.parse(text).code}`).toBe(refusal);
  });

  test('hear that it is a WebSocket when they ask for none', async () => {
    const headers = { authorization: `Bearer ${operatorToken}` };
    const answer = await call(fest, 'GET', '/operations/live', { headers });
    expect(refusalOf(answer)).toBe('426 upgrade_required');
    expect(answer.headers).toMatchObject({ upgrade: 'websocket', 'sec-websocket-version': '13' });
  });

  test('hear that a sale was lost and is built anew, and that it is', async () => {
    const sale = await fest.createSale({ capacity: 30 });
    const client = await watchAt(port, operatorToken);
    await client.next(({ sales }) => sales.some(({ saleId }) => saleId === sale.id));
    await fest.services.redis.del(saleKeys.sale(sale.id));
    const ofSale = ({ saleId, kind }: OperationsLive['events'][number]): boolean =>
      saleId === sale.id && kind === 'epoch';
    const rebuilt = await client.next(({ events }) => events.filter(ofSale).length >= 2, 10_000);
    expect(rebuilt.events.filter(ofSale).map(({ level, text }) => [level, text])).toEqual([
      ['error', expect.stringContaining('cannot be trusted')],
      ['warning', expect.stringContaining('built anew as epoch 2')],
    ]);
    const { sales } = await client.next((document) => document.sales.some(({ epoch }) => epoch === 2));
    expect(sales.find(({ saleId }) => saleId === sale.id)).toMatchObject({
      epoch: 2,
      rebuilding: false,
      available: 30,
    });
  });

  test('who read slowly get the newest when they read again, and no backlog', async () => {
    const client = await watchAt(port, operatorToken);
    await client.next(() => true);
    const { document } = fest.fleet;
    const read = document.read.bind(document);
    let made = 0;
    // More than the buffers of two kernels take.
    document.read = async () => {
      made += 1;
      return { ...(await read()), environment: `${made} ${'x'.repeat(8_000_000)}` };
    };
    try {
      client.socket.pause();
      const from = client.documents.length;
      await sleep(5_000);
      client.socket.resume();
      const resumedAt = made;
      await client.next(({ environment }) => Number.parseInt(environment, 10) > resumedAt);
      const received = client.documents.slice(from).map(({ environment }) => Number.parseInt(environment, 10));
      const waited = received.filter((number) => number <= resumedAt);
      expect(resumedAt).toBeGreaterThanOrEqual(4);
      // One was on its way, and before it what the kernels took.
      expect(waited.length).toBeLessThanOrEqual(2);
    } finally {
      document.read = read;
    }
  });

  test('are sent away when they say something', async () => {
    const client = await watchAt(port, operatorToken);
    client.socket.send('hello');
    expect((await client.closed).code).toBe(1008);
  });

  test('are refused when there are as many as there may be', async () => {
    for (let count = 0; count < LIMITS.operatorSockets; count += 1) await watchAt(port, operatorToken);
    const request = upgradeRequest(pathOf('operationsLive'), { authorization: `Bearer ${operatorToken}` });
    const { status, text, headers } = parseAnswer(await exchange(port, request));
    expect([status, JSON.parse(text).code, headers['retry-after']]).toEqual([503, 'overloaded', '5']);
  });

  test('hear that their token has expired, and that the server stops', async () => {
    const clock = new ManualClock();
    const later = await buildTestApp({ besides: fest, clock });
    const laterPort = await listen(later);
    // The token is good for a quarter of an hour from now; by the clock of this server that is long past.
    const expired = await watchAt(laterPort, operatorToken);
    expect(await expired.closed).toMatchObject({ code: 4401, reason: expect.stringContaining('refresh it') });
    await later.close();
    const stopping = await buildTestApp({ besides: fest });
    const client = await watchAt(await listen(stopping), operatorToken);
    await client.next(() => true);
    const [{ code }] = await Promise.all([client.closed, stopping.close()]);
    expect(code).toBe(1012);
  });
});

integration('a Redis that hangs', () => {
  test('keeps no operator waiting: documents come as they did, say what is missing, and are complete afterwards', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fest-redis-'));
    const env = { PATH: process.env.PATH, FEST_MYSQL_URL: engines().mysqlUrl };
    const own = await startEngines({ directory, env });
    const fest = await buildTestApp({ engines: own });
    try {
      const sale = await fest.createSale({ capacity: 40 });
      const operator = await newVisitor(fest, 'operator');
      const client = await watchAt(await listen(fest), operator.token);
      await client.next(({ complete, sales }) => complete && sales.length === 1 && sales[0]?.name !== '');
      await whileHung(own.redis, async () => {
        const incomplete = await client.next(({ complete }) => !complete);
        expect(incomplete.processes.map(({ server, stale }) => [server, stale])).toEqual([['server-1', false]]);
        expect(incomplete.sales).toMatchObject([{ saleId: sale.id, capacity: 40, available: 40, phase: 'open' }]);
        const before = client.documents.length;
        await sleep(4_000);
        expect(client.documents.length - before).toBeGreaterThanOrEqual(3);
        const down = client.documents.at(-1);
        expect(down?.fleet.redis).toEqual({ status: 'down', latencyMs: null });
        expect(down?.events.at(-1)).toMatchObject({ kind: 'store', level: 'error' });
      });
      await client.next(({ complete, fleet }) => complete && fleet.redis.status === 'up', 10_000);
      const isBack = ({ text }: OperationsLive['events'][number]): boolean => text === 'Redis answers again';
      const { events } = await client.next((document) => document.events.some(isBack));
      expect(events.filter(({ text }) => text === 'Redis does not answer server-1')).toHaveLength(1);
    } finally {
      for (const { socket } of opened.splice(0)) socket.terminate();
      await fest.close();
      await own.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
