/** The applier against a MySQL that refuses, deadlocks and loses connections, and in a hurry. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Applier } from '@fest/server/features/archive/applier';
import { applyBatch, registerLog, retireLog } from '@fest/server/features/archive/apply-batch';
import { wantArchive } from '@fest/server/features/archive/archive-wanted';
import { type FailedFilter, listFailed, retryFailed } from '@fest/server/features/archive/failed-records';
import { findLostLog, mayLive, retireLostLog } from '@fest/server/features/archive/lost-logs';
import { addFreshOrder, listFreshOrders } from '@fest/server/features/orders/fresh-orders';
import { LIMITS } from '@fest/server/limits';
import { type OrderLog, openOrderLog } from '@fest/server/order-log/order-log';
import type { OrderPaid } from '@fest/server/order-log/records';
import { createMysqlPool, type MysqlPool } from '@fest/server/platform/mysql';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { connectRedis } from '@fest/server/platform/redis';
import type { Redis } from 'ioredis';
import type { PoolConnection } from 'mysql2/promise';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createArchive, emptyArchive, insertSale, intentOf, orderOf, type TestArchive } from '../support/archive.ts';
import { integration } from '../support/integration.ts';
import { ManualClock } from '../support/test-app.ts';
import { until } from '../support/visitor.ts';

let archive: TestArchive;
/** The applier's own connections: they give up waiting for a lock after a second. */
let impatient: MysqlPool;
let redis: Redis;
let directory: string;
let log: OrderLog;
let applier: Applier;

/** What it logged as an error. */
const errors: string[] = [];
const logger = pino({ level: 'error' }, { write: (line: string) => void errors.push(String(JSON.parse(line).msg)) });

async function startApplier(lookEveryMs?: number): Promise<void> {
  applier = new Applier({
    log,
    directory,
    server: 'server-1',
    mysql: impatient,
    redis,
    clock: new ManualClock(),
    logger,
    ...(lookEveryMs === undefined ? {} : { lookEveryMs }),
  });
  await applier.open();
  applier.start();
}

const append = (...orders: readonly OrderPaid[]) => Promise.all(orders.map((order) => log.append(order)));
const orders = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => orderOf(from + index));
const archivedOrders = async () =>
  (await selectRows<{ id: string }>(archive.pool, 'SELECT order_id AS id FROM orders ORDER BY confirm_seq')).map(
    ({ id }) => id,
  );

/** A transaction of somebody else that has an order's key, so that the applier has to wait for it. */
async function blockOrder(order: OrderPaid, extraRows = 0): Promise<PoolConnection> {
  const connection = await archive.pool.getConnection();
  await connection.beginTransaction();
  const row = (id: string, seq: number) => [id, `x${id}`, 999, 1, 1, seq, 1, 1, 'EUR', 'paid', 1, null];
  const rows = [row(order.orderId, 1), ...Array.from({ length: extraRows }, (_, n) => row(`blocker-${n}`, n + 2))];
  await connection.query('INSERT INTO orders VALUES ?', [rows]);
  return connection;
}

/** The id of the connection that waits to insert orders. */
async function waitingConnection(): Promise<number> {
  const find = () =>
    selectRows<{ id: number }>(
      archive.pool,
      "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE 'INSERT INTO orders%'",
    );
  const [row] = await until(find, (rows) => rows.length > 0);
  if (row === undefined) throw new Error('nobody waits');
  return row.id;
}

