/** The audit against real stores: what it reads is what is there, and it notices when one of them is changed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareBuyers } from '@fest/loadtest/buyers/prepare';
import { auditSale } from '@fest/server/audit/audit-sale';
import { collectEvidence, waitUntilDrained } from '@fest/server/audit/collect-evidence';
import { type OrderLog, openOrderLog } from '@fest/server/order-log/order-log';
import type { OrderPaid } from '@fest/server/order-log/records';
import { createAccessTokens } from '@fest/server/platform/access-tokens';
import { createMysqlPool, type MysqlPool, migrate } from '@fest/server/platform/mysql';
import { connectRedis } from '@fest/server/platform/redis';
import { saleKeys } from '@fest/server/redis/keys';
import { createSaleScript } from '@fest/server/redis/scripts';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { createStores } from '../support/test-app.ts';

const CAPACITY = 10;
const JWT_SECRET = 'a secret of a test that is long enough';

let directory: string;
let stores: { readonly mysqlUrl: string; readonly redisUrl: string };
let pool: MysqlPool;
let redis: Redis;
let log: OrderLog;
let logDirs: readonly string[];
let saleId = 0;

function orderPaid(number: number, ticketNumbers: readonly number[]): OrderPaid {
  return {
    type: 'orderPaid',
    saleId,
    epoch: 1,
    at: 1,
    orderId: `ord_${saleId}_${number}`,
    paymentId: `pay_${saleId}_${number}`,
    holdId: `hold_${saleId}_${number}`,
    festivalId: 1,
    accountId: 100 + number,
    confirmSeq: number,
    ticketNumbers,
    capacity: CAPACITY,
    amount: 100 * ticketNumbers.length,
    currency: 'EUR',
  };
}

async function archive(order: OrderPaid): Promise<void> {
  const { orderId, paymentId, accountId, confirmSeq, ticketNumbers, amount } = order;
  await pool.query('INSERT INTO orders VALUES (?)', [
    [orderId, paymentId, saleId, 1, accountId, confirmSeq, ticketNumbers.length, amount, 'EUR', 'paid', 1, null],
  ]);
  const tickets = ticketNumbers.map((number) => [saleId, number, orderId, accountId, 1, null, null]);
  await pool.query('INSERT INTO tickets VALUES ?', [tickets]);
}

async function markApplied(lsn: number): Promise<void> {
  await pool.query('REPLACE INTO applier_positions VALUES (?)', [[log.logId, 'server-1', lsn, 1]]);
}

/** Tickets 1–2 and 3 sold, 4 released, 5 held, 6–10 never given out. */
async function createSale(): Promise<void> {
  saleId += 1;
  await pool.query(
    'INSERT INTO sales (id, festival_id, name, price, currency, capacity, limit_per_buyer, opens_at_ms, closes_at_ms, refund_until_ms, rejoin, hold_seconds, admission_seconds, per_second, max_active, created_at_ms) VALUES (?)',
    [[saleId, 1, 'S', 100, 'EUR', CAPACITY, 2, 0, 9e12, 9e12, 'keep', 60, 60, 10, 10, 0]],
  );
  const settings = {
    version: 1,
    epoch: 1,
    phase: 'open',
    phaseSeq: 1,
    capacity: CAPACITY,
    price: 100,
    limitPerBuyer: 2,
    opensAtMs: 0,
    closesAtMs: 9e12,
    holdMs: 60_000,
    admissionMs: 60_000,
    rejoin: 'keep',
    mode: 'fixed',
    perSecond: 10,
    maxActive: 10,
    admissionSeq: 1,
    drawn: 5,
    sold: 3,
    nextFresh: 6,
    confirmSeq: 2,
  };
  await createSaleScript.run(redis, { sale: saleKeys.sale(saleId) }, settings);
  await redis.hset(saleKeys.sale(saleId), 'available', 6, 'held', 1);
  await redis.zadd(saleKeys.released(saleId), 4, '4');
  await redis.zadd(saleKeys.expiry(saleId), 9e12, 'hold_x');
  await redis.hset(saleKeys.hold(saleId, 'hold_x'), 'account', 7, 'state', 'held', 'tickets', '5', 'quantity', 1);
  await redis.hset(saleKeys.bought(saleId), '101', 2, '102', 1);
  const orders = [orderPaid(1, [1, 2]), orderPaid(2, [3])];
  for (const order of orders) {
    const { paymentId, orderId } = order;
    await redis.hset(saleKeys.payment(saleId, paymentId), 'status', 'succeeded', 'orderId', orderId);
    await archive(order);
  }
  await Promise.all(orders.map((order) => log.append(order)));
  await markApplied(log.durableLsn);
}

async function audit() {
  const { redisUrl, mysqlUrl } = stores;
  const claims = [{ saleId, paymentId: `pay_${saleId}_2`, orderId: `ord_${saleId}_2` }];
  const [evidence] = await collectEvidence({ redisUrl, mysqlUrl, logDirs, saleIds: [saleId], claims });
  if (evidence === undefined) throw new Error('no evidence');
  return auditSale(evidence);
}

