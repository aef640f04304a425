/** Servers are replaced while people buy, and nobody's request fails because of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { auditSale } from '@fest/server/audit/audit-sale';
import { collectEvidence } from '@fest/server/audit/collect-evidence';
import { waitUntilDrained } from '@fest/server/audit/drain';
import { SERVICE_PATHS } from '@fest/server/contract/paths';
import type { Sale } from '@fest/server/contract/schemas';
import { findLogs } from '@fest/server/features/archive/left-logs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { KeptClient } from '../support/kept-client.ts';
import { type ServerProcess, startServerProcesses } from '../support/server-processes.ts';
import { SteadyBuyers } from '../support/steady-buyers.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';
import { newVisitors, until, type Visitor } from '../support/visitor.ts';
import { healthOf, workerPids } from '../support/worker-processes.ts';

const BUYERS = 2_500;
const AT_ONCE = 24;

/** Neither declines nor is slow: whatever fails is the servers' fault. */
const ENVIRONMENT = {
  FEST_GATEWAY_LATENCY_MS: '40',
  FEST_GATEWAY_LATENCY_SIGMA: '0',
  FEST_GATEWAY_DECLINE_RATE: '0',
  FEST_GATEWAY_TIMEOUT_RATE: '0',
  FEST_GATEWAY_UNKNOWN_RATE: '0',
};

let besides: TestApp;
beforeAll(async () => {
  besides = await buildTestApp();
});
afterAll(() => besides?.close());

async function openLoad(chooseServer: () => string): Promise<{ load: SteadyBuyers; sale: Sale }> {
  const sale = await besides.createSale({ capacity: BUYERS });
  const buyers: Visitor[] = [];
  while (buyers.length < BUYERS) buyers.push(...(await newVisitors(besides, 250)));
  return { load: new SteadyBuyers({ saleId: sale.id, buyers, atOnce: AT_ONCE, chooseServer }), sale };
}

/** Returns how many are by then. */
function untilMoreAreBought(load: SteadyBuyers): Promise<number> {
  const before = load.purchases.length;
  return until(
    async () => load.purchases.length,
    (bought) => bought >= before + AT_ONCE || load.failures.length > 0,
    30_000,
  );
}

/** Everything that was told is in the logs, in MySQL and in Redis, and nothing else. */
async function expectNothingLost(sale: Sale, load: SteadyBuyers, logDirs: readonly string[]): Promise<void> {
  const { redisUrl, mysqlUrl, logDirectory } = besides.stores;
  const all = [logDirectory, ...logDirs];
  expect(await waitUntilDrained({ mysqlUrl, logDirs: all, timeoutMs: 15_000 })).toBe(true);
  const claims = load.purchases.map(({ paymentId, orderId }) => ({ saleId: sale.id, paymentId, orderId }));
  const [evidence] = await collectEvidence({ redisUrl, mysqlUrl, logDirs: all, saleIds: [sale.id], claims });
  if (evidence === undefined) throw new Error('no evidence');
  const { findings, compared } = auditSale(evidence);
  expect(findings).toEqual([]);
  expect(compared.liveTickets).toBe(load.purchases.length);
}

type Verdict = 'healthy' | 'unhealthy' | 'unknown';

async function probe({ baseUrl }: ServerProcess): Promise<Verdict> {
  const client = new KeptClient(baseUrl);
  try {
    return (await client.ask(SERVICE_PATHS.ready, { withinMs: 2_000 })).status === 200 ? 'healthy' : 'unhealthy';
  } catch (error) {
    // On a busy machine an answer may be late; a port that is closed is closed.
    return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED' ? 'unhealthy' : 'unknown';
  } finally {
    client.close();
  }
}