integration('the applier', () => {
  beforeAll(async () => {
    archive = await createArchive(6);
    redis = await connectRedis(archive.redisUrl);
    impatient = createMysqlPool(archive.mysqlUrl, 2);
    impatient.pool.on('connection', (connection) => {
      connection.query('SET SESSION innodb_lock_wait_timeout = 1');
    });
  });
  beforeEach(async () => {
    await emptyArchive(archive.pool);
    await insertSale(archive.pool, 7);
    directory = mkdtempSync(join(tmpdir(), 'fest-applier-'));
    log = await openOrderLog({ directory });
    await startApplier();
  });
  afterEach(async () => {
    await applier?.stop();
    await log?.close();
    rmSync(directory, { recursive: true, force: true });
  });
  afterAll(async () => {
    redis?.disconnect();
    await impatient?.end();
    await archive?.pool.end();
  });

  describe('waits for more records before a small batch', () => {
    /** The shortest of some tries: what a busy machine adds says nothing. Who lingers is never shorter than that. */
    async function shortest(measure: (round: number) => Promise<unknown>): Promise<number> {
      let best = Number.POSITIVE_INFINITY;
      for (let round = 1; round <= 6; round += 1) {
        const begin = performance.now();
        await measure(round);
        best = Math.min(best, performance.now() - begin);
        await sleep(20);
      }
      return best;
    }
    const applied = (lsn: number) =>
      until(
        async () => applier.appliedLsn,
        (at) => at >= lsn,
      );

    it('as long as nobody waits for it', async () => {
      expect(await shortest(async (n) => applied(await log.append(orderOf(n))))).toBeGreaterThan(
        LIMITS.applierLingerMs - 20,
      );
    });

    it('but not when somebody does', async () => {
      const took = await shortest(async (n) => {
        await log.append(orderOf(n));
        await applier.drain(5_000);
      });
      expect(took).toBeLessThan(LIMITS.applierLingerMs);
      const lateComer = await shortest(async (n) => {
        await log.append(orderOf(100 + n));
        // It lingers already.
        await sleep(60);
        await applier.drain(5_000);
      });
      expect(lateComer).toBeLessThan(LIMITS.applierLingerMs);
    });

    it('and not when the acknowledgement of an epoch is among them', async () => {
      const took = await shortest(async (epoch) => {
        await log.append(orderOf(epoch));
        const lsn = await log.append({
          type: 'epochStarted',
          saleId: 7 + epoch,
          epoch: 2,
          at: 1,
          queueHighWater: 0,
          reason: 'test',
        });
        await applied(lsn);
      });
      expect(took).toBeLessThan(LIMITS.applierLingerMs);
    });
  });

  describe('waits for larger batches while records come fast', () => {
    const STEP_MS = 10;
    /** Some times as many as it takes: a busy machine stumbles. */
    const PER_SECOND = (2.5 * 1_000 * LIMITS.applierBusyRecords) / LIMITS.applierLingerMs;
    /** The shortest of these counts, or the longest: what a busy machine adds or interrupts says nothing. */
    const ROUNDS = 2;

    /** Appends orders fast until told to stop. */
    function orderFast(): { stop(): Promise<void> } {
      const sent: Array<Promise<number>> = [];
      const beganAtMs = performance.now();
      const first = log.durableLsn + 1;
      let next = first;
      const timer = setInterval(() => {
        const due = first + ((performance.now() - beganAtMs) / 1_000) * PER_SECOND;
        for (; next <= due; next += 1) sent.push(log.append({ ...orderOf(next), capacity: 1_000_000 }));
      }, STEP_MS);
      return {
        async stop() {
          clearInterval(timer);
          await Promise.all(sent);
        },
      };
    }

    /** How long the applier's next batch is in coming, milliseconds. */
    async function nextBatch(): Promise<number> {
      const [lsn, begin] = [applier.appliedLsn, performance.now()];
      await until(
        async () => applier.appliedLsn,
        (at) => at > lsn,
        20_000,
      );
      return performance.now() - begin;
    }

    it('but goes on applying', async () => {
      const sending = orderFast();
      try {
        const took: number[] = [];
        for (let batch = 0; batch <= ROUNDS; batch += 1) took.push(await nextBatch());
        expect(Math.max(...took)).toBeGreaterThan(2 * LIMITS.applierLingerMs);
      } finally {
        await sending.stop();
      }
    }, 60_000);

    it('but not when somebody at another server waits', async () => {
      const sending = orderFast();
      try {
        const took: number[] = [];
        for (let round = 0; round < ROUNDS; round += 1) {
          await nextBatch();
          await wantArchive(redis);
          took.push(await nextBatch());
        }
        expect(Math.min(...took)).toBeLessThan(LIMITS.applierLingerMaxMs / 2);
      } finally {
        await sending.stop();
      }
    }, 60_000);

    it('and no longer when they have ceased to come', async () => {
      const took: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const sending = orderFast();
        await nextBatch();
        await sleep(LIMITS.applierLingerMs);
        await sending.stop();
        const begin = performance.now();
        await until(
          async () => applier.lag,
          (lag) => lag === 0,
        );
        took.push(performance.now() - begin);
      }
      expect(Math.min(...took)).toBeLessThan(LIMITS.applierLingerMaxMs / 2);
    }, 60_000);
  });

  describe('tries again, and puts nothing aside,', () => {
    it('when it is the victim of a deadlock', async () => {
      await append(orderOf(1));
      await applier.drain(5_000);
      const blocker = await blockOrder(orderOf(3), 200);
      await append(...orders(2, 4));
      await waitingConnection();
      // The applier has its position locked and waits for the order. Whoever has written less is rolled back.
      const sql = 'SELECT lsn FROM applier_positions WHERE log_id = ? FOR UPDATE';
      await expect(blocker.query(sql, [log.logId])).resolves.toBeDefined();
      await blocker.rollback();
      blocker.release();
      await applier.drain(10_000);
      expect(await archivedOrders()).toEqual(orders(1, 4).map(({ orderId }) => orderId));
      expect(await listFailed(archive.pool)).toEqual([]);
    });

    it('when a lock is not free in time', async () => {
      // Alone in its batch: a record that were taken for refused would be put aside at once.
      const blocker = await blockOrder(orderOf(1));
      await append(orderOf(1));
      await waitingConnection();
      await sleep(1_500);
      await blocker.rollback();
      blocker.release();
      await applier.drain(10_000);
      expect(await archivedOrders()).toEqual(['ord_7_1']);
      expect(await listFailed(archive.pool)).toEqual([]);
    });

    it('when its connection is killed within the transaction', async () => {
      const blocker = await blockOrder(orderOf(1));
      await append(orderOf(1));
      for (let time = 0; time < 2; time += 1) {
        await archive.pool.query(`KILL ${await waitingConnection()}`);
        await sleep(50);
      }
      expect(applier.appliedLsn).toBe(0);
      await blocker.rollback();
      blocker.release();
      await applier.drain(10_000);
      expect(await archivedOrders()).toEqual(['ord_7_1']);
      expect(await listFailed(archive.pool)).toEqual([]);
    });
  });

  describe('a record that MySQL refuses', () => {
    const refused = orderOf(5, [500]);

    beforeEach(async () => {
      await changeRows(
        archive.pool,
        "INSERT INTO orders VALUES ('foreign', 'pay-foreign', 7, 3, 1, 9999, 1, 100, 'EUR', 'paid', 1, NULL)",
      );
      await changeRows(archive.pool, "INSERT INTO tickets VALUES (7, 500, 'foreign', 1, 1, NULL, NULL)");
    });

    it('is put aside alone; its buyer goes on seeing the order, the others find theirs in MySQL', async () => {
      const batch = [...orders(1, 4), refused, ...orders(6, 9)];
      for (const order of batch) await addFreshOrder(redis, order);
      await log.append(intentOf(5, [500]));
      await append(...batch);
      await applier.drain(10_000);
      expect(await archivedOrders()).toHaveLength(9);
      expect(await listFailed(archive.pool)).toMatchObject([{ lsn: 6, record: { orderId: refused.orderId } }]);
      await expect.poll(() => applier.failedRecords).toBe(1);
      for (const order of batch) {
        const fresh = () => listFreshOrders(redis, order.accountId);
        await until(fresh, (list) => list.length === (order === refused ? 1 : 0));
      }
      await redis.flushdb();
    });

    it('is put aside also when its payment cannot be closed, which is said, and the rest goes on', async () => {
      const { accountId, paymentId } = refused;
      await changeRows(archive.pool, `ALTER TABLE payments ADD CONSTRAINT nobody CHECK (account_id <> ${accountId})`);
      onTestFinished(async () => void (await changeRows(archive.pool, 'ALTER TABLE payments DROP CONSTRAINT nobody')));
      await append(orderOf(4), refused, orderOf(6));
      await applier.drain(10_000);
      expect(await archivedOrders()).toEqual(['ord_7_4', 'ord_7_6', 'foreign']);
      const [failed, ...others] = await listFailed(archive.pool);
      expect(others).toEqual([]);
      expect(failed).toMatchObject({ lsn: 2, record: { paymentId } });
      expect(failed?.error).toMatch(/Duplicate entry.*; its payment could not be closed either: .*nobody/s);
    });

    it('is found by its sale and its type, and retried by them', async () => {
      await insertSale(archive.pool, 8);
      await append(refused, { ...orderOf(6, [9], 8), orderId: 'foreign-payment', paymentId: 'pay-foreign' });
      await applier.drain(10_000);
      const lsns = async (filter: FailedFilter) => (await listFailed(archive.pool, filter)).map(({ lsn }) => lsn);
      expect(await lsns({})).toEqual([1, 2]);
      expect(await lsns({ saleId: 7 })).toEqual([1]);
      expect(await lsns({ saleId: 8, types: ['orderPaid'] })).toEqual([2]);
      expect(await lsns({ types: ['paymentIntent', 'phaseChanged'] })).toEqual([]);
      expect(await selectRows(archive.pool, 'SELECT sale_id AS saleId, type FROM failed_records')).toEqual([
        { saleId: 7, type: 'orderPaid' },
        { saleId: 8, type: 'orderPaid' },
      ]);
      await changeRows(archive.pool, "DELETE FROM tickets WHERE order_id = 'foreign'");
      await changeRows(archive.pool, "DELETE FROM orders WHERE order_id = 'foreign'");
      const report = await retryFailed(archive.pool, { saleId: 8 }, 6);
      expect(report.applied.map(({ lsn }) => lsn)).toEqual([2]);
      expect(await lsns({})).toEqual([1]);
    });

    it('is counted in MySQL: also after a restart, and no longer once somebody has put it right', async () => {
      await append(refused);
      await applier.drain(10_000);
      await applier.stop();
      await startApplier();
      await expect.poll(() => applier.failedRecords).toBe(1);
      expect(await retryFailed(archive.pool, {}, 5)).toMatchObject({ applied: [], refused: [{ lsn: 1 }] });
      expect(await listFailed(archive.pool)).toMatchObject([{ failedAtMs: 5 }]);
      await changeRows(archive.pool, "DELETE FROM tickets WHERE order_id = 'foreign'");
      expect(await retryFailed(archive.pool, {}, 6)).toMatchObject({ applied: [{ lsn: 1 }], refused: [] });
      expect(await listFailed(archive.pool)).toEqual([]);
      expect(await archivedOrders()).toContain(refused.orderId);
      await applier.stop();
      await startApplier();
      await expect.poll(() => applier.failedRecords).toBe(0);
    });

    it('is retried by its log and LSN only, when so asked', async () => {
      await changeRows(archive.pool, "INSERT INTO tickets VALUES (7, 501, 'foreign', 1, 1, NULL, NULL)");
      await append(refused, orderOf(6, [501]));
      await applier.drain(10_000);
      expect(await listFailed(archive.pool)).toHaveLength(2);
      await changeRows(archive.pool, "DELETE FROM tickets WHERE order_id = 'foreign'");
      const report = await retryFailed(archive.pool, { logId: log.logId, lsn: 2 }, 6);
      expect(report.applied.map(({ lsn }) => lsn)).toEqual([2]);
      expect(await listFailed(archive.pool)).toMatchObject([{ lsn: 1 }]);
      expect(await archivedOrders()).toEqual(['ord_7_6', 'foreign']);
    });
  });

  describe('says that its server lives', () => {
    const found = async () => {
      const lost = await findLostLog(archive.pool, log.logId);
      if (lost === undefined) throw new Error('MySQL does not know the log');
      return lost;
    };
    const restart = async () => {
      await applier.stop();
      await startApplier(50);
    };

    beforeEach(async () => {
      await registerLog(archive.pool, { logId: log.logId, server: 'server-1' }, 1);
      await changeRows(archive.pool, 'UPDATE applier_positions SET seen_at_s = 1');
    });

    it('again and again, also when there is nothing to apply', async () => {
      expect(mayLive(await found())).toBe(false);
      await restart();
      await until(found, mayLive);
      await changeRows(archive.pool, 'UPDATE applier_positions SET seen_at_s = 1');
      await until(found, mayLive);
    });

    it('and has its log waited for again, when somebody retires it all the same', async () => {
      errors.length = 0;
      expect(await retireLostLog(archive.pool, await found(), 77)).toBe(true);
      expect(await found()).toMatchObject({ retiredAtMs: 77 });
      await restart();
      await until(found, ({ retiredAtMs }) => retiredAtMs === null);
      await until(
        async () => errors,
        (said) => said.length > 0,
      );
      expect(errors).toEqual([expect.stringContaining('was retired while it runs')]);
    });

    it('not any more once it has stopped: a log that is retired then stays so', async () => {
      await restart();
      // A report that is under way waits for this.
      const blocker = await archive.pool.getConnection();
      await blocker.beginTransaction();
      await blocker.query('SELECT lsn FROM applier_positions WHERE log_id = ? FOR UPDATE', [log.logId]);
      await sleep(200);
      let isStopped = false;
      const stopping = applier.stop().then(() => {
        isStopped = true;
      });
      await sleep(200);
      expect(isStopped).toBe(false);
      await blocker.commit();
      blocker.release();
      await stopping;
      await retireLog(archive.pool, log.logId, 9);
      await sleep(200);
      expect(await found()).toMatchObject({ retiredAtMs: 9 });
    });
  });

  describe('whose position somebody has moved', () => {
    const LOOK_EVERY_MS = 50;
    const setPosition = (lsn: number) =>
      changeRows(archive.pool, 'UPDATE applier_positions SET lsn = ? WHERE log_id = ?', [lsn, log.logId]);
    const position = async () =>
      (await selectRows<{ lsn: number }>(archive.pool, 'SELECT lsn FROM applier_positions'))[0]?.lsn;
    const loseOrder = async (id: string) => {
      for (const table of ['tickets', 'orders'])
        await changeRows(archive.pool, `DELETE FROM ${table} WHERE order_id = ?`, [id]);
    };

    beforeEach(async () => {
      errors.length = 0;
      await append(...orders(1, 5));
      await applier.drain(5_000);
    });

    it('back: applies again what is behind it, while nothing else comes', async () => {
      await applier.stop();
      await startApplier(LOOK_EVERY_MS);
      await loseOrder('ord_7_3');
      await setPosition(1);
      await until(position, (lsn) => lsn === 5);
      expect(await archivedOrders()).toEqual(orders(1, 5).map(({ orderId }) => orderId));
      await changeRows(archive.pool, 'DELETE FROM applier_positions');
      await until(position, (lsn) => lsn === 5);
      // It learns of its commit a moment after everybody else can see it.
      await until(
        async () => applier.lag,
        (lag) => lag === 0,
      );
    });

    it('back: is not taken to be done by who waits for it, long before it looks by itself', async () => {
      await applier.stop();
      await startApplier(60_000);
      await emptyArchive(archive.pool);
      await insertSale(archive.pool, 7);
      await applier.drain(5_000);
      expect(await archivedOrders()).toEqual(orders(1, 5).map(({ orderId }) => orderId));
    });

    it('back: leaves no gap when the next order comes at once', async () => {
      await loseOrder('ord_7_3');
      await setPosition(2);
      await append(orderOf(6));
      await applier.drain(5_000);
      await until(position, (lsn) => lsn === 6);
      expect(await archivedOrders()).toEqual(orders(1, 6).map(({ orderId }) => orderId));
    });

    it('back: leaves no gap when the next record is one that MySQL refuses', async () => {
      await changeRows(
        archive.pool,
        "INSERT INTO orders VALUES ('foreign', 'pay_7_6', 7, 3, 1, 9999, 1, 100, 'EUR', 'paid', 1, NULL)",
      );
      await loseOrder('ord_7_3');
      await setPosition(2);
      await append(orderOf(6));
      await until(position, (lsn) => lsn === 6);
      expect(await archivedOrders()).toEqual([...orders(1, 5).map(({ orderId }) => orderId), 'foreign']);
      expect(await listFailed(archive.pool)).toMatchObject([{ lsn: 6 }]);
    });

    it('on: goes on behind what somebody else has applied beside it', async () => {
      const lsn = await log.append(orderOf(6));
      // It lingers, for more to come.
      await applyBatch(archive.pool, { logId: log.logId, server: 'x' }, [{ lsn, record: orderOf(6) }], 1);
      await append(orderOf(7));
      await applier.drain(5_000);
      expect(await archivedOrders()).toEqual(orders(1, 7).map(({ orderId }) => orderId));
      expect([await listFailed(archive.pool), errors]).toEqual([[], []]);
    });

    it('beyond the end of the log: says so once, with what to do, and goes on', async () => {
      await applier.stop();
      await startApplier(LOOK_EVERY_MS);
      await setPosition(99);
      await until(
        async () => errors.length,
        (count) => count > 0,
      );
      await sleep(4 * LOOK_EVERY_MS);
      expect(errors).toHaveLength(1);
      expect(errors[0]).toContain(`UPDATE applier_positions SET lsn = 5 WHERE log_id = '${log.logId}'`);
      // Also when the log has grown to there, which does not mean that what came is in MySQL.
      await setPosition(7);
      await append(...orders(6, 9));
      await until(archivedOrders, (ids) => ids.length === 9);
      await loseOrder('ord_7_8');
      await setPosition(0);
      await until(archivedOrders, (ids) => ids.length === 9);
      await until(position, (lsn) => lsn === 9);
    });
  });

  it('catches up with many records without lingering between them', async () => {
    await applier.stop();
    await append(...orders(1, 5_000).map((order) => ({ ...order, capacity: 10_000 })));
    const begin = performance.now();
    await startApplier();
    await until(
      async () => applier.lag,
      (lag) => lag === 0,
    );
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(await archivedOrders()).toHaveLength(5_000);
  });
});
