/**
 * Every check of the readiness, broken in turn, and what the built `fest sale open` says to it: refused with 7 and the remedy, or, for
 * what keeps nobody from opening, told before the opening.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saveCredentials } from '@fest/cli/credentials';
import { EXIT } from '@fest/cli/exit-codes';
import { type Engine, type Engines, startEngines } from '@fest/cli/local-stack/engines';
import { READINESS_CHECKS, type ReadinessCheckId } from '@fest/server/contract/operations';
import { pathOf } from '@fest/server/contract/paths';
import { LIMITS } from '@fest/server/limits';
import { changeRows } from '@fest/server/platform/mysql-statements';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { GatewayStub } from '../support/gateway-stub.ts';
import { ask } from '../support/purchase.ts';
import { listen } from '../support/raw-http.ts';
import { FEST } from '../support/spawned-stack.ts';
import { buildTestApp, type TestApp, type TestAppOptions, type TestBuyer } from '../support/test-app.ts';
import { until } from '../support/visitor.ts';

interface World {
  readonly server: TestApp;
  readonly operator: TestBuyer;
  readonly saleId: number;
}

interface Break {
  readonly check: ReadinessCheckId;
  readonly how: string;
  readonly options?: () => TestAppOptions;
  readonly sale?: Parameters<TestApp['createSale']>[0];
  /** Resolves with what mends it where that is not the end of the server. */
  readonly breakIt?: (world: World) => Promise<undefined | (() => Promise<unknown>)>;
  readonly found: string;
  /** As it is printed, `<id>` for the sale's. */
  readonly remedy: string;
  readonly opens?: boolean;
}

const LOST_LOG = '0f3c19d2'.padEnd(32, 'b');
const INSERT_LOG = 'INSERT INTO applier_positions (log_id, server, lsn, updated_at_ms) VALUES (?)';
const addLostLog = ({ server }: World) => changeRows(server.services.mysql, INSERT_LOG, [[LOST_LOG, 'server-9', 7, 1]]);
const stalled = new GatewayStub();
const DAY_MS = 86_400_000;

/** An engine that is not there at all, until what is returned is called. */
async function stopEngine({ process: engine }: Engine): Promise<() => Promise<void>> {
  if (engine === undefined) throw new Error('not a private engine');
  await engine.stop();
  return () => engine.start();
}

/** Until the server has heard that the sale was made: messages come in the order in which they were sent. */
async function untilHeard({ server: { core }, saleId }: World): Promise<void> {
  const last = 424_242;
  const heard = Promise.withResolvers<void>();
  core.catalogue.onChange(({ saleIds }) => {
    if (saleIds.includes(last)) heard.resolve();
  });
  await core.catalogue.announce({ festivalId: 1, saleIds: [saleId, last] });
  await heard.promise;
}

async function setRedis({ server }: World, name: string, value: string): Promise<() => Promise<unknown>> {
  const { redis } = server.services;
  const [, before = ''] = (await redis.config('GET', name)) as string[];
  await redis.config('SET', name, value);
  return () => redis.config('SET', name, before);
}

/** Durable and not in MySQL: the applier has stopped. */
async function fillLog({ server, saleId }: World): Promise<undefined> {
  await server.core.applier.stop();
  const settings = { mode: 'fixed', perSecond: 50, maxActive: 500 } as const;
  const change = {
    type: 'admissionChanged',
    saleId,
    epoch: 1,
    at: 1,
    operatorId: 1,
    ...settings,
    from: settings,
  } as const;
  const count = LIMITS.readyLagRecords + 1;
  await Promise.all(
    Array.from({ length: count }, (_, index) => server.core.log.append({ ...change, admissionSeq: index + 1 })),
  );
}

let own: Engines;
let engineFolder: string;