/** As a load balancer asks for the health of its servers, each over a connection of its own. */
function balance(servers: readonly ServerProcess[], everyMs: number) {
  let healthy = servers.map(({ baseUrl }) => baseUrl);
  let turn = 0;
  let goesOn = true;
  const done = (async () => {
    for (; goesOn; await sleep(everyMs)) {
      const verdicts = await Promise.all(servers.map(probe));
      healthy = servers
        .map(({ baseUrl }) => baseUrl)
        .filter((url, at) => verdicts[at] === 'healthy' || (verdicts[at] === 'unknown' && healthy.includes(url)));
    }
  })();
  return {
    get healthy() {
      return healthy;
    },
    choose(): string {
      turn += 1;
      // As balancers do: when all seem to be ill, it is the balancer that is mistaken.
      const among = healthy.length > 0 ? healthy : servers.map(({ baseUrl }) => baseUrl);
      return among[turn % among.length] ?? '';
    },
    async stop(): Promise<void> {
      goesOn = false;
      await done;
    },
  };
}

integration('a rolling restart under load', () => {
  test('of two workers fails no request and loses no order', async () => {
    const processes = await startServerProcesses(besides, 1, { ...ENVIRONMENT, FEST_WORKERS: '2' });
    const [server] = processes.servers;
    if (server === undefined) throw new Error('no server');
    try {
      const { load, sale } = await openLoad(() => server.baseUrl);
      const before = workerPids(server);
      expect([...before.keys()].sort()).toEqual([1, 2]);
      load.start();
      const boughtBefore = await untilMoreAreBought(load);
      process.kill(server.pid(), 'SIGHUP');
      const isRolled = async () => {
        const now = workerPids(server);
        const areNew = [1, 2].every((worker) => now.has(worker) && now.get(worker) !== before.get(worker));
        return areNew && (await healthOf(server)).status === 'ready';
      };
      await until(isRolled, Boolean, 90_000);
      const boughtMeanwhile = load.purchases.length - boughtBefore;
      await untilMoreAreBought(load);
      await load.stop();
      expect(load.failures).toEqual([]);
      expect(load.shed).toBeLessThan(load.requests / 100);
      expect(boughtMeanwhile).toBeGreaterThan(0);
      console.log(
        `two workers: ${load.requests} requests, ${load.purchases.length} orders, none failed, ${load.shed} shed`,
      );
      await expectNothingLost(sale, load, processes.servers.flatMap(logsOf));
    } finally {
      await processes.close();
    }
  }, 180_000);

  test('of two servers behind a load balancer fails no request and loses no order', async () => {
    const processes = await startServerProcesses(besides, 2, { ...ENVIRONMENT, FEST_LAME_DUCK_MS: '4000' });
    const balancer = balance(processes.servers, 200);
    try {
      const { load, sale } = await openLoad(() => balancer.choose());
      load.start();
      await untilMoreAreBought(load);
      for (const server of processes.servers) {
        const others = processes.servers.filter((other) => other !== server).map(({ baseUrl }) => baseUrl);
        await until(
          async () => balancer.healthy.length,
          (count) => count === 2,
          30_000,
        );
        const stopping = server.stop();
        await until(
          async () => balancer.healthy,
          (healthy) => healthy.join() === others.join(),
          30_000,
        );
        expect(await stopping).toBe(0);
        await sleep(300);
        await server.restart();
      }
      await until(
        async () => balancer.healthy.length,
        (count) => count === 2,
        30_000,
      );
      await untilMoreAreBought(load);
      await load.stop();
      expect(load.failures).toEqual([]);
      expect(load.shed).toBeLessThan(load.requests / 100);
      expect(load.purchases.length).toBeGreaterThan(0);
      console.log(
        `two servers: ${load.requests} requests, ${load.purchases.length} orders, none failed, ${load.shed} shed`,
      );
      await expectNothingLost(sale, load, processes.servers.flatMap(logsOf));
    } finally {
      await balancer.stop();
      await processes.close();
    }
  }, 180_000);
});

function logsOf({ logDirectory }: ServerProcess): readonly string[] {
  return findLogs(logDirectory, 1);
}
