/** Records of order logs as rows of a real MySQL: whatever the batches, the order of the logs and the repetitions. */
import { readFile } from 'node:fs/promises';
import { createRandom } from '@fest/loadtest/buyers/random';
import {
  applyBatch,
  readPosition,
  readUnfinished,
  registerLog,
  retireApplied,
  retireLog,
  setAside,
} from '@fest/server/features/archive/apply-batch';
import type { StoredRecord } from '@fest/server/order-log/records';
import { createMysqlPool, listMigrations, type MysqlPool, migrate } from '@fest/server/platform/mysql';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  cancelledOf,
  createArchive,
  emptyArchive,
  insertSale,
  intentOf,
  numbered,
  orderOf,
  randomHistory,
  rowsOf,
} from '../support/archive.ts';
import { integration } from '../support/integration.ts';
import { createStores } from '../support/test-app.ts';

const SEED = process.env.FEST_TEST_SEED ?? String(Date.now() % 2 ** 31);
const LOG = { logId: 'a'.repeat(32), server: 'server-1' };
const OTHER = { logId: 'b'.repeat(32), server: 'server-2' };

let pool: MysqlPool;

const apply = (records: readonly StoredRecord[], log = LOG) => applyBatch(pool, log, records, 1);
const one = async <Row>(sql: string): Promise<Row | undefined> => (await selectRows<Row>(pool, sql))[0];
const paymentRow = () => one('SELECT status, failure_code, unfinished, record IS NULL AS done, log_id FROM payments');
const liveTickets = async () =>
  (await selectRows<{ n: number }>(pool, 'SELECT ticket_number AS n FROM tickets WHERE live = 1 ORDER BY n')).map(
    ({ n }) => n,
  );