const BREAKS: readonly Break[] = [
  {
    check: 'state',
    how: 'it is being built anew, and a log is missing',
    async breakIt(world) {
      await addLostLog(world);
      await ask(world.server, world.operator, 'POST', `/sales/${world.saleId}/rebuild`);
      const waitedFor = async () => (await world.server.core.rebuilds.status(world.saleId))?.waitingFor ?? [];
      await until(waitedFor, (logs) => logs.length === 1);
      return undefined;
    },
    found: 'it is being built anew (operator',
    remedy:
      'Start server-9 again; if it never comes back: fest log replay --dir <its order log> --retire, ' +
      'or without a copy of it fest log retire 0f3c19d2 --lost',
  },
  {
    check: 'stock',
    how: 'a ticket is missing in Redis',
    async breakIt({ server, saleId }) {
      await server.services.redis.hset(saleKeys.sale(saleId), { available: 99 });
      return undefined;
    },
    found: '99 available + 0 held + 0 sold is not the capacity, 100',
    remedy: 'Build the stock anew from what is sold: fest sale rebuild <id>',
  },
  {
    check: 'settings',
    how: 'Redis has an older version',
    options: () => ({ started: false }),
    async breakIt({ server, saleId }) {
      await server.services.redis.hset(saleKeys.sale(saleId), { version: 0 });
      return undefined;
    },
    found: 'Redis has version 0 with 100 tickets, and MySQL 1 with 100',
    remedy: 'Servers put it right within seconds: check again. If it stays so, their logs say why.',
  },
  {
    check: 'times',
    how: 'the closing time has passed',
    options: () => ({ started: false }),
    async breakIt({ server, saleId }) {
      // Redis has the times from before: else the sale would be closed already.
      const times = [Date.now() - 2 * DAY_MS, Date.now() - DAY_MS, saleId];
      await server.services.mysql.query('UPDATE sales SET opens_at_ms = ?, closes_at_ms = ? WHERE id = ?', times);
      await server.core.catalogue.announce({ festivalId: 1, saleIds: [saleId] });
      return undefined;
    },
    found: 'the closing time has passed, and a closed sale stays closed',
    remedy: 'Make a new sale with a later closesAt.',
  },
  {
    check: 'deadlines',
    how: 'a hold is shorter than the gateway may take',
    sale: { holdSeconds: 5 },
    found: 'a hold lasts 5 s, and the gateway may take 10 s for one payment',
    remedy: 'Set holdSeconds to 20 or more: the organizer corrects it with PATCH /sales/{id}.',
  },
  {
    check: 'admission',
    how: 'the rate is 0',
    async breakIt({ server, operator, saleId }) {
      const body = { mode: 'fixed', perSecond: 0 };
      await ask(server, operator, 'PUT', `/sales/${saleId}/admission`, { body });
      return undefined;
    },
    found: 'nobody is admitted: perSecond is 0',
    remedy: 'fest sale rate <id> --per-second 50',
  },
  {
    check: 'sessions',
    how: 'a purchase may take longer than an access token holds',
    sale: { holdSeconds: 3_600, admissionSeconds: 3_600 },
    found: 'one purchase may take 2 h, and an access token is good for 30 min',
    remedy: 'Make sure that they do, or shorten admissionSeconds and holdSeconds',
    opens: true,
  },
  {
    check: 'gateway',
    how: 'it does not answer',
    options: () => ({ gateway: stalled }),
    async breakIt() {
      const release = stalled.stall();
      return async () => release();
    },
    found: 'The gateway: no answer within 3 s',
    remedy: 'Look at the gateway, its address and its credentials; without it every payment stays pending.',
  },
  {
    check: 'orderLog',
    how: 'its disk is full',
    async breakIt({ server }) {
      const { log } = server.core;
      const stats = log.stats();
      const full = vi.spyOn(log, 'stats').mockReturnValue({ ...stats, outOfSpace: true });
      return async () => full.mockRestore();
    },
    found: 'has no room for another segment: no payment is begun',
    remedy: 'Free space on that disk; the server notices within a second.',
  },
  {
    check: 'logSpace',
    how: 'its disk has less than the sale takes',
    options: () => ({ readFreeBytes: async () => 1024 ** 2 }),
    found: '1.0 MiB free at',
    remedy: 'Free space on that disk, or set FEST_LOG_KEEP_RECORDS so that old segments go.',
  },
  {
    check: 'logLag',
    how: 'the applier has stopped',
    breakIt: fillLog,
    found: `${LIMITS.readyLagRecords + 1} records of this server are not in MySQL yet`,
    remedy: "Wait until MySQL has caught up; the server's log says what keeps it.",
  },
  {
    check: 'refusedRecords',
    how: 'MySQL has refused a record',
    async breakIt({ server }) {
      const sql = 'INSERT INTO failed_records (log_id, lsn, sale_id, type, record, error, failed_at_ms) VALUES (?)';
      await changeRows(server.services.mysql, sql, [['a'.repeat(32), 1, 99, 'orderPaid', '{}', 'refused', 1]]);
      return undefined;
    },
    found: '1 record nobody has dealt with',
    remedy: 'See which and why: fest log failed; then, with the cause gone: fest log failed --retry',
  },
  {
    check: 'mysql',
    how: 'it has stopped',
    async breakIt(world) {
      // Somebody has looked at it lately, as buyers do all the time; what is read while news of it come is not kept.
      await untilHeard(world);
      await ask(world.server, world.operator, 'GET', `/sales/${world.saleId}`);
      return stopEngine(own.mysql);
    },
    found: 'MySQL: ',
    remedy: 'Start it, or correct FEST_MYSQL_URL; the sale would sell without it, and nobody could log in.',
  },
  {
    check: 'mysql',
    how: 'a migration is missing',
    async breakIt({ server }) {
      await changeRows(server.services.mysql, 'DELETE FROM migrations WHERE name LIKE ?', ['0003%']);
      return undefined;
    },
    found: 'it lacks 0003-failed-and-lost',
    remedy: 'Restart a server of this release: servers run what is missing when they start.',
  },
  {
    check: 'redis',
    how: 'it may drop keys',
    breakIt: (world) => setRedis(world, 'maxmemory-policy', 'allkeys-lru'),
    found: 'maxmemory-policy is allkeys-lru: it would drop holds when memory runs short',
    remedy: 'CONFIG SET maxmemory-policy noeviction, and the same in its configuration file.',
  },
  {
    check: 'redis',
    how: 'it has stopped',
    breakIt: () => stopEngine(own.redis),
    found: 'Redis: not connected',
    remedy: 'Start it, or correct FEST_REDIS_URL: nothing is sold without it.',
  },
  {
    check: 'redisMemory',
    how: 'it may take 16 MiB',
    breakIt: (world) => setRedis(world, 'maxmemory', '16mb'),
    found: "of maxmemory are free of Redis's own data; a line of 1000000 and its buyers take",
    remedy: 'mb or more, on a machine that has it.',
  },
  {
    check: 'clocks',
    how: "Redis's is 5 s ahead",
    options: () => ({ clockReaders: { redis: async () => Date.now() + 5_000 } }),
    found: 'of the time this server goes by: Redis 5.0 s ahead',
    remedy:
      'Synchronise the machines (chrony, or another NTP client). Servers look once a minute; restart one whose own time is off.',
  },
  {
    check: 'servers',
    how: 'one of them is silent',
    async breakIt(world) {
      await addLostLog(world);
      return undefined;
    },
    found: 'server-9',
    remedy: 'Start it again. While it is away a rebuild of the sale would wait for its order log',
    opens: true,
  },
];