integration('audit and buyers on real stores', () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'fest-audit-'));
    stores = await createStores();
    await migrate(stores.mysqlUrl);
    pool = createMysqlPool(stores.mysqlUrl, 2);
    redis = await connectRedis(stores.redisUrl);
    logDirs = [join(directory, 'log')];
    log = await openOrderLog({ directory: join(directory, 'log') });
    await pool.query(
      "INSERT INTO accounts (id, email, name, roles, created_at_ms) VALUES (1, 'o@x', 'O', 'organizer', 0)",
    );
    await pool.query(
      "INSERT INTO festivals (id, organizer_id, title, description, venue, starts_at_ms, ends_at_ms, created_at_ms) VALUES (1, 1, 'F', '', 'V', 0, 1, 0)",
    );
  });

  afterAll(async () => {
    await log?.close();
    redis?.disconnect();
    await pool?.end();
    rmSync(directory, { recursive: true, force: true });
  });

  describe('the audit', () => {
    beforeEach(createSale);

    it('reads the same sale from Redis, the order log and MySQL', async () => {
      expect(await audit()).toEqual({
        saleId,
        compared: {
          capacity: CAPACITY,
          logRecords: 2,
          logOrders: 2,
          archiveOrders: 2,
          liveOrders: 2,
          liveTickets: 3,
          redisAvailable: 6,
          redisHeld: 1,
          redisSold: 3,
          succeededPayments: 2,
        },
        findings: [],
      });
    });

    it('finds a ticket that is sold twice in two logs', async () => {
      const other = join(directory, `log-${saleId}`);
      const second = await openOrderLog({ directory: other });
      await second.append(orderPaid(3, [3]));
      await second.close();
      const { redisUrl, mysqlUrl } = stores;
      const [evidence] = await collectEvidence({ redisUrl, mysqlUrl, logDirs: [...logDirs, other], saleIds: [saleId] });
      const found = evidence === undefined ? [] : auditSale(evidence).findings;
      expect(found).toContainEqual(
        expect.objectContaining({ invariant: 'I1', message: expect.stringMatching(/^Ticket 3 belongs/) }),
      );
    });

    it('finds a sold ticket that went back to stock in Redis', async () => {
      await redis.zadd(saleKeys.released(saleId), 3, '3');
      const invariants = (await audit()).findings.map(({ invariant }) => invariant);
      expect(invariants).toContain('I2');
    });

    it('finds an order that MySQL has lost, and tells it from one that is still on its way', async () => {
      await pool.query('DELETE FROM tickets WHERE order_id = ?', [`ord_${saleId}_1`]);
      await pool.query('DELETE FROM orders WHERE order_id = ?', [`ord_${saleId}_1`]);
      expect((await audit()).findings).toMatchObject([
        { invariant: 'archive', message: expect.stringContaining(`ord_${saleId}_1`) },
      ]);
      await markApplied(log.durableLsn - 1);
      expect((await audit()).findings).toEqual([]);
    });

    it('finds a sale that Redis has lost', async () => {
      await redis.del(saleKeys.sale(saleId));
      expect((await audit()).findings).toMatchObject([{ invariant: 'redis' }]);
    });

    it('waits until MySQL has everything, and says so when it does not come', async () => {
      const options = { mysqlUrl: stores.mysqlUrl, logDirs, timeoutMs: 500 };
      expect(await waitUntilDrained(options)).toBe(true);
      await markApplied(log.durableLsn - 1);
      expect(await waitUntilDrained(options)).toBe(false);
      setTimeout(() => void markApplied(log.durableLsn), 300);
      expect(await waitUntilDrained({ ...options, timeoutMs: 10_000 })).toBe(true);
    });
  });

  describe('prepareBuyers', () => {
    const options = () => ({
      baseUrls: ['http://127.0.0.1:9'],
      mysqlUrl: stores.mysqlUrl,
      jwtSecret: JWT_SECRET,
      overHttp: 0,
    });

    it('writes the accounts once, and finds them again', async () => {
      const first = await prepareBuyers({ ...options(), count: 2_500 });
      expect(first).toMatchObject({ inserted: 2_500, reused: 0, overHttp: 0 });
      expect(new Set(first.accountIds).size).toBe(2_500);
      const second = await prepareBuyers({ ...options(), count: 3_000 });
      expect(second).toMatchObject({ inserted: 500, reused: 2_500 });
      expect(second.accountIds.slice(0, 2_500)).toEqual(first.accountIds);
      const claims = createAccessTokens(JWT_SECRET).verify(second.tokens[2_999] ?? '');
      expect(claims).toMatchObject({ accountId: second.accountIds[2_999], roles: ['buyer'] });
    });

    it('makes accounts nobody can log in to', async () => {
      await prepareBuyers({ ...options(), count: 1 });
      const [rows] = await pool.query(
        "SELECT password_hash FROM accounts WHERE email LIKE '%@buyers.fest.invalid' LIMIT 1",
      );
      expect(rows).toEqual([{ password_hash: null }]);
    });
  });
});
