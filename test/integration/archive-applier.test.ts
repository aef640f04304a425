/** The applier against a MySQL that deadlocks, locks and loses connections. */
import { setTimeout as sleep } from 'node:timers/promises';
import { listFailed } from '@fest/server/features/archive/failed-records';
import type { OrderPaid } from '@fest/server/order-log/records';
import { selectRows } from '@fest/server/platform/mysql-statements';
import type { PoolConnection } from 'mysql2/promise';
import { describe, expect, it } from 'vitest';
import { type ApplierScene, applierScene, ordersOf } from '../support/applier-scene.ts';
import { orderOf } from '../support/archive.ts';
import { integration } from '../support/integration.ts';
import { until } from '../support/visitor.ts';

/** A transaction of somebody else that has an order's key, so that the applier has to wait for it. */
async function blockOrder(scene: ApplierScene, order: OrderPaid, extraRows = 0): Promise<PoolConnection> {
  const connection = await scene.archive.pool.getConnection();
  await connection.beginTransaction();
  const row = (id: string, seq: number) => [id, `x${id}`, 999, 1, 1, seq, 1, 1, 'EUR', 'paid', 1, null];
  const rows = [row(order.orderId, 1), ...Array.from({ length: extraRows }, (_, n) => row(`blocker-${n}`, n + 2))];
  await connection.query('INSERT INTO orders VALUES ?', [rows]);
  return connection;
}

/** The id of the connection that waits to insert orders. */
async function waitingConnection(scene: ApplierScene): Promise<number> {
  const find = () =>
    selectRows<{ id: number }>(
      scene.archive.pool,
      "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE 'INSERT INTO orders%'",
    );
  const [row] = await until(find, (rows) => rows.length > 0);
  if (row === undefined) throw new Error('nobody waits');
  return row.id;
}

integration('the applier', () => {
  const scene = applierScene();

  describe('tries again, and puts nothing aside,', () => {
    it('when it is the victim of a deadlock', async () => {
      await scene.append(orderOf(1));
      await scene.applier.drain(5_000);
      const blocker = await blockOrder(scene, orderOf(3), 200);
      await scene.append(...ordersOf(2, 4));
      await waitingConnection(scene);
      // The applier has its position locked and waits for the order. Whoever has written less is rolled back.
      const sql = 'SELECT lsn FROM applier_positions WHERE log_id = ? FOR UPDATE';
      await expect(blocker.query(sql, [scene.log.logId])).resolves.toBeDefined();
      await blocker.rollback();
      blocker.release();
      await scene.applier.drain(10_000);
      expect(await scene.archivedOrders()).toEqual(ordersOf(1, 4).map(({ orderId }) => orderId));
      expect(await listFailed(scene.archive.pool)).toEqual([]);
    });

    it('when a lock is not free in time', async () => {
      // Alone in its batch: a record that were taken for refused would be put aside at once.
      const blocker = await blockOrder(scene, orderOf(1));
      await scene.append(orderOf(1));
      await waitingConnection(scene);
      await sleep(1_500);
      await blocker.rollback();
      blocker.release();
      await scene.applier.drain(10_000);
      expect(await scene.archivedOrders()).toEqual(['ord_7_1']);
      expect(await listFailed(scene.archive.pool)).toEqual([]);
    });

    it('when its connection is killed within the transaction', async () => {
      const blocker = await blockOrder(scene, orderOf(1));
      await scene.append(orderOf(1));
      for (let time = 0; time < 2; time += 1) {
        await scene.archive.pool.query(`KILL ${await waitingConnection(scene)}`);
        await sleep(50);
      }
      expect(scene.applier.appliedLsn).toBe(0);
      await blocker.rollback();
      blocker.release();
      await scene.applier.drain(10_000);
      expect(await scene.archivedOrders()).toEqual(['ord_7_1']);
      expect(await listFailed(scene.archive.pool)).toEqual([]);
    });
  });
});