/** The built command, as somebody who is logged in. */
async function festSaleOpen({ server, operator, saleId }: World) {
  const home = mkdtempSync(join(tmpdir(), 'fest-readiness-home-'));
  const url = `http://127.0.0.1:${await listen(server)}`;
  const session = { email: 'ops@example.org', accessToken: operator.token, refreshToken: '' };
  saveCredentials({ HOME: home }, url, { ...session, expiresAtMs: Number.MAX_SAFE_INTEGER });
  const args = [FEST, 'sale', 'open', String(saleId), '--yes', '--url', url];
  const env = { HOME: home, PATH: process.env.PATH };
  const { promise, resolve } = Promise.withResolvers<{ exitCode: number; stdout: string; stderr: string }>();
  execFile(process.execPath, args, { cwd: home, env }, (error, stdout, stderr) =>
    resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr }),
  );
  try {
    return await promise;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

describe('fest sale open', () => {
  beforeAll(async () => {
    engineFolder = mkdtempSync(join(tmpdir(), 'fest-readiness-'));
    own = await startEngines({ directory: engineFolder, env: { PATH: process.env.PATH } });
  });
  afterAll(async () => {
    await own?.stop();
    rmSync(engineFolder, { recursive: true, force: true });
  });

  async function build({ options, sale }: Pick<Break, 'options' | 'sale'>): Promise<World> {
    const server = await buildTestApp({ engines: own, config: { mysqlPoolSize: 4 }, ...options?.() });
    const operator = await server.createAccount(['operator'], 'Ada');
    const { id: saleId } = await server.createSale({ opened: false, refundUntil: refundUntil(), ...sale });
    return { server, operator, saleId };
  }

  const refundUntil = (): string => new Date(Date.now() + 40 * DAY_MS).toISOString();

  test('breaks each check there is', () => {
    expect(new Set(BREAKS.map(({ check }) => check))).toEqual(new Set(READINESS_CHECKS));
  });

  test('opens a sale with nothing wrong', async () => {
    const world = await build({});
    try {
      expect(await festSaleOpen(world)).toMatchObject({
        exitCode: EXIT.done,
        stdout: expect.stringMatching(/phase +open/),
      });
    } finally {
      await world.server.close();
    }
  });

  test('tells what to mend also when MySQL has stopped and nobody has looked at the sale lately', async () => {
    // Whoever records or shows sales asks for their names every now and then: here nobody does.
    const world = await build({ options: () => ({ started: false }) });
    const start = await stopEngine(own.mysql);
    try {
      const { exitCode, stderr } = await festSaleOpen(world);
      expect(exitCode).toBe(EXIT.refused);
      expect(stderr).toContain('start MySQL, or correct FEST_MYSQL_URL, and check again');
    } finally {
      await start();
      await world.server.close();
    }
  });

  test.each(BREAKS)('$check: $how', async ({ check, breakIt, found, remedy, opens = false, ...setting }) => {
    const world = await build(setting);
    const { server, operator, saleId } = world;
    let mend: undefined | (() => Promise<unknown>);
    try {
      mend = await breakIt?.(world);
      const { exitCode, stdout, stderr } = await festSaleOpen(world);
      if (process.env.FEST_TEST_SHOW !== undefined) process.stdout.write(`== ${check}: ${setting.how}\n${stderr}\n`);
      const lines = stderr.split('\n');
      const at = lines.findIndex((line) => line.includes(`${check}: `) && line.includes(found));
      expect(at, stderr).toBeGreaterThanOrEqual(0);
      expect(lines[at + 1]).toContain(remedy.replaceAll('<id>', String(saleId)));
      expect(exitCode).toBe(opens ? EXIT.done : EXIT.checkFailed);
      if (opens) expect(lines[at]).toContain('Warning: ');
      else expect(stdout).toBe('');
      await mend?.();
      mend = undefined;
      const { body } = await ask<{ phase: string }>(
        server,
        operator,
        'GET',
        pathOf('sale', { saleId }).slice('/api/v1'.length),
      );
      if (check !== 'state') expect(body.phase).toBe(opens ? 'open' : 'scheduled');
    } finally {
      await mend?.();
      await server.close();
    }
  });
});
