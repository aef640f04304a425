/** Who lets buyers in when clocks are wrong and processes stop: tickers on one Redis, in a time that the test moves. */
import type { SaleRecord } from '@fest/server/features/catalogue/sale-record';
import { LiveSales } from '@fest/server/features/stock/live-sales';
import { joinQueue } from '@fest/server/features/waiting-room/store';
import { Ticker } from '@fest/server/features/waiting-room/ticker';
import { LIMITS } from '@fest/server/limits';
import { saleKeys } from '@fest/server/redis/keys';
import { knownRunOf, parseStoredEpoch, storedEpochText } from '@fest/server/redis/run-id';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { integration } from '../support/integration.ts';
import { ManualClock } from '../support/test-app.ts';
import { connectEmptyRedis } from './redis/support/sale-redis.ts';

const SALE_ID = 1;
const PER_TICK = (LIMITS.perSecondDefault * LIMITS.tickMs) / 1000;
const TICKS_PER_LEASE = LIMITS.tickerLeaseMs / LIMITS.tickMs;
const WAITING = 400;
const WELL = { eventLoopUtilization: 0, requestP99Ms: 0, cpu: 0 };
const HOUR_MS = 3_600_000;

let trueTime: ManualClock;
let redis: Redis;

interface Server {
  readonly live: LiveSales;
  readonly ticker: Ticker;
}

/** A server whose clock is ahead of the true time by so much. */
function startServer(node: string, aheadMs: number): Server {
  const clock = { nowMs: () => trueTime.nowMs() + aheadMs };
  const logger = pino({ level: 'silent' });
  const live = new LiveSales({ redis, clock, logger, onSuspect: () => undefined });
  live.follow(SALE_ID);
  return {
    live,
    ticker: new Ticker({ redis, clock, logger, live, node, health: () => WELL, recordPhase: async () => undefined }),
  };
}

function createSale({ live }: Server): Promise<void> {
  const sale: SaleRecord = {
    id: SALE_ID,
    festivalId: 1,
    organizerId: 1,
    name: 'sale',
    price: 100,
    currency: 'EUR',
    capacity: 1_000,
    limitPerBuyer: 4,
    opensAtMs: trueTime.nowMs() - 2 * HOUR_MS,
    closesAtMs: trueTime.nowMs() + 24 * HOUR_MS,
    refundUntilMs: trueTime.nowMs() + 24 * HOUR_MS,
    rejoin: 'keep',
    holdSeconds: 300,
    admissionSeconds: 120,
    version: 1,
  };
  return live.create(sale);
}

/** Each server ticks as often as it does by itself, one after the other. */
async function pass(ticks: number, servers: readonly Server[]): Promise<void> {
  for (let tick = 0; tick < ticks; tick += 1) {
    for (const { live, ticker } of servers) {
      trueTime.advance(Math.floor(LIMITS.tickMs / servers.length));
      await live.refresh(SALE_ID);
      await ticker.tick(SALE_ID);
    }
  }
}

async function line(): Promise<{ serving: number; fence: number; pending: number; leaseHolder: string }> {
  const [serving, fence, pending, leaseHolder] = await redis.hmget(
    saleKeys.sale(SALE_ID),
    ...['serving', 'fence', 'pending', 'leaseHolder'],
  );
  const counts = { serving: Number(serving), fence: Number(fence), pending: Number(pending) };
  return { ...counts, leaseHolder: leaseHolder ?? '' };
}

