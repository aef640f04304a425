/** Records that MySQL refuses: put aside, found, retried. */
import { type FailedFilter, listFailed, retryFailed } from '@fest/server/features/archive/failed-records';
import { addFreshOrder, listFreshOrders } from '@fest/server/features/orders/fresh-orders';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { applierScene, ordersOf } from '../support/applier-scene.ts';
import { insertSale, intentOf, orderOf } from '../support/archive.ts';
import { integration } from '../support/integration.ts';
import { until } from '../support/visitor.ts';

integration('a record that MySQL refuses', () => {
  const scene = applierScene();
  const refused = orderOf(5, [500]);

  beforeEach(async () => {
    await changeRows(
      scene.archive.pool,
      "INSERT INTO orders VALUES ('foreign', 'pay-foreign', 7, 3, 1, 9999, 1, 100, 'EUR', 'paid', 1, NULL)",
    );
    await changeRows(scene.archive.pool, "INSERT INTO tickets VALUES (7, 500, 'foreign', 1, 1, NULL, NULL)");
  });

  it('is put aside alone; its buyer goes on seeing the order, the others find theirs in MySQL', async () => {
    const batch = [...ordersOf(1, 4), refused, ...ordersOf(6, 9)];
    for (const order of batch) await addFreshOrder(scene.redis, order);
    await scene.log.append(intentOf(5, [500]));
    await scene.append(...batch);
    await scene.applier.drain(10_000);
    expect(await scene.archivedOrders()).toHaveLength(9);
    expect(await listFailed(scene.archive.pool)).toMatchObject([{ lsn: 6, record: { orderId: refused.orderId } }]);
    await expect.poll(() => scene.applier.failedRecords).toBe(1);
    for (const order of batch) {
      const fresh = () => listFreshOrders(scene.redis, order.accountId);
      await until(fresh, (list) => list.length === (order === refused ? 1 : 0));
    }
    await scene.redis.flushdb();
  });

  it('is put aside also when its payment cannot be closed, which is said, and the rest goes on', async () => {
    const { accountId, paymentId } = refused;
    await changeRows(
      scene.archive.pool,
      `ALTER TABLE payments ADD CONSTRAINT nobody CHECK (account_id <> ${accountId})`,
    );
    onTestFinished(
      async () => void (await changeRows(scene.archive.pool, 'ALTER TABLE payments DROP CONSTRAINT nobody')),
    );
    await scene.append(orderOf(4), refused, orderOf(6));
    await scene.applier.drain(10_000);
    expect(await scene.archivedOrders()).toEqual(['ord_7_4', 'ord_7_6', 'foreign']);
    const [failed, ...others] = await listFailed(scene.archive.pool);
    expect(others).toEqual([]);
    expect(failed).toMatchObject({ lsn: 2, record: { paymentId } });
    expect(failed?.error).toMatch(/Duplicate entry.*; its payment could not be closed either: .*nobody/s);
  });

  it('is found by its sale and its type, and retried by them', async () => {
    await insertSale(scene.archive.pool, 8);
    await scene.append(refused, { ...orderOf(6, [9], 8), orderId: 'foreign-payment', paymentId: 'pay-foreign' });
    await scene.applier.drain(10_000);
    const lsns = async (filter: FailedFilter) => (await listFailed(scene.archive.pool, filter)).map(({ lsn }) => lsn);
    expect(await lsns({})).toEqual([1, 2]);
    expect(await lsns({ saleId: 7 })).toEqual([1]);
    expect(await lsns({ saleId: 8, types: ['orderPaid'] })).toEqual([2]);
    expect(await lsns({ types: ['paymentIntent', 'phaseChanged'] })).toEqual([]);
    expect(await selectRows(scene.archive.pool, 'SELECT sale_id AS saleId, type FROM failed_records')).toEqual([
      { saleId: 7, type: 'orderPaid' },
      { saleId: 8, type: 'orderPaid' },
    ]);
    await changeRows(scene.archive.pool, "DELETE FROM tickets WHERE order_id = 'foreign'");
    await changeRows(scene.archive.pool, "DELETE FROM orders WHERE order_id = 'foreign'");
    const report = await retryFailed(scene.archive.pool, { saleId: 8 }, 6);
    expect(report.applied.map(({ lsn }) => lsn)).toEqual([2]);
    expect(await lsns({})).toEqual([1]);
  });

  it('is counted in MySQL: also after a restart, and no longer once somebody has put it right', async () => {
    await scene.append(refused);
    await scene.applier.drain(10_000);
    await scene.applier.stop();
    await scene.startApplier();
    await expect.poll(() => scene.applier.failedRecords).toBe(1);
    expect(await retryFailed(scene.archive.pool, {}, 5)).toMatchObject({ applied: [], refused: [{ lsn: 1 }] });
    expect(await listFailed(scene.archive.pool)).toMatchObject([{ failedAtMs: 5 }]);
    await changeRows(scene.archive.pool, "DELETE FROM tickets WHERE order_id = 'foreign'");
    expect(await retryFailed(scene.archive.pool, {}, 6)).toMatchObject({ applied: [{ lsn: 1 }], refused: [] });
    expect(await listFailed(scene.archive.pool)).toEqual([]);
    expect(await scene.archivedOrders()).toContain(refused.orderId);
    await scene.applier.stop();
    await scene.startApplier();
    await expect.poll(() => scene.applier.failedRecords).toBe(0);
  });

  it('is retried by its log and LSN only, when so asked', async () => {
    await changeRows(scene.archive.pool, "INSERT INTO tickets VALUES (7, 501, 'foreign', 1, 1, NULL, NULL)");
    await scene.append(refused, orderOf(6, [501]));
    await scene.applier.drain(10_000);
    expect(await listFailed(scene.archive.pool)).toHaveLength(2);
    await changeRows(scene.archive.pool, "DELETE FROM tickets WHERE order_id = 'foreign'");
    const report = await retryFailed(scene.archive.pool, { logId: scene.log.logId, lsn: 2 }, 6);
    expect(report.applied.map(({ lsn }) => lsn)).toEqual([2]);
    expect(await listFailed(scene.archive.pool)).toMatchObject([{ lsn: 1 }]);
    expect(await scene.archivedOrders()).toEqual(['ord_7_6', 'foreign']);
  });
});
