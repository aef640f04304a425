/** What an order and a place in the line cost the stores: the disk's fsyncs, MySQL's statements, Redis's memory. Counted, not timed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@fest/loadtest/buyers/random';
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
  /** Holds for a backlog, and from some 600 orders a second on; slower ones cost no more statements a second in all. */
  statementsPerOrder: 1 / 100,
  redisBytesPerWaiter: 16,
  /** No promise: what a crowd that is thinner than that may not grow beyond unnoticed. */
  redisBytesPerSparseWaiter: 20,
} as const;

const IN_FLIGHT = 256;
/** About what two processors do. At 600 the machine may not stumble at all for the promise to hold. */
const STEADY_PER_SECOND = 900;

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

  async function openApplier(): Promise<void> {
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
  }

  it('costs a hundredth of a statement at most when there is a backlog', async () => {
    for (let from = 0; from < ORDERS; from += AT_ONCE) {
      const numbers = Array.from({ length: AT_ONCE }, (_, index) => from + index + 1);
      const order = (number: number) => ({ ...orderOf(number), capacity: ORDERS });
      await Promise.all(numbers.flatMap((number) => [log.append(intentOf(number)), log.append(order(number))]));
    }
    await openApplier();
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

  it(`costs a hundredth of a statement at most while ${STEADY_PER_SECOND} a second come, one after the other`, async () => {
    const BATCHES = 4;
    await openApplier();
    applier.start();
    const sending = sendOrders(STEADY_PER_SECOND);
    try {
      const [first, last] = await watchBatches(BATCHES);
      // Each order is two records. The statements of the looks at MySQL now and then count too.
      const orders = (last.lsn - first.lsn) / 2;
      expect((last.statements - first.statements) / orders).toBeLessThanOrEqual(BUDGET.statementsPerOrder);
      expect(last.statements - first.statements).toBeGreaterThanOrEqual(BATCHES);
      expect(orders / ((last.atMs - first.atMs) / 1_000)).toBeLessThan(1.1 * STEADY_PER_SECOND);
    } finally {
      await sending.stop();
    }
  }, 60_000);

  /** An intent and, a little later, its order: a payment takes its time. */
  function sendOrders(perSecond: number): { stop(): Promise<void> } {
    const PAYMENT_ORDERS = 30;
    const STEP_MS = 10;
    const sent: Array<Promise<number>> = [];
    const beganAtMs = performance.now();
    let next = 1;
    const timer = setInterval(() => {
      const due = ((performance.now() - beganAtMs) / 1_000) * perSecond;
      for (; next <= due; next += 1) {
        sent.push(log.append(intentOf(next)));
        const paid = next - PAYMENT_ORDERS;
        if (paid > 0) sent.push(log.append({ ...orderOf(paid), capacity: 1_000_000 }));
      }
    }, STEP_MS);
    return {
      async stop() {
        clearInterval(timer);
        await Promise.all(sent);
      },
    };
  }

  interface Applied {
    readonly atMs: number;
    readonly lsn: number;
    readonly statements: number;
  }

  /** Right after a batch was committed, and right after so many more. */
  async function watchBatches(count: number): Promise<readonly [Applied, Applied]> {
    const seen: Applied[] = [];
    await until(
      async () => {
        const lsn = applier.appliedLsn;
        if (lsn > (seen.at(-1)?.lsn ?? 0)) {
          seen.push({ atMs: performance.now(), lsn, statements: counter.statements() });
        }
        return seen.length;
      },
      (length) => length > count,
      45_000,
    );
    const [first] = seen;
    const last = seen.at(-1);
    if (first === undefined || last === undefined) throw new Error('nothing was applied');
    return [first, last];
  }
});

integration('a place in the line', () => {
  const WAITERS = 12_800;
  /** Numbers are as long as in a crowd of a million. */
  const DRAWN_BEFORE = 1_000_000;
  const FIRST_ACCOUNT = 3_000_001;
  const AT_ONCE = 512;
  let fest: TestApp;
  beforeAll(async () => {
    fest = await buildTestApp({ clock: new ManualClock(), started: false });
  });
  afterAll(() => fest?.close());

  // A bucket has its own cost, which few accounts in it have to bear: from one in thirteen on it is more than the promise.
  it.each([
    ['accounts one after the other', 1, BUDGET.redisBytesPerWaiter],
    ['one account in ten, by chance', 10, BUDGET.redisBytesPerWaiter],
    ['one account in fifteen, by chance', 15, BUDGET.redisBytesPerSparseWaiter],
  ])('costs Redis no more than promised, keys and all: %s', async (_, oneIn, budget) => {
    const bytes = await bytesPerWaiter(accountsOf(oneIn));
    expect(bytes).toBeLessThanOrEqual(budget);
    // A number has at least that.
    expect(bytes).toBeGreaterThan(4);
  });

  /** Each account joins with the same chance, whatever its neighbours do. */
  function accountsOf(oneIn: number): readonly number[] {
    const random = createRandom(`one in ${oneIn}`);
    const accounts: number[] = [];
    for (let accountId = FIRST_ACCOUNT; accounts.length < WAITERS; accountId += 1) {
      if (random() < 1 / oneIn) accounts.push(accountId);
    }
    return accounts;
  }

  async function bytesPerWaiter(accounts: readonly number[]): Promise<number> {
    const { redis, clock } = fest.services;
    const { id: saleId } = await fest.createSale({ capacity: 1_000 });
    await redis.hset(saleKeys.sale(saleId), 'drawn', DRAWN_BEFORE);
    const request = { idempotencyKey: undefined, fingerprint: '' };
    const before = await memoryOf(redis, saleId);
    for (let from = 0; from < accounts.length; from += AT_ONCE) {
      const joins = accounts
        .slice(from, from + AT_ONCE)
        .map((accountId) => joinQueue(redis, { saleId, epoch: 1, accountId, nowMs: clock.nowMs(), request }));
      expect(new Set((await Promise.all(joins)).map(({ status }) => status))).toEqual(new Set(['joined']));
    }
    expect(await redis.hget(saleKeys.sale(saleId), 'drawn')).toBe(String(DRAWN_BEFORE + accounts.length));
    return ((await memoryOf(redis, saleId)) - before) / accounts.length;
  }

  /** Every key of the sale, with what Redis needs to find it. */
  async function memoryOf(redis: Redis, saleId: number): Promise<number> {
    const keys = await redis.keys(`fest:{${saleId}}:*`);
    const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
    return sizes.reduce<number>((sum, size) => sum + Number(size ?? 0), 0);
  }
});
