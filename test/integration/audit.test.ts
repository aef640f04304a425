/** The audit against real stores: what it reads is what is there, and it notices when one of them is changed. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareBuyers } from '@fest/loadtest/buyers/prepare';
import { auditSale, type SaleAudit } from '@fest/server/audit/audit-sale';
import { collectEvidence, type EvidenceOptions } from '@fest/server/audit/collect-evidence';
import { waitUntilDrained } from '@fest/server/audit/drain';
import { type OrderLog, openOrderLog } from '@fest/server/order-log/order-log';
import type { OrderLogRecord, OrderPaid } from '@fest/server/order-log/records';
import { createAccessTokens } from '@fest/server/platform/access-tokens';
import { createMysqlPool, type MysqlPool, migrate } from '@fest/server/platform/mysql';
import { connectRedis } from '@fest/server/platform/redis';
import { saleKeys } from '@fest/server/redis/keys';
import { createSaleScript } from '@fest/server/redis/scripts/sales';
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

async function markApplied(lsn: number, logId: string = log.logId, server = 'server-1'): Promise<void> {
  await pool.query('REPLACE INTO applier_positions (log_id, server, lsn, updated_at_ms) VALUES (?)', [
    [logId, server, lsn, 1],
  ]);
}

function phaseChanged(phaseSeq: number): OrderLogRecord {
  return { type: 'phaseChanged', saleId, epoch: 1, at: 1, from: 'open', to: 'paused', phaseSeq };
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

/** Without waiting for what these tests never let happen. */
async function audit(changes: Partial<EvidenceOptions> = {}): Promise<SaleAudit> {
  const { redisUrl, mysqlUrl } = stores;
  const claims = [{ saleId, paymentId: `pay_${saleId}_2`, orderId: `ord_${saleId}_2` }];
  const options = { redisUrl, mysqlUrl, logDirs, claims, applierWaitMs: 0, settleMs: 0, ...changes };
  const [evidence] = await collectEvidence({ ...options, saleIds: [saleId] });
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
      expect(await audit()).toMatchObject({
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
        unproven: [],
        notes: [],
      });
    });

    it('finds a ticket that is sold twice in two logs', async () => {
      const other = join(directory, `log-${saleId}`);
      const second = await openOrderLog({ directory: other });
      await second.append(orderPaid(3, [3]));
      await second.close();
      expect((await audit({ logDirs: [...logDirs, other] })).findings).toContainEqual(
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
        { invariant: 'I8', message: expect.stringContaining(`ord_${saleId}_1`) },
      ]);
      await markApplied(log.durableLsn - 2);
      expect(await audit()).toMatchObject({
        findings: [],
        unproven: [{ invariants: ['I8'], reason: 'MySQL is 2 records behind the log of server-1.' }],
      });
    });

    it('finds a sale that Redis has lost', async () => {
      await redis.del(saleKeys.sale(saleId));
      expect((await audit()).findings).toMatchObject([
        { invariant: 'I2', message: `Redis has no state of sale ${saleId}.`, command: `fest sale rebuild ${saleId}` },
      ]);
    });

    it('does not judge Redis while the sale is being rebuilt, and compares the rest', async () => {
      await redis.hset(saleKeys.sale(saleId), 'available', 7);
      await pool.query("INSERT INTO rebuilds VALUES (?, 2, 'stateMissing', 1)", [saleId]);
      await pool.query('UPDATE orders SET amount = 1 WHERE order_id = ?', [`ord_${saleId}_1`]);
      const found = await audit();
      expect(found.findings).toMatchObject([
        { invariant: 'I8', message: expect.stringContaining('differs in amount') },
      ]);
      expect(found.unproven).toMatchObject([
        { invariants: ['I2', 'I3', 'I5'], reason: expect.stringContaining('built anew under epoch 2 (stateMissing)') },
      ]);
      await pool.query('DELETE FROM rebuilds');
      expect((await audit()).findings.map(({ invariant }) => invariant)).toContain('I2');
    });

    it('does not call a sale lost that is built anew while it looks', async () => {
      const dump = await redis.dumpBuffer(saleKeys.sale(saleId));
      await redis.del(saleKeys.sale(saleId));
      await pool.query("INSERT INTO rebuilds VALUES (?, 2, 'stateMissing', 1)", [saleId]);
      // MySQL is behind, so there is time between the look at Redis and the one at MySQL.
      await markApplied(log.durableLsn - 1);
      let finishing: Promise<unknown> = Promise.resolve();
      const finish = async (): Promise<void> => {
        await redis.restore(saleKeys.sale(saleId), 0, dump ?? '');
        await pool.query('DELETE FROM rebuilds');
      };
      const found = await audit({
        applierWaitMs: 1_000,
        onProgress: (doing) => {
          if (doing.includes('MySQL to have')) finishing = finish();
        },
      });
      await finishing;
      expect(found.findings).toEqual([]);
      expect(found.unproven).toContainEqual(
        expect.objectContaining({ reason: 'Redis was not compared: it was built anew meanwhile.' }),
      );
      await markApplied(log.durableLsn);
      expect(await audit()).toMatchObject({ findings: [], unproven: [] });
    });

    it('does not judge a state that was restored into another Redis process', async () => {
      await redis.hset(saleKeys.sale(saleId), 'epoch', '1:00000000', 'available', 7);
      expect(await audit()).toMatchObject({
        findings: [],
        unproven: [{ reason: expect.stringContaining('made in another Redis process') }],
      });
    });

    it('names a log that MySQL knows and nobody gave, and calls nothing lost that may be in it', async () => {
      await markApplied(4, 'f'.repeat(32), 'server-9');
      const order = orderPaid(3, [6]);
      await archive(order);
      await redis.hset(saleKeys.sale(saleId), 'available', 5, 'sold', 4, 'nextFresh', 7, 'confirmSeq', 3);
      await redis.hset(saleKeys.bought(saleId), '103', 1);
      await redis.hset(saleKeys.payment(saleId, order.paymentId), 'status', 'succeeded', 'orderId', order.orderId);
      const found = await audit();
      expect(found.findings).toEqual([]);
      expect(found.unproven).toMatchObject([
        {
          invariants: ['I2', 'I3', 'I5', 'I8', 'I10'],
          reason: 'The log of server-9 (ffffffff) was not read; MySQL has it up to record 4.',
          remedy: expect.stringContaining('--dir'),
        },
      ]);
      await pool.query("UPDATE applier_positions SET retired_at_ms = 1 WHERE server = 'server-9'");
      expect(await audit()).toMatchObject({
        findings: [],
        unproven: [],
        notes: [expect.stringContaining('server-9 (retired)')],
      });
      await redis.zadd(saleKeys.released(saleId), 6, '6');
      expect((await audit()).findings.map(({ message }) => message)).toContain(
        `Ticket 6 is sold in ${order.orderId} and released to stock.`,
      );
      await pool.query("DELETE FROM applier_positions WHERE server = 'server-9'");
    });

    it('believes MySQL for what was trimmed off a log, and finds what was trimmed too early', async () => {
      const trimmed = join(directory, `trimmed-${saleId}`);
      const short = await openOrderLog({ directory: trimmed, segmentBytes: 2_048 });
      const sold = [orderPaid(3, [6]), orderPaid(4, [7])];
      for (const order of sold) {
        await short.append(order);
        await archive(order);
      }
      for (let count = 0; count < 20; count += 1) await short.append(phaseChanged(count));
      await short.trim(15, { archiveDirectory: join(directory, `archive-${saleId}`) });
      await redis.hset(saleKeys.sale(saleId), 'available', 4, 'sold', 5, 'nextFresh', 8, 'confirmSeq', 4);
      await redis.hset(saleKeys.bought(saleId), '103', 1, '104', 1);
      await markApplied(short.durableLsn, short.logId, 'server-2');
      const both = { logDirs: [...logDirs, trimmed] };
      const clean = await audit(both);
      expect(clean).toMatchObject({ findings: [], unproven: [], compared: { logOrders: 2, archiveOrders: 4 } });
      expect(clean.notes).toEqual([expect.stringMatching(/MySQL was believed: server-2 \(before record \d+\)/)]);
      // What only MySQL remembers is compared with Redis all the same.
      await redis.zadd(saleKeys.released(saleId), 7, '7');
      expect((await audit(both)).findings.map(({ message }) => message)).toContain(
        `Ticket 7 is sold in ord_${saleId}_4 and released to stock.`,
      );
      await redis.zrem(saleKeys.released(saleId), '7');
      await markApplied(3, short.logId, 'server-2');
      expect((await audit(both)).findings).toMatchObject([
        {
          invariant: 'I8',
          message: expect.stringMatching(/applied it up to record 3 only: what is between is nowhere/),
        },
      ]);
      await short.close();
      await pool.query("DELETE FROM applier_positions WHERE server = 'server-2'");
    });

    it('looks at more released numbers than fit one look, slice by slice', async () => {
      const last = 12_000;
      const numbers = Array.from({ length: last - 5 }, (_, index) => 6 + index);
      await redis.zadd(saleKeys.released(saleId), ...numbers.flatMap((number) => [number, String(number)]));
      await redis.hset(saleKeys.sale(saleId), 'capacity', last, 'nextFresh', last + 1, 'available', last - 4);
      await pool.query('UPDATE sales SET capacity = ? WHERE id = ?', [last, saleId]);
      expect(await audit()).toMatchObject({ findings: [], unproven: [], compared: { redisAvailable: last - 4 } });
      await redis.zrem(saleKeys.released(saleId), '11111');
      await redis.zadd(saleKeys.released(saleId), 3, '3');
      expect((await audit()).findings.map(({ message }) => message)).toEqual([
        `Ticket 3 is sold in ord_${saleId}_2 and released to stock.`,
        '1 ticket is neither in stock nor held nor sold: 11111.',
      ]);
    });

    it('refuses two folders with the same log', async () => {
      const copy = join(directory, `copy-${saleId}`);
      cpSync(logDirs[0] ?? '', copy, { recursive: true });
      await expect(audit({ logDirs: [...logDirs, copy] })).rejects.toThrow(/hold the same order log/);
    });

    it('compares what is there when a store cannot be reached, and says what it did not', async () => {
      await pool.query('UPDATE orders SET amount = 1 WHERE order_id = ?', [`ord_${saleId}_1`]);
      const withoutRedis = await audit({ redisUrl: 'redis://127.0.0.1:1' });
      expect(withoutRedis.findings).toMatchObject([{ invariant: 'I8' }]);
      expect(withoutRedis.unproven).toMatchObject([{ invariants: ['I2', 'I3', 'I5'] }]);
      const withoutMysql = await audit({ mysqlUrl: 'mysql://127.0.0.1:1/none' });
      expect(withoutMysql.findings).toEqual([]);
      expect(withoutMysql.unproven).toMatchObject([{ invariants: ['I2', 'I3', 'I5', 'I8', 'I10'] }]);
      expect(withoutMysql.counts).toMatchObject({ mysql: null, redis: { sold: 3 }, log: { orders: 2 } });
      const withoutLog = await audit({ logDirs: [join(directory, 'nowhere')] });
      expect(withoutLog.findings).toEqual([]);
      expect(withoutLog.unproven).toMatchObject([
        { reason: expect.stringContaining('nowhere could not be read') },
        { reason: expect.stringContaining('The log of server-1') },
      ]);
    });

    it('audits the sales of the logs when there is neither MySQL nor a list', async () => {
      const evidence = await collectEvidence({ logDirs, applierWaitMs: 0 });
      expect(evidence.map((sale) => sale.saleId)).toContain(saleId);
      expect(evidence.flatMap((sale) => auditSale(sale).findings)).toEqual([]);
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
