/** A server of several workers is one server: one port, one health, one set of figures, and every worker knows what the others did. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditSale } from '@fest/server/audit/audit-sale';
import { collectEvidence } from '@fest/server/audit/collect-evidence';
import { waitUntilDrained } from '@fest/server/audit/drain';
import { SERVICE_PATHS } from '@fest/server/contract/paths';
import type { Sale, SaleState } from '@fest/server/contract/schemas';
import { findLogs, isRetired as isLogRetired } from '@fest/server/features/archive/left-logs';
import { findLogUse } from '@fest/server/features/archive/log-owner';
import { LIMITS } from '@fest/server/limits';
import { readOrderLog } from '@fest/server/order-log/reader';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { KeptClient } from '../support/kept-client.ts';
import { type ServerProcess, type ServerProcesses, startServerProcesses } from '../support/server-processes.ts';
import { SteadyBuyers } from '../support/steady-buyers.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';
import { newVisitor, newVisitors, until } from '../support/visitor.ts';
import { connectTo, hasEnded, healthOf, workerPids } from '../support/worker-processes.ts';

/** What a change of a sale is to be seen within on every node, and what a machine that is busy with other tests may add. */
const FOLLOW_MS = 250;
const BUSY_MS = 750;
const PAUSES = 12;
const LINE_MS = 3_000;

const ENVIRONMENT = {
  FEST_WORKERS: '2',
  FEST_GATEWAY_LATENCY_MS: '20',
  FEST_GATEWAY_LATENCY_SIGMA: '0',
  FEST_GATEWAY_DECLINE_RATE: '0',
  FEST_GATEWAY_TIMEOUT_RATE: '0',
  FEST_GATEWAY_UNKNOWN_RATE: '0',
};

let besides: TestApp;
let processes: ServerProcesses;
let server: ServerProcess;
/** Of the test that needs processes of another kind. */
let crowded: ServerProcesses | undefined;
beforeAll(async () => {
  besides = await buildTestApp();
  processes = await startServerProcesses(besides, 1, ENVIRONMENT);
  const [first] = processes.servers;
  if (first === undefined) throw new Error('no server');
  server = first;
});
afterAll(async () => {
  await crowded?.close();
  await processes?.close();
  await besides?.close();
});

/** Figures are told for a second, by the primary and by the workers, before they are gathered anew. */
const untilFiguresAreNew = (): Promise<void> => sleep(2 * LIMITS.figuresMs + 100);

/** Asks for the health of the server, which has to be well enough, and notes how long that takes. */
async function timeHealth(client: KeptClient, tookMs: number[]): Promise<string> {
  const beganMs = performance.now();
  const { status, body } = await client.ask<{ status: string }>(SERVICE_PATHS.ready);
  tookMs.push(performance.now() - beganMs);
  expect(status).toBe(200);
  return body.status;
}

/** One of the readings may have come when the machine was busy with other tests. */
function medianOf(tookMs: readonly number[]): number | undefined {
  return tookMs.toSorted((a, b) => a - b)[Math.floor(tookMs.length / 2)];
}

/** Connections over which nothing is sent; resolves when all are made and the server has had time to close those it does not take. */
async function crowdOf(size: number): Promise<readonly Socket[]> {
  const port = Number(new URL(crowded?.servers[0]?.baseUrl ?? '').port);
  const sockets = Array.from({ length: size }, () =>
    connect(port, '127.0.0.1')
      .on('error', () => undefined)
      .resume(),
  );
  const settled = sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')]));
  await Promise.all(settled.map((one) => one.catch(() => undefined)));
  await sleep(1_500);
  return sockets;
}

const isWhole = async (): Promise<boolean> => (await healthOf(server).catch(() => undefined))?.status === 'ready';

async function figuresOf(client: KeptClient): Promise<ReadonlyMap<string, number>> {
  const { body } = await client.ask<string>(SERVICE_PATHS.metrics);
  const series = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    series.map((line) => {
      const blank = line.lastIndexOf(' ');
      return [line.slice(0, blank), Number(line.slice(blank + 1))];
    }),
  );
}

function stateOf(client: KeptClient, sale: Sale): Promise<SaleState> {
  return client.ask<SaleState>(`/api/v1/sales/${sale.id}/state`).then(({ body }) => body);
}

type Delays = readonly (readonly number[])[];

