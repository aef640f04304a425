/** A whole server in this process, on a database and a Redis database of its own. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApp } from '@fest/server/app';
import { type Config, parseConfig } from '@fest/server/config';
import type { Sale, SaleInput } from '@fest/server/contract/schemas';
import type { Role } from '@fest/server/contract/words';
import type { PaymentGateway } from '@fest/server/features/payments/gateway';
import type { PaymentProcessorOptions } from '@fest/server/features/payments/payment-processor';
import { SimulatedGateway } from '@fest/server/features/payments/simulated-gateway';
import { createFleet, type Fleet } from '@fest/server/fleet-core';
import { createAccessTokens } from '@fest/server/platform/access-tokens';
import type { Clock } from '@fest/server/platform/clock';
import { type ClockReaders, ClockWatch, createClockReaders } from '@fest/server/platform/clock-sources';
import type { FestApp } from '@fest/server/platform/fest-app';
import type { LameDuck } from '@fest/server/platform/lame-duck';
import { createLogger } from '@fest/server/platform/logger';
import { createMysqlPool, migrate } from '@fest/server/platform/mysql';
import { selectRows } from '@fest/server/platform/mysql-statements';
import { LoadShedder, type LoadShedderOptions } from '@fest/server/platform/overload/load-shedder';
import type { ProcessHealth } from '@fest/server/platform/process-health';
import { connectRedis, connectSubscriber } from '@fest/server/platform/redis';
import { openTracing } from '@fest/server/platform/tracing';
import { createSaleCore, type SaleCore } from '@fest/server/sale-core';
import type { Services } from '@fest/server/services';
import mysql from 'mysql2/promise';
import { type DestinationStream, destination } from 'pino';
import type { TestEngines } from './engines-setup.ts';
import { engines } from './integration.ts';

export interface TestAppOptions {
  /** Another server of the same deployment: shares its database and its Redis. */
  readonly besides?: TestApp;
  /** Engines of the test's own, which it may hang or kill. */
  readonly engines?: TestEngines;
  readonly clock?: Clock;
  /** In place of the real clocks that the server's clock is made from. */
  readonly clockReaders?: Partial<ClockReaders>;
  readonly gateway?: PaymentGateway;
  readonly serverName?: string;
  readonly logDirectory?: string;
  readonly config?: Partial<Config>;
  /** What the admission goes by in mode `auto`; without it, as if the server had nothing to do. */
  readonly processHealth?: ProcessHealth;
  /** False: neither ticker nor sweeper run; the test drives them through `core`. Default true. */
  readonly started?: boolean;
  readonly lameDuck?: LameDuck;
  /** Without it one whose loop is never late (`calmShedder`). */
  readonly loadShedder?: LoadShedder;
  /** Where the log goes, a line each; without it to stdout. */
  readonly logTo?: DestinationStream;
  /** True: as a real server does, the metrics are told for a second as they were. Default false. */
  readonly sharesMetrics?: boolean;
  /** In place of what the disk says of the order log's file system. */
  readonly readFreeBytes?: (directory: string) => Promise<number>;
  readonly onPaymentStep?: NonNullable<PaymentProcessorOptions['onStep']>;
}

export interface TestBuyer {
  readonly id: number;
  readonly token: string;
}

export interface TestApp {
  readonly app: FestApp;
  readonly services: Services;
  readonly core: SaleCore;
  readonly fleet: Fleet;
  readonly stores: {
    readonly mysqlUrl: string;
    readonly redisUrl: string;
    readonly logDirectory: string;
    readonly gatewayDirectory: string;
  };
  /** A bearer token for any account id. */
  tokenFor(accountId: number, roles: readonly Role[]): string;
  /** A new account row with a token, without hashing a password. */
  createAccount(roles?: readonly Role[], name?: string): Promise<TestBuyer>;
  /** Of the account that made the festival. */
  organizerToken(festivalId: number): Promise<string>;
  /** A festival with one sale, opened unless `phase` says otherwise. Admission is wide open. */
  createSale(input?: Partial<SaleInput> & { readonly opened?: boolean }): Promise<Sale>;
  close(): Promise<void>;
}

/** A clock the test moves. */
export class ManualClock implements Clock {
  #nowMs: number;
  constructor(nowMs = Date.UTC(2027, 0, 1)) {
    this.#nowMs = nowMs;
  }
  nowMs(): number {
    return this.#nowMs;
  }
  advance(ms: number): void {
    this.#nowMs += ms;
  }
}