integration('applying records', () => {
  beforeAll(async () => {
    pool = (await createArchive()).pool;
  });
  afterAll(() => pool?.end());
  beforeEach(async () => {
    await emptyArchive(pool);
    await insertSale(pool, 7);
  });

  describe('an order', () => {
    it('is there once, however often its record is applied', async () => {
      const records = numbered([intentOf(1, [1, 2]), orderOf(1, [1, 2])]);
      await apply(records);
      const before = await rowsOf(pool);
      await apply(records);
      await apply(records.slice(0, 1));
      expect(await rowsOf(pool)).toEqual(before);
      expect(await liveTickets()).toEqual([1, 2]);
      expect(before.payments).toEqual([]);
      expect(await readPosition(pool, LOG.logId)).toBe(2);
    });

    it('stays cancelled when its cancellation is in a log that was applied before', async () => {
      const order = orderOf(1);
      await apply(numbered([cancelledOf(order, 50)]), OTHER);
      await apply(numbered([order]));
      expect(await one('SELECT status, cancelled_at_ms AS at FROM orders')).toEqual({ status: 'cancelled', at: 50 });
      expect(await liveTickets()).toEqual([]);
      // Its number was sold again meanwhile.
      await apply(numbered([order, orderOf(2, [1])]));
      expect(await liveTickets()).toEqual([1]);
    });

    it('is being cancelled from the start of its refund on: its tickets are void, and somebody has to go on', async () => {
      const order = orderOf(1);
      const { saleId, paymentId, orderId, accountId, amount, currency } = order;
      const refund = { saleId, epoch: 1, at: 40, paymentId, orderId, holdId: '', accountId, amount, currency };
      await apply(numbered([{ type: 'refundStarted', ...refund, reason: 'cancelled_by_buyer' }]), OTHER);
      await apply(numbered([order]));
      expect(await one('SELECT status, cancelled_at_ms AS at FROM orders')).toEqual({ status: 'cancelling', at: 40 });
      expect(await liveTickets()).toEqual([]);
      await apply(numbered([order, cancelledOf(order, 60)]));
      expect(await one('SELECT status, cancelled_at_ms AS at FROM orders')).toEqual({ status: 'cancelled', at: 40 });
    });

    it('is cancelled and its number sold again within one batch', async () => {
      await apply(numbered([orderOf(1, [1])]));
      await apply(numbered([cancelledOf(orderOf(1, [1]), 50), orderOf(2, [1])], 1));
      expect(await liveTickets()).toEqual([1]);
      expect(await selectRows(pool, 'SELECT order_id AS id FROM orders WHERE status = ?', ['paid'])).toEqual([
        { id: 'ord_7_2' },
      ]);
    });
  });

  describe('a payment', () => {
    const intent = intentOf(1);
    const { saleId, paymentId, holdId, accountId, amount, currency } = intent;
    const base = { saleId, epoch: 1, at: 20, paymentId };
    const failed = { type: 'paymentFailed', ...base, holdId, failureCode: 'declined' } as const;
    const refund = {
      type: 'refundStarted',
      ...base,
      holdId,
      accountId,
      amount,
      currency,
      reason: 'hold_expired',
    } as const;
    const refunded = { type: 'refundCompleted', ...base } as const;

    it('is unfinished from its intent on, until it becomes an order', async () => {
      await apply(numbered([intent]));
      expect(await readUnfinished(pool, LOG.logId)).toEqual([intent]);
      expect(await readUnfinished(pool, OTHER.logId)).toEqual([]);
      await apply(numbered([orderOf(1)], 1));
      expect(await readUnfinished(pool, LOG.logId)).toEqual([]);
      expect(await paymentRow()).toBeUndefined();
    });

    it('is unfinished until it has failed', async () => {
      await apply(numbered([intent]));
      await apply(numbered([failed], 1));
      const row = { status: 'failed', failure_code: 'declined', unfinished: null, done: 1, log_id: LOG.logId };
      expect(await paymentRow()).toEqual(row);
      await apply(numbered([intent]));
      expect(await paymentRow()).toEqual(row);
    });

    it('is unfinished until its refund is complete, not only begun', async () => {
      await apply(numbered([intent]));
      await apply(numbered([refund], 1));
      expect(await readUnfinished(pool, LOG.logId)).toEqual([refund]);
      expect(await paymentRow()).toMatchObject({ status: 'pending', failure_code: 'hold_expired', unfinished: 1 });
      await apply(numbered([refunded], 2));
      const row = { status: 'refunded', failure_code: 'hold_expired', unfinished: null, done: 1, log_id: LOG.logId };
      expect(await paymentRow()).toEqual(row);
      await apply(numbered([intent, refund]));
      expect(await paymentRow()).toEqual(row);
    });

    it('that ends within the batch it began in leaves what is asked for later', async () => {
      await apply(numbered([intent, refund, refunded]));
      expect(await paymentRow()).toMatchObject({ status: 'refunded', failure_code: 'hold_expired', unfinished: null });
      await apply(numbered([intentOf(2), { ...failed, paymentId: 'pay_7_2' }], 3));
      expect(await one("SELECT status, unfinished FROM payments WHERE payment_id = 'pay_7_2'")).toEqual({
        status: 'failed',
        unfinished: null,
      });
    });

    it('with a code that no column takes is stored all the same', async () => {
      await apply(numbered([intent, { ...failed, failureCode: `é${'x'.repeat(80)}` }]));
      expect(await paymentRow()).toMatchObject({ failure_code: `?${'x'.repeat(49)}` });
    });

    it('whose order MySQL refused is not begun again', async () => {
      await apply(numbered([intent]));
      await setAside(pool, LOG, { lsn: 2, record: orderOf(1) }, new Error('no'), 1);
      expect(await readUnfinished(pool, LOG.logId)).toEqual([]);
      expect(await paymentRow()).toMatchObject({ status: 'succeeded', unfinished: null });
      await apply(numbered([orderOf(1)], 1));
      expect(await paymentRow()).toBeUndefined();
    });
  });

  it('a log acknowledges an epoch with its position, and never an older one afterwards', async () => {
    const epoch = (n: number) =>
      ({ type: 'epochStarted', saleId: 7, epoch: n, at: 1, queueHighWater: 0, reason: '' }) as const;
    await apply(numbered([epoch(2), epoch(3)]));
    await apply(numbered([epoch(2)]));
    expect(await one('SELECT log_id, sale_id, epoch FROM log_epochs')).toEqual({
      log_id: LOG.logId,
      sale_id: 7,
      epoch: 3,
    });
    expect(await one('SELECT epoch FROM sales')).toEqual({ epoch: 1 });
  });

  it('a log is registered, retired, and comes back', async () => {
    const row = () => one('SELECT server, lsn, retired_at_ms AS retired FROM applier_positions');
    await registerLog(pool, LOG, 1);
    expect(await row()).toEqual({ server: 'server-1', lsn: 0, retired: null });
    await apply(numbered([orderOf(1)], 4));
    await retireLog(pool, LOG.logId, 99);
    expect(await row()).toEqual({ server: 'server-1', lsn: 5, retired: 99 });
    await registerLog(pool, { ...LOG, server: 'renamed' }, 100);
    expect(await row()).toEqual({ server: 'renamed', lsn: 5, retired: null });
  });

  it('a log is retired as applied only when MySQL says so, whatever its server believes', async () => {
    const retired = () => one('SELECT retired_at_ms AS at FROM applier_positions');
    await apply(numbered([orderOf(1), orderOf(2)]));
    for (const lastLsn of [1, 3]) expect(await retireApplied(pool, LOG.logId, lastLsn, 9)).toBe(false);
    expect(await retired()).toEqual({ at: null });
    expect(await retireApplied(pool, LOG.logId, 2, 9)).toBe(true);
    expect(await retired()).toEqual({ at: 9 });
  });

  it('what no column of failed_records could take is put aside all the same', async () => {
    const record = { ...orderOf(1), saleId: 1.5, type: 'x'.repeat(90) } as unknown as StoredRecord['record'];
    await setAside(pool, LOG, { lsn: 1, record }, new Error('e'.repeat(100_000)), 1);
    expect(await readPosition(pool, LOG.logId)).toBe(1);
    const found = await one<{ record: string; saleId: number | null }>(
      'SELECT record, sale_id AS saleId FROM failed_records',
    );
    expect([JSON.parse(found?.record ?? ''), found?.saleId]).toEqual([record, null]);
  });

  it(`random histories of two logs end in the same rows, whatever the batches and repetitions (seed ${SEED})`, async () => {
    let reference: unknown;
    const entries = randomHistory(SEED, { payments: 150 });
    const logs = [LOG, OTHER].map((log, index) => ({
      log,
      records: numbered(entries.filter((entry) => entry.log === index).map(({ record }) => record)),
    }));
    const tombstones = entries
      .map(({ record }) => record)
      .filter(({ type }) => /orderCancelled|refundStarted/.test(type));
    for (let round = 0; round < 8; round += 1) {
      const random = createRandom(`${SEED}/${round}`);
      await emptyArchive(pool);
      await insertSale(pool, 7);
      // As a replay does: what was given back is known first, so the logs may come in any order.
      await apply(numbered(tombstones.filter((record) => 'orderId' in record)), { logId: 'f'.repeat(32), server: '' });
      const waiting = logs.map(({ log, records }) => ({ log, records, from: 0 }));
      while (waiting.length > 0) {
        const index = Math.floor(random() * waiting.length);
        const next = waiting[index];
        if (next === undefined) throw new Error('none');
        const size = 1 + Math.floor(random() * (round === 0 ? 1 : 60));
        const to = Math.min(next.records.length, next.from + size);
        await apply(next.records.slice(next.from, to), next.log);
        next.from = to;
        if (to === next.records.length) waiting.splice(index, 1);
      }
      const rows = await rowsOf(pool);
      reference ??= rows;
      expect(rows).toEqual(reference);
    }
    expect((reference as { failed: unknown[] }).failed).toEqual([]);
  });
});