/** How long pauses and resumptions take to be seen by each client, from when the server that made them had answered. */
async function phasesFollow(clients: readonly KeptClient[], sale: Sale): Promise<Delays> {
  const operator = await newVisitor(besides, 'operator');
  const delays: number[][] = clients.map(() => []);
  for (let round = 0; round < PAUSES; round += 1) {
    // At any point of the round in which each of them reads states.
    await sleep(round * 37);
    const [action, phase] = round % 2 === 0 ? ['pause', 'paused'] : ['resume', 'open'];
    const done = await operator.call('POST', `/sales/${sale.id}/${action}`);
    expect(done.status).toBe(200);
    const changedMs = performance.now();
    await Promise.all(
      clients.map(async (client, index) => {
        while ((await stateOf(client, sale)).phase !== phase) await sleep(2);
        delays[index]?.push(performance.now() - changedMs);
      }),
    );
  }
  return delays;
}

/** How long the serving number takes from Redis, where some server has moved it, to each client. */
async function lineFollows(clients: readonly KeptClient[], sale: Sale): Promise<Delays> {
  const operator = await newVisitor(besides, 'operator');
  const admission = { mode: 'fixed', perSecond: 10, maxActive: 1_000 };
  await operator.call('PUT', `/sales/${sale.id}/admission`, { body: admission });
  for (const buyer of await newVisitors(besides, 40)) expect((await buyer.join(sale.id)).status).toBe(200);
  const moved = new Map<number, number>();
  let goesOn = true;
  const watching = (async () => {
    for (; goesOn; await sleep(2)) {
      const serving = Number(await besides.services.redis.hget(saleKeys.sale(sale.id), 'serving'));
      if (!moved.has(serving)) moved.set(serving, performance.now());
    }
  })();
  const seen = await Promise.all(
    clients.map(async (client) => {
      const first = new Map<number, number>();
      for (const untilMs = performance.now() + LINE_MS; performance.now() < untilMs; await sleep(2)) {
        const { servingNumber } = await stateOf(client, sale);
        if (!first.has(servingNumber)) first.set(servingNumber, performance.now());
      }
      // What was there when the looking began says nothing, and what was passed over at once was never to be seen.
      return [...first].slice(1).map(([serving, atMs]) => Math.max(0, atMs - (moved.get(serving) ?? atMs)));
    }),
  );
  goesOn = false;
  await watching;
  return seen;
}

function figuresOfDelays(delays: readonly number[]): { readonly medianMs: number; readonly worstMs: number } {
  const sorted = delays.toSorted((a, b) => a - b);
  expect(sorted.length).toBeGreaterThan(5);
  return { medianMs: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0), worstMs: Math.round(sorted.at(-1) ?? 0) };
}

async function buyThrough(client: KeptClient, sale: Sale): Promise<void> {
  const buyers = await newVisitors(besides, 3);
  const load = new SteadyBuyers({ saleId: sale.id, buyers, atOnce: 1, chooseServer: () => client.baseUrl });
  load.start();
  await until(
    async () => load.purchases.length + load.failures.length,
    (count) => count === 3,
    30_000,
  );
  await load.stop();
  expect(load.failures).toEqual([]);
}

async function ordersIn(directory: string): Promise<number> {
  let orders = 0;
  for await (const { record } of readOrderLog(directory)) if (record.type === 'orderPaid') orders += 1;
  return orders;
}

const isRetired = (directory: string): Promise<boolean> => isLogRetired(besides.services.mysql, directory);