/** A MySQL database and an empty Redis database for one test file. */
export async function createStores(given: TestEngines = engines()): Promise<{ mysqlUrl: string; redisUrl: string }> {
  const name = `fest_test_${randomBytes(6).toString('hex')}`;
  const connection = await mysql.createConnection({ uri: given.mysqlUrl });
  await connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  await connection.end();
  const mysqlUrl = new URL(given.mysqlUrl);
  mysqlUrl.pathname = `/${name}`;
  const redisUrl = new URL(given.redisUrl);
  // Test files of one worker run one after the other, so a Redis database per worker is enough.
  redisUrl.pathname = `/${Number(process.env.VITEST_POOL_ID ?? '1') % 16}`;
  const redis = await connectRedis(redisUrl.href);
  await redis.flushdb();
  redis.disconnect();
  return { mysqlUrl: mysqlUrl.href, redisUrl: redisUrl.href };
}

export async function buildTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const stores = options.besides?.stores ?? (await createStores(options.engines));
  const directory = await mkdtemp(join(tmpdir(), 'fest-app-'));
  const logDirectory = options.logDirectory ?? join(directory, 'log');
  const gatewayDirectory = options.besides?.stores.gatewayDirectory ?? join(directory, 'gateway');
  const serverName = options.serverName ?? (options.besides === undefined ? 'server-1' : 'server-2');
  const config: Config = {
    ...parseConfig({
      FEST_REDIS_URL: stores.redisUrl,
      FEST_MYSQL_URL: stores.mysqlUrl,
      FEST_LOG_DIR: logDirectory,
      FEST_SERVER_NAME: serverName,
      FEST_JWT_SECRET: 'test-jwt-secret-test-jwt-secret-test',
      FEST_QUEUE_TOKEN_SECRET: 'test-queue-secret-test-queue-secret',
      FEST_TICKET_SIGNING_SEED: Buffer.alloc(32, 7).toString('base64'),
      FEST_PASSWORD_COST_LOG2: '12',
      FEST_LOG_LEVEL: process.env.FEST_TEST_LOG_LEVEL ?? 'silent',
    }),
    ...options.config,
  };
  await migrate(config.mysqlUrl);
  const logger = createLogger(config, {}, options.logTo ?? destination(1));
  const redis = await connectRedis(config.redisUrl);
  const mysqlPool = createMysqlPool(config.mysqlUrl, config.mysqlPoolSize);
  const readers = { ...createClockReaders({ redis, mysql: mysqlPool }), ...options.clockReaders };
  const clockWatch = await ClockWatch.begin({ readers, logger });
  const services: Services = {
    config,
    clock: options.clock ?? clockWatch.clock,
    logger,
    redis,
    subscriber: await connectSubscriber(config.redisUrl),
    mysql: mysqlPool,
    accessTokens: createAccessTokens(config.jwtSecret),
  };
  const gateway = options.gateway ?? createTestGateway(gatewayDirectory, serverName, services.clock);
  const { processHealth } = options;
  const core = await createSaleCore({
    services,
    gateway,
    ...(processHealth === undefined ? {} : { health: () => processHealth.read() }),
    ...(options.onPaymentStep === undefined ? {} : { onPaymentStep: options.onPaymentStep }),
  });
  const { lameDuck } = options;
  const fleet = createFleet({ services, core, isLeaving: () => lameDuck?.begun === true });
  const tracing = await openTracing(config, logger);
  const app = await buildApp({
    services,
    core,
    fleet,
    ...(tracing === undefined ? {} : { tracing }),
    ...(processHealth === undefined ? {} : { processHealth }),
    clocksAheadSeconds: () => clockWatch.aheadSeconds,
    ...(options.lameDuck === undefined ? {} : { lameDuck: options.lameDuck }),
    loadShedder: options.loadShedder ?? calmShedder(),
    ...(options.readFreeBytes === undefined ? {} : { readFreeBytes: options.readFreeBytes }),
    // As they are, for a test that asks and asks.
    ...(options.sharesMetrics === true ? {} : { tellMetrics: (own) => () => own.metrics() }),
    health: async () => ({ draining: false, redis: true, mysql: true, orderLog: true, applierLag: 0, serverName }),
  });
  if (options.started !== false) {
    await core.start();
    fleet.start();
  } else core.applier.start();
  await app.ready();
  let closed = false;
  return {
    app,
    services,
    core,
    fleet,
    stores: { mysqlUrl: stores.mysqlUrl, redisUrl: stores.redisUrl, logDirectory, gatewayDirectory },
    tokenFor: (accountId, roles) => services.accessTokens.sign({ accountId, roles, sessionId: 'test' }),
    createAccount: (roles = ['buyer'], name = 'Test Buyer') => createAccount(services, roles, name),
    organizerToken: (festivalId) => organizerToken(services, festivalId),
    createSale: (input = {}) => createSale(app, services, core, input),
    async close() {
      if (closed) return;
      closed = true;
      await app.close();
      await core.stop();
      await fleet.stop();
      await tracing?.stop();
      services.redis.disconnect();
      services.subscriber.disconnect();
      await services.mysql.end();
      if (options.logDirectory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * One that takes its event loop for idle. A test sends at once what no client would, on a machine that is busy with other tests:
 * joins would be refused as they should be, and the test would not have asked what it meant to ask.
 */
export function calmShedder(options: Omit<LoadShedderOptions, 'clocks'> = {}): LoadShedder {
  return new LoadShedder({ ...options, clocks: { nowMs: () => 0, cpuMs: () => 0 } });
}

/** Fast and always willing, so that tests say what they need. */
export function createTestGateway(directory: string, name: string, clock: Clock): SimulatedGateway {
  return new SimulatedGateway({
    directory,
    name,
    seed: 'test',
    clock,
    latencyMs: 5,
    latencySigma: 0,
    declineRate: 0,
    timeoutRate: 0,
    unknownRate: 0,
    timeoutMs: 1_000,
  });
}

async function createAccount(services: Services, roles: readonly Role[], name: string): Promise<TestBuyer> {
  const [result] = await services.mysql.query<mysql.ResultSetHeader>(
    'INSERT INTO accounts (email, password_hash, name, roles, created_at_ms) VALUES (?, NULL, ?, ?, ?)',
    [`${randomBytes(8).toString('hex')}@test.invalid`, name, roles.join(','), services.clock.nowMs()],
  );
  const id = result.insertId;
  return { id, token: services.accessTokens.sign({ accountId: id, roles, sessionId: 'test' }) };
}

async function organizerToken({ mysql, accessTokens }: Services, festivalId: number): Promise<string> {
  const sql = 'SELECT organizer_id AS id FROM festivals WHERE id = ?';
  const [organizer] = await selectRows<{ id: number }>(mysql, sql, [festivalId]);
  if (organizer === undefined) throw new Error(`there is no festival ${festivalId}`);
  return accessTokens.sign({ accountId: organizer.id, roles: ['organizer'], sessionId: 'test' });
}

async function createSale(
  app: FestApp,
  services: Services,
  core: SaleCore,
  { opened = true, ...input }: Partial<SaleInput> & { readonly opened?: boolean },
): Promise<Sale> {
  const organizer = await createAccount(services, ['organizer'], 'Test Organizer');
  const operator = await createAccount(services, ['operator'], 'Test Operator');
  const nowMs = services.clock.nowMs();
  const at = (days: number): string => new Date(nowMs + days * 86_400_000).toISOString();
  const as = (token: string) => ({ authorization: `Bearer ${token}` });
  const festival = await app.inject({
    method: 'POST',
    url: '/api/v1/festivals',
    headers: as(organizer.token),
    payload: { title: 'Test Festival', description: '', venue: 'Somewhere', startsAt: at(60), endsAt: at(62) },
  });
  const created = await app.inject({
    method: 'POST',
    url: `/api/v1/festivals/${festival.json().id}/sales`,
    headers: as(organizer.token),
    payload: {
      name: 'Day 1',
      price: 5_000,
      currency: 'EUR',
      capacity: 100,
      limitPerBuyer: 4,
      opensAt: at(1),
      closesAt: at(30),
      refundUntil: at(20),
      ...input,
    },
  });
  if (created.statusCode !== 201) throw new Error(`the sale was not created: ${created.body}`);
  const sale: Sale = created.json();
  if (!opened) return sale;
  const admission = { mode: 'fixed', perSecond: 10_000, maxActive: 1_000_000 };
  await app.inject({
    method: 'PUT',
    url: `/api/v1/sales/${sale.id}/admission`,
    headers: as(operator.token),
    payload: admission,
  });
  const answer = await app.inject({
    method: 'POST',
    url: `/api/v1/sales/${sale.id}/open`,
    headers: as(operator.token),
  });
  if (answer.statusCode !== 200) throw new Error(`the sale was not opened: ${answer.body}`);
  await core.live.refresh(sale.id);
  return answer.json();
}