integration('the migration to recovery', () => {
  it('works on a database with orders of the first release, and has their logs applied once more', async () => {
    const { mysqlUrl } = await createStores();
    const migrations = await listMigrations();
    await migrate(
      mysqlUrl,
      migrations.filter(({ name }) => name === '0001-initial'),
    );
    const old = createMysqlPool(mysqlUrl, 2);
    const order = orderOf(1);
    await changeRows(
      old,
      `INSERT INTO orders VALUES ('${order.orderId}', '${order.paymentId}', 7, 3, 1001, 1, 1, 100, 'EUR', 'paid', 1, NULL)`,
    );
    await changeRows(old, "INSERT INTO tickets VALUES (7, 1, 'ord_7_1', 1001, 1, NULL, NULL)");
    await changeRows(old, "INSERT INTO payments VALUES ('pay_7_9', 7, 1, 100, 'EUR', 'refunded', 'hold_expired', 1)");
    await changeRows(old, `INSERT INTO applier_positions VALUES ('${LOG.logId}', 's', 9, 1)`);
    await migrate(mysqlUrl);
    expect(await migrate(mysqlUrl)).toEqual([]);
    expect(await readPosition(old, LOG.logId)).toBe(0);
    const { saleId, paymentId, holdId, accountId, amount, currency } = intentOf(9);
    const refund = { saleId, epoch: 1, at: 1, paymentId, holdId, accountId, amount, currency };
    const records = numbered([intentOf(1), order, { type: 'refundStarted', ...refund, reason: 'hold_expired' }]);
    await applyBatch(old, LOG, records, 1);
    expect(await readUnfinished(old, LOG.logId)).toMatchObject([{ type: 'refundStarted', paymentId }]);
    expect(await selectRows(old, 'SELECT order_id FROM orders')).toHaveLength(1);
    await old.end();
  });

  it('finds out what refused records are about, of those it can read', async () => {
    const { mysqlUrl } = await createStores();
    const migrations = await listMigrations();
    await migrate(
      mysqlUrl,
      migrations.filter(({ name }) => name < '0003'),
    );
    const old = createMysqlPool(mysqlUrl, 1);
    const records = [JSON.stringify(orderOf(1, [1], 42)), 'no JSON', '{}'];
    const rows = records.map((record, index) => [LOG.logId, index + 1, record, 'refused', 1]);
    await changeRows(old, 'INSERT INTO failed_records (log_id, lsn, record, error, failed_at_ms) VALUES ?', [rows]);
    await migrate(mysqlUrl);
    expect(await selectRows(old, 'SELECT sale_id AS saleId, type FROM failed_records ORDER BY lsn')).toEqual([
      { saleId: 42, type: 'orderPaid' },
      { saleId: null, type: null },
      { saleId: null, type: null },
    ]);
    await old.end();
  });

  it.each(['0002-recovery', '0003-failed-and-lost'])('is portable SQL (%s)', async (name) => {
    const file = new URL(`../../packages/server/src/migrations/${name}.sql`, import.meta.url);
    expect(await readFile(file, 'utf8')).not.toMatch(/RETURNING|->>|\bAS new\b/);
  });
});