integration('a server of two workers', () => {
  test('gives connections to both, each with an order log of its own, all of which can be audited', async () => {
    const sale = await besides.createSale({ capacity: 200 });
    const buyers = await newVisitors(besides, 60);
    const load = new SteadyBuyers({ saleId: sale.id, buyers, atOnce: 10, chooseServer: () => server.baseUrl });
    load.start();
    await until(
      async () => load.purchases.length + load.failures.length,
      (count) => count >= 60,
      40_000,
    );
    await load.stop();
    expect(load.failures).toEqual([]);
    const logDirs = findLogs(server.logDirectory, 1);
    expect(logDirs.map((directory) => directory.slice(server.logDirectory.length))).toEqual(['/worker-1', '/worker-2']);
    const orders = await Promise.all(logDirs.map(ordersIn));
    expect(Math.min(...orders)).toBeGreaterThan(0);
    expect(orders.reduce((sum, count) => sum + count)).toBe(60);
    const { mysqlUrl, redisUrl } = besides.stores;
    expect(await waitUntilDrained({ mysqlUrl, logDirs, timeoutMs: 15_000 })).toBe(true);
    const claims = load.purchases.map((purchase) => ({ saleId: sale.id, ...purchase }));
    const sources = { redisUrl, mysqlUrl, logDirs: [...logDirs, besides.stores.logDirectory] };
    const [evidence] = await collectEvidence({ ...sources, saleIds: [sale.id], claims });
    if (evidence === undefined) throw new Error('no evidence');
    expect(auditSale(evidence)).toMatchObject({ findings: [], compared: { liveTickets: 60 } });
  }, 90_000);

  test('shows changes to everybody within 250 ms, at each of its workers and at another server', async () => {
    const other = await startServerProcesses(besides, 1, {
      ...ENVIRONMENT,
      FEST_WORKERS: '1',
      FEST_SERVER_NAME: 'other',
    });
    const otherUrl = other.servers[0]?.baseUrl ?? '';
    const clients = [await connectTo(server, 1), await connectTo(server, 2), new KeptClient(otherUrl)];
    try {
      const ofPhases = await phasesFollow(clients, await besides.createSale());
      const ofTheLine = await lineFollows(clients, await besides.createSale({ capacity: 1_000 }));
      for (const [what, delays] of Object.entries({ 'a phase': ofPhases, 'the line': ofTheLine })) {
        const figures = delays.map(figuresOfDelays);
        const names = ['worker 1', 'worker 2', 'another server'];
        const told = figures.map(
          ({ medianMs, worstMs }, at) => `${names[at]} median ${medianMs} ms, worst ${worstMs} ms`,
        );
        console.log(`${what} (${delays[0]?.length} changes): ${told.join('; ')}`);
        for (const { medianMs, worstMs } of figures) {
          expect(medianMs).toBeLessThanOrEqual(FOLLOW_MS);
          expect(worstMs).toBeLessThanOrEqual(FOLLOW_MS + BUSY_MS);
        }
      }
    } finally {
      for (const client of clients) client.close();
      await other.close();
    }
  }, 90_000);

  test('tells the figures of both, whichever is asked', async () => {
    const sale = await besides.createSale();
    const [one, two] = [await connectTo(server, 1), await connectTo(server, 2)];
    const asked = (worker: number) =>
      `fest_http_requests_total{class="wait",route="/api/v1/sales/:saleId/state",method="GET",status="200",worker="${worker}"}`;
    const before = await figuresOf(one);
    await untilFiguresAreNew();
    for (let count = 0; count < 5; count += 1) await one.ask(`/api/v1/sales/${sale.id}/state`);
    for (let count = 0; count < 7; count += 1) await two.ask(`/api/v1/sales/${sale.id}/state`);
    for (const client of [one, two]) {
      const after = await figuresOf(client);
      const more = (worker: number) => (after.get(asked(worker)) ?? 0) - (before.get(asked(worker)) ?? 0);
      expect([more(1), more(2)]).toEqual([5, 7]);
      expect([after.get('fest_worker_up{worker="1"}'), after.get('fest_worker_up{worker="2"}')]).toEqual([1, 1]);
      expect(after.get('process_cpu_seconds_total{worker="primary"}')).toBeGreaterThan(0);
    }
    // Whoever asks often is told what was told to the one before, and costs no worker anything.
    const [first, ...others] = await Promise.all(Array.from({ length: 20 }, () => one.ask(SERVICE_PATHS.metrics)));
    expect(new Set(others.map(({ body }) => body))).toEqual(new Set([first?.body]));
    one.close();
    two.close();
  });

  test('goes on while one of them hangs, and says so in time', async () => {
    const sale = await besides.createSale();
    const one = await connectTo(server, 1);
    const stuck = workerPids(server).get(2) ?? 0;
    process.kill(stuck, 'SIGSTOP');
    try {
      const tookMs: number[] = [];
      for (let reading = 0; reading < 5; reading += 1) expect(await timeHealth(one, tookMs)).toBe('degraded');
      expect(medianOf(tookMs)).toBeLessThan(LIMITS.workerHeardMs + BUSY_MS / 2);
      await untilFiguresAreNew();
      const figures = await figuresOf(one);
      expect([figures.get('fest_worker_up{worker="1"}'), figures.get('fest_worker_up{worker="2"}')]).toEqual([1, 0]);
      const { status, body } = await one.ask<{ status: string; workers: unknown }>(SERVICE_PATHS.ready);
      expect([status, body.status]).toEqual([200, 'degraded']);
      expect(body.workers).toEqual([
        { worker: 1, status: 'ready' },
        { worker: 2, status: 'away' },
      ]);
      expect((await one.ask(`/api/v1/sales/${sale.id}/state`)).status).toBe(200);
    } finally {
      process.kill(stuck, 'SIGCONT');
      one.close();
    }
    await until(isWhole, Boolean, 20_000);
  });

  test('loses only the connections of a worker that is killed, and starts it again', async () => {
    const sale = await besides.createSale();
    const path = `/api/v1/sales/${sale.id}/state`;
    const watchers = [];
    for (const worker of [1, 2, 1, 2, 1, 2])
      watchers.push({ worker, client: await connectTo(server, worker), failed: 0, answers: 0 });
    let goesOn = true;
    const watching = watchers.map(async (watcher) => {
      while (goesOn) {
        const answer = await watcher.client.ask(path).catch(() => undefined);
        if (answer?.status === 200) watcher.answers += 1;
        else watcher.failed += 1;
        await sleep(20);
      }
    });
    await sleep(300);
    const victim = workerPids(server).get(2) ?? 0;
    const probe = await connectTo(server, 1);
    process.kill(victim, 'SIGKILL');
    await until(
      async () => workerPids(server).get(2),
      (pid) => pid !== undefined && pid !== victim,
      20_000,
    );
    // Before it is ready; so slow a start that there is time to look at it.
    const next = workerPids(server).get(2) ?? 0;
    process.kill(next, 'SIGSTOP');
    const tookMs: number[] = [];
    try {
      for (let reading = 0; reading < 5; reading += 1) expect(await timeHealth(probe, tookMs)).toBe('degraded');
    } finally {
      process.kill(next, 'SIGCONT');
    }
    // It is not even asked.
    expect(medianOf(tookMs)).toBeLessThan(LIMITS.workerHeardMs / 2);
    await until(isWhole, Boolean, 40_000);
    probe.close();
    goesOn = false;
    await Promise.all(watching);
    for (const { worker, failed, answers } of watchers) {
      expect(answers).toBeGreaterThan(5);
      if (worker === 1) expect(failed).toBe(0);
      // The request that was under way, or found the connection closed.
      else expect(failed).toBeLessThanOrEqual(1);
    }
    const one = await connectTo(server, 1);
    expect((await figuresOf(one)).get('fest_worker_crashes_total{worker="2"}')).toBe(1);
    one.close();
    for (const { client } of watchers) client.close();
  }, 90_000);

  test('closes at once what is more than its workers take, counts it, and goes on', async () => {
    const room = 40;
    crowded = await startServerProcesses(besides, 1, ENVIRONMENT, { openFiles: LIMITS.spareFiles + room });
    const [full] = crowded.servers;
    if (full === undefined) throw new Error('no server');
    const clients = [await connectTo(full, 1), await connectTo(full, 2)];
    const crowd = await crowdOf(4 * room);
    const left = crowd.filter(({ closed }) => !closed);
    expect(left).toHaveLength(2 * room - clients.length);
    for (const client of clients) expect((await client.ask(SERVICE_PATHS.ready)).status).toBe(200);
    const figures = await figuresOf(clients[0] as KeptClient);
    const dropped = [1, 2].map((worker) => figures.get(`fest_connections_dropped_total{worker="${worker}"}`) ?? 0);
    expect(dropped.reduce((sum, count) => sum + count)).toBe(crowd.length - left.length);
    for (const socket of left) socket.destroy();
    for (const client of clients) client.close();
    await sleep(200);
    expect((await healthOf(full)).status).toBe('ready');
    await crowded.close();
    crowded = undefined;
  }, 90_000);

  test('gives a connection to the worker that has room when the others are full', async () => {
    const room = 30;
    crowded = await startServerProcesses(besides, 1, ENVIRONMENT, { openFiles: LIMITS.spareFiles + room });
    const [full] = crowded.servers;
    if (full === undefined) throw new Error('no server');
    const openClient = async () => {
      const client = new KeptClient(full.baseUrl);
      const { body } = await client.ask<{ serverName: string }>(SERVICE_PATHS.ready);
      return { client, worker: Number(body.serverName.at(-1)) };
    };
    // One after the other, each waits for its answer: as many as there is room for in both.
    const clients = [];
    while (clients.length < 2 * room) clients.push(await openClient());
    await expect(openClient()).rejects.toThrow();
    const ofSecond = clients.filter(({ worker }) => worker === 2);
    expect(ofSecond).toHaveLength(room);

    for (const { client } of ofSecond.splice(0, 20)) client.close();
    await sleep(2 * LIMITS.roomTellMs + BUSY_MS);
    const later = await Promise.all(Array.from({ length: 20 }, openClient));
    expect(later.map(({ worker }) => worker)).toEqual(Array(20).fill(2));
    await untilFiguresAreNew();
    const figures = await figuresOf(later[0]?.client ?? new KeptClient(full.baseUrl));
    const dropped = [1, 2].map((worker) => figures.get(`fest_connections_dropped_total{worker="${worker}"}`) ?? 0);
    expect(dropped.reduce((sum, count) => sum + count)).toBe(1);

    // And when none has any, nobody goes round and round.
    await expect(openClient()).rejects.toThrow();
    for (const { client } of [...clients, ...later]) client.close();
    await crowded.close();
    crowded = undefined;
  }, 90_000);

  test('replaces a worker that was told to end by itself', async () => {
    const before = workerPids(server).get(1) ?? 0;
    process.kill(before, 'SIGTERM');
    await until(async () => hasEnded(before), Boolean, 20_000);
    await until(isWhole, Boolean, 40_000);
    expect(workerPids(server).get(1)).not.toBe(before);
  }, 90_000);

  test('ends as a whole when it is told to, and its logs need nobody any more', async () => {
    const logDirs = findLogs(server.logDirectory, 1);
    const pids = [...workerPids(server).values()];
    expect(await server.stop()).toBe(0);
    expect(pids.map(hasEnded)).toEqual([true, true]);
    expect(logDirs.map(findLogUse)).toEqual([{ status: 'closed' }, { status: 'closed' }]);
    expect(await Promise.all(logDirs.map(isRetired))).toEqual([true, true]);
    await server.restart();
    expect(await isWhole()).toBe(true);
  }, 90_000);

  test('whose primary is killed finishes what it is at and ends', async () => {
    const logDirs = findLogs(server.logDirectory, 1);
    const pids = [...workerPids(server).values()];
    await server.kill();
    await until(async () => pids.every(hasEnded), Boolean, 15_000);
    expect(await Promise.all(logDirs.map(isRetired))).toEqual([true, true]);
    // Who starts it again at once finds the logs free, or waits for them.
    await server.restart();
    const sale = await besides.createSale();
    const client = await connectTo(server, 1);
    await buyThrough(client, sale);
    client.close();
  }, 90_000);

  test('with another number of workers brings in the logs of those it has not any more', async () => {
    const sale = await besides.createSale();
    const client = await connectTo(server, 2);
    await buyThrough(client, sale);
    client.close();
    const second = `${server.logDirectory}/worker-2`;
    const pids = [...workerPids(server).values()];
    // In a way that leaves no time to retire anything.
    for (const pid of [server.pid(), ...pids]) process.kill(pid, 'SIGKILL');
    await until(async () => pids.every(hasEnded), Boolean);
    await server.kill();
    expect(await isRetired(second)).toBe(false);
    await server.restart({ FEST_WORKERS: '1' });
    expect(await isRetired(second)).toBe(true);
    expect(findLogs(server.logDirectory, 0)).toEqual([server.logDirectory]);
    await server.kill();
    expect(await isRetired(server.logDirectory)).toBe(false);
    await server.restart();
    expect(await isRetired(server.logDirectory)).toBe(true);
    expect(await isWhole()).toBe(true);
  }, 120_000);

  test('that cannot start ends with its message and an exit code', async () => {
    const child = spawnBadly();
    let printed = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    const [exitCode] = await once(child, 'exit');
    expect(exitCode).toBe(1);
    expect(printed).toContain('EADDRINUSE');
    // Once, not for each worker.
    expect(printed.split('fest-server cannot start').length).toBe(2);
  }, 90_000);
});

/** On a port that is taken. */
function spawnBadly(): ChildProcess {
  const { redisUrl, mysqlUrl } = besides.stores;
  const { config } = besides.services;
  const main = new URL('../../packages/server/src/main.ts', import.meta.url).pathname;
  return spawn(process.execPath, [main], {
    env: {
      ...process.env,
      FEST_WORKERS: '3',
      FEST_PORT: new URL(server.baseUrl).port,
      FEST_REDIS_URL: redisUrl,
      FEST_MYSQL_URL: mysqlUrl,
      FEST_LOG_DIR: `${besides.stores.logDirectory}-that-cannot-start`,
      FEST_GATEWAY_DIR: besides.stores.gatewayDirectory,
      FEST_JWT_SECRET: config.jwtSecret,
      FEST_QUEUE_TOKEN_SECRET: config.queueTokenSecret,
      FEST_TICKET_SIGNING_SEED: config.ticketSigningSeed.toString('base64'),
      FEST_LOG_LEVEL: 'fatal',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}