integration("the ticker's lease", () => {
  beforeEach(async () => {
    trueTime = new ManualClock();
    redis = await connectEmptyRedis();
    await createSale(startServer('creator', 0));
    for (let accountId = 1; accountId <= WAITING; accountId += 1) {
      const request = { fingerprint: '', idempotencyKey: undefined };
      await joinQueue(redis, { saleId: SALE_ID, epoch: 1, accountId, nowMs: trueTime.nowMs(), request });
    }
  });
  afterEach(() => {
    vi.restoreAllMocks();
    redis.disconnect();
  });

  it.for([0, 1_900, 2_500, -2_500, HOUR_MS, -HOUR_MS])(
    'stays with one server, which admits at the configured rate, with the other clock %i ms ahead',
    async (aheadMs) => {
      await pass(30, [startServer('a', 0), startServer('b', aheadMs)]);
      // The first tick only begins to count.
      expect(await line()).toMatchObject({ leaseHolder: 'a', fence: 1, serving: 29 * PER_TICK });
    },
  );

  it.for([0, HOUR_MS, -HOUR_MS])(
    'passes to another server, with its clock %i ms ahead, when the first one is gone for as long as the lease',
    async (aheadMs) => {
      const [a, b] = [startServer('a', 0), startServer('b', aheadMs)];
      await pass(5, [a, b]);
      expect(await line()).toMatchObject({ leaseHolder: 'a', serving: 4 * PER_TICK });
      await pass(TICKS_PER_LEASE - 1, [b]);
      expect(await line()).toMatchObject({ leaseHolder: 'a', fence: 1 });
      await pass(3, [b]);
      const { serving, ...lease } = await line();
      expect(lease).toMatchObject({ leaseHolder: 'b', fence: 2 });
      await pass(10, [b]);
      expect((await line()).serving).toBe(serving + 10 * PER_TICK);
    },
  );

  it('passes to one of several that wait for it', async () => {
    const [a, b, c] = [startServer('a', 0), startServer('b', HOUR_MS), startServer('c', -HOUR_MS)];
    await pass(5, [a, b, c]);
    await pass(20, [b, c]);
    expect(await line()).toMatchObject({ fence: 2 });
  });

  it('does not let a server act that slept for 30 s between its decision and what it does', async () => {
    const [a, b] = [startServer('a', 0), startServer('b', 0)];
    await pass(5, [a, b]);
    const [deciding, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const evalsha = redis.evalsha.bind(redis) as (...args: unknown[]) => Promise<unknown>;
    vi.spyOn(redis, 'evalsha')
      .mockImplementationOnce(((...args: unknown[]) => evalsha(...args)) as Redis['evalsha'])
      .mockImplementationOnce((async (...args: unknown[]) => {
        deciding.resolve();
        await goesOn.promise;
        return evalsha(...args);
      }) as Redis['evalsha']);
    trueTime.advance(LIMITS.tickMs);
    const sleeping = a.ticker.tick(SALE_ID);
    await deciding.promise;
    await pass(30_000 / LIMITS.tickMs, [b]);
    const meanwhile = await line();
    expect(meanwhile).toMatchObject({ leaseHolder: 'b', fence: 2, serving: WAITING });
    goesOn.resolve();
    await sleeping;
    await pass(TICKS_PER_LEASE + 5, [a, b]);
    expect(await line()).toEqual(meanwhile);
  });

  it('passes at once from a server that stops, with what its admission has learned', async () => {
    const [a, b] = [startServer('a', 0), startServer('b', HOUR_MS)];
    await pass(5, [a, b]);
    const [remembered] = await redis.hmget(saleKeys.sale(SALE_ID), 'controller');
    await a.ticker.stop();
    expect(a.ticker.reports.size).toBe(0);
    expect((await line()).leaseHolder).toBe('');
    expect((await redis.hget(saleKeys.sale(SALE_ID), 'controller')) ?? '').not.toBe(remembered);
    await pass(3, [b]);
    expect(await line()).toMatchObject({ leaseHolder: 'b', fence: 2, serving: 6 * PER_TICK });
  });

  it('is not given up by a server that has lost it', async () => {
    const [a, b] = [startServer('a', 0), startServer('b', 0)];
    await pass(5, [a, b]);
    await pass(TICKS_PER_LEASE + 3, [b]);
    await a.ticker.stop();
    expect(await line()).toMatchObject({ leaseHolder: 'b', fence: 2 });
  });

  it('of another epoch is another one: nothing is known of its people, and its first tick only begins to count', async () => {
    const a = startServer('a', 0);
    await pass(5, [a]);
    const before = await line();
    // Built anew elsewhere, and led by this server again: with the same fence.
    const sale = saleKeys.sale(SALE_ID);
    const { epoch } = parseStoredEpoch((await redis.hget(sale, 'epoch')) ?? '');
    await redis.hset(sale, { epoch: storedEpochText({ epoch: epoch + 1, run: knownRunOf(redis) }), fence: 0 });
    await redis.hset(sale, { leaseHolder: '', controller: '' });
    await pass(1, [a]);
    expect(await line()).toMatchObject({ fence: before.fence, serving: before.serving });
    expect(await redis.hget(sale, 'controller')).toBe('');
    await pass(1, [a]);
    expect((await line()).serving).toBe(before.serving + PER_TICK);
  });

  it('is not reported any more of a sale that is not followed', async () => {
    const a = startServer('a', 0);
    await pass(5, [a]);
    expect([...a.ticker.reports.keys()]).toEqual([SALE_ID]);
    a.live.unfollow(SALE_ID);
    await a.ticker.tick(SALE_ID);
    expect(a.ticker.reports.size).toBe(0);
  });

  it('is found again by a server that looked away for longer than the lease, and leaves it where it is', async () => {
    const [a, b] = [startServer('a', 0), startServer('b', 0)];
    await pass(5, [a, b]);
    await pass(3 * TICKS_PER_LEASE, [a]);
    await pass(3, [b, a]);
    expect(await line()).toMatchObject({ leaseHolder: 'a', fence: 1 });
  });
});
