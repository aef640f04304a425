/** What an order and a place in the line cost the stores: the disk's fsyncs, MySQL's statements, Redis's memory. Counted, not timed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Applier } from '@fest/server/features/archive/applier';
import { joinQueue } from '@fest/server/features/waiting-room/store';
import { type OrderLog, openOrderLog } from '@fest/server/order-log/order-log';
import { createMysqlPool, type MysqlPool } from '@fest/server/platform/mysql';
import { connectRedis } from '@fest/server/platform/redis';
import { saleKeys } from '@fest/server/redis/keys';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createArchive, insertSale, intentOf, orderOf, type TestArchive } from '../support/archive.ts';
import { GatewayStub } from '../support/gateway-stub.ts';
import { integration } from '../support/integration.ts';
import { countStatements, type StatementCounter } from '../support/mysql-statements.ts';
import { buildTestApp, ManualClock, type TestApp } from '../support/test-app.ts';
import { admitWaiting, newVisitors, outcomeOf, until, type Visitor } from '../support/visitor.ts';

const BUDGET = {
  fsyncsPerOrder: { inFlight256: 1 / 16, alone: 2 },
  statementsPerOrder: 1 / 100,
  redisBytesPerWaiter: 16,
} as const;

const IN_FLIGHT = 256;

interface Holder {
  readonly buyer: Visitor;
  readonly holdId: string;
}

integration('an order on the disk', () => {
  const clock = new ManualClock();
  const gateway = new GatewayStub();
  let fest: TestApp;
  beforeAll(async () => {
    fest = await buildTestApp({ clock, gateway, started: false });
  });
  afterAll(() => fest?.close());

  async function holders(count: number): Promise<readonly Holder[]> {
    const { id: saleId } = await fest.createSale({ capacity: count });
    const buyers = await newVisitors(fest, count);
    const tokens = await Promise.all(buyers.map(async (buyer) => (await buyer.join(saleId)).body.queueToken));
    await admitWaiting(fest, clock, saleId);
    return Promise.all(
      buyers.map(async (buyer, index) => ({
        buyer,
        holdId: (await buyer.hold(saleId, tokens[index] ?? '')).body.holdId,
      })),
    );
  }

  async function buyWith({ buyer, holdId }: Holder): Promise<void> {
    const { paymentId } = (await buyer.pay(holdId)).body;
    expect((await outcomeOf(buyer, paymentId)).status).toBe('succeeded');
  }

  async function fsyncsDuring(work: () => Promise<unknown>): Promise<number> {
    const before = fest.core.log.stats().fsyncs;
    await work();
    return fest.core.log.stats().fsyncs - before;
  }

  it('costs a sixteenth of an fsync at most while 256 are under way', async () => {
    const waiting = [...(await holders(2 * IN_FLIGHT))];
    const orders = waiting.length;
    const lane = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await buyWith(next);
    };
    const fsyncs = await fsyncsDuring(() => Promise.all(Array.from({ length: IN_FLIGHT }, lane)));
    expect(fsyncs / orders).toBeLessThanOrEqual(BUDGET.fsyncsPerOrder.inFlight256);
    // None at all would mean that it was counted wrongly, or that nothing is durable.
    expect(fsyncs).toBeGreaterThanOrEqual(2);
  });

  it('costs two when it is alone: one before the gateway is asked, one before its buyer is told', async () => {
    const [holder] = await holders(1);
    if (holder === undefined) throw new Error('nobody holds');
    expect(await fsyncsDuring(() => buyWith(holder))).toBe(BUDGET.fsyncsPerOrder.alone);
  });
});

integration('an order in MySQL', () => {
  const ORDERS = 3_000;
  const AT_ONCE = 500;
  const SALE = 7;
  let archive: TestArchive;
  let counter: StatementCounter;
  let pool: MysqlPool;
  let redis: Redis;
  let log: OrderLog;
  let directory: string;
  let applier: Applier;
  beforeEach(async () => {
    archive = await createArchive();
    counter = await countStatements(archive.mysqlUrl);
    pool = createMysqlPool(counter.url, 2);
    redis = await connectRedis(archive.redisUrl);
    directory = mkdtempSync(join(tmpdir(), 'fest-work-counts-'));
    log = await openOrderLog({ directory });
    await insertSale(archive.pool, SALE);
  });
  afterEach(async () => {
    await applier?.stop();
    await log?.close();
    await pool?.end();
    await counter?.close();
    redis?.disconnect();
    await archive?.pool.end();
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  it('costs a hundredth of a statement at most when there are many', async () => {
    for (let from = 0; from < ORDERS; from += AT_ONCE) {
      const numbers = Array.from({ length: AT_ONCE }, (_, index) => from + index + 1);
      const order = (number: number) => ({ ...orderOf(number), capacity: ORDERS });
      await Promise.all(numbers.flatMap((number) => [log.append(intentOf(number)), log.append(order(number))]));
    }
    applier = new Applier({
      log,
      directory,
      server: 'server-1',
      mysql: pool,
      redis,
      clock: new ManualClock(),
      logger: pino({ level: 'silent' }),
    });
    await applier.open();
    const before = counter.statements();
    applier.start();
    await until(
      async () => applier.appliedLsn,
      (lsn) => lsn >= log.durableLsn,
      30_000,
    );
    const statements = counter.statements() - before;
    expect(statements / ORDERS).toBeLessThanOrEqual(BUDGET.statementsPerOrder);
    expect(statements).toBeGreaterThan(0);
  });
});

integration('a place in the line', () => {
  const WAITERS = 25_600;
  /** Numbers are as long as in a crowd of a million. */
  const DRAWN_BEFORE = 1_000_000;
  const FIRST_ACCOUNT = 3_000_001;
  const AT_ONCE = 512;
  let fest: TestApp;
  beforeAll(async () => {
    fest = await buildTestApp({ clock: new ManualClock(), started: false });
  });
  afterAll(() => fest?.close());

  it('costs Redis 16 bytes at most, keys and all', async () => {
    const { redis, clock } = fest.services;
    const { id: saleId } = await fest.createSale({ capacity: 1_000 });
    await redis.hset(saleKeys.sale(saleId), 'drawn', DRAWN_BEFORE);
    const request = { idempotencyKey: undefined, fingerprint: '' };
    const accounts = Array.from({ length: WAITERS }, (_, index) => FIRST_ACCOUNT + index);
    const before = await memoryOf(redis, saleId);
    for (let from = 0; from < WAITERS; from += AT_ONCE) {
      const joins = accounts
        .slice(from, from + AT_ONCE)
        .map((accountId) => joinQueue(redis, { saleId, epoch: 1, accountId, nowMs: clock.nowMs(), request }));
      expect(new Set((await Promise.all(joins)).map(({ status }) => status))).toEqual(new Set(['joined']));
    }
    expect(await redis.hget(saleKeys.sale(saleId), 'drawn')).toBe(String(DRAWN_BEFORE + WAITERS));
    const bytes = ((await memoryOf(redis, saleId)) - before) / WAITERS;
    expect(bytes).toBeLessThanOrEqual(BUDGET.redisBytesPerWaiter);
    // A number has at least that.
    expect(bytes).toBeGreaterThan(4);
  });

  /** Every key of the sale, with what Redis needs to find it. */
  async function memoryOf(redis: Redis, saleId: number): Promise<number> {
    const keys = await redis.keys(`fest:{${saleId}}:*`);
    const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
    return sizes.reduce<number>((sum, size) => sum + Number(size ?? 0), 0);
  }
});
