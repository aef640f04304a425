/** The row in which the applier says that it lives and how far it is, and what others do to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { applyBatch, registerLog, retireLog } from '@fest/server/features/archive/apply-batch';
import { listFailed } from '@fest/server/features/archive/failed-records';
import { findLostLog, mayLive, retireLostLog } from '@fest/server/features/archive/lost-logs';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { beforeEach, describe, expect, it } from 'vitest';
import { applierScene, ordersOf } from '../support/applier-scene.ts';
import { emptyArchive, insertSale, orderOf } from '../support/archive.ts';
import { integration } from '../support/integration.ts';
import { until } from '../support/visitor.ts';

integration('the applier', () => {
  const scene = applierScene();

  describe('says that its server lives', () => {
    const found = async () => {
      const lost = await findLostLog(scene.archive.pool, scene.log.logId);
      if (lost === undefined) throw new Error('MySQL does not know the log');
      return lost;
    };
    const restart = async () => {
      await scene.applier.stop();
      await scene.startApplier(50);
    };

    beforeEach(async () => {
      await registerLog(scene.archive.pool, { logId: scene.log.logId, server: 'server-1' }, 1);
      await changeRows(scene.archive.pool, 'UPDATE applier_positions SET seen_at_s = 1');
    });

    it('again and again, also when there is nothing to apply', async () => {
      expect(mayLive(await found())).toBe(false);
      await restart();
      await until(found, mayLive);
      await changeRows(scene.archive.pool, 'UPDATE applier_positions SET seen_at_s = 1');
      await until(found, mayLive);
    });

    it('and has its log waited for again, when somebody retires it all the same', async () => {
      scene.errors.length = 0;
      expect(await retireLostLog(scene.archive.pool, await found(), 77)).toBe(true);
      expect(await found()).toMatchObject({ retiredAtMs: 77 });
      await restart();
      await until(found, ({ retiredAtMs }) => retiredAtMs === null);
      await until(
        async () => scene.errors,
        (said) => said.length > 0,
      );
      expect(scene.errors).toEqual([expect.stringContaining('was retired while it runs')]);
    });

    it('not any more once it has stopped: a log that is retired then stays so', async () => {
      await restart();
      // A report that is under way waits for this.
      const blocker = await scene.archive.pool.getConnection();
      await blocker.beginTransaction();
      await blocker.query('SELECT lsn FROM applier_positions WHERE log_id = ? FOR UPDATE', [scene.log.logId]);
      await sleep(200);
      let isStopped = false;
      const stopping = scene.applier.stop().then(() => {
        isStopped = true;
      });
      await sleep(200);
      expect(isStopped).toBe(false);
      await blocker.commit();
      blocker.release();
      await stopping;
      await retireLog(scene.archive.pool, scene.log.logId, 9);
      await sleep(200);
      expect(await found()).toMatchObject({ retiredAtMs: 9 });
    });
  });

  describe('whose position somebody has moved', () => {
    const LOOK_EVERY_MS = 50;
    const archivedOrders = () => scene.archivedOrders();
    const setPosition = (lsn: number) =>
      changeRows(scene.archive.pool, 'UPDATE applier_positions SET lsn = ? WHERE log_id = ?', [lsn, scene.log.logId]);
    const position = async () =>
      (await selectRows<{ lsn: number }>(scene.archive.pool, 'SELECT lsn FROM applier_positions'))[0]?.lsn;
    const loseOrder = async (id: string) => {
      for (const table of ['tickets', 'orders'])
        await changeRows(scene.archive.pool, `DELETE FROM ${table} WHERE order_id = ?`, [id]);
    };

    beforeEach(async () => {
      scene.errors.length = 0;
      await scene.append(...ordersOf(1, 5));
      await scene.applier.drain(5_000);
    });

    it('back: applies again what is behind it, while nothing else comes', async () => {
      await scene.applier.stop();
      await scene.startApplier(LOOK_EVERY_MS);
      await loseOrder('ord_7_3');
      await setPosition(1);
      await until(position, (lsn) => lsn === 5);
      expect(await scene.archivedOrders()).toEqual(ordersOf(1, 5).map(({ orderId }) => orderId));
      await changeRows(scene.archive.pool, 'DELETE FROM applier_positions');
      await until(position, (lsn) => lsn === 5);
      // It learns of its commit a moment after everybody else can see it.
      await until(
        async () => scene.applier.lag,
        (lag) => lag === 0,
      );
    });

    it('back: is not taken to be done by who waits for it, long before it looks by itself', async () => {
      await scene.applier.stop();
      await scene.startApplier(60_000);
      await emptyArchive(scene.archive.pool);
      await insertSale(scene.archive.pool, 7);
      await scene.applier.drain(5_000);
      expect(await scene.archivedOrders()).toEqual(ordersOf(1, 5).map(({ orderId }) => orderId));
    });

    it('back: leaves no gap when the next order comes at once', async () => {
      await loseOrder('ord_7_3');
      await setPosition(2);
      await scene.append(orderOf(6));
      await scene.applier.drain(5_000);
      await until(position, (lsn) => lsn === 6);
      expect(await scene.archivedOrders()).toEqual(ordersOf(1, 6).map(({ orderId }) => orderId));
    });

    it('back: leaves no gap when the next record is one that MySQL refuses', async () => {
      await changeRows(
        scene.archive.pool,
        "INSERT INTO orders VALUES ('foreign', 'pay_7_6', 7, 3, 1, 9999, 1, 100, 'EUR', 'paid', 1, NULL)",
      );
      await loseOrder('ord_7_3');
      await setPosition(2);
      await scene.append(orderOf(6));
      await until(position, (lsn) => lsn === 6);
      expect(await scene.archivedOrders()).toEqual([...ordersOf(1, 5).map(({ orderId }) => orderId), 'foreign']);
      expect(await listFailed(scene.archive.pool)).toMatchObject([{ lsn: 6 }]);
    });

    it('on: goes on behind what somebody else has applied beside it', async () => {
      const lsn = await scene.log.append(orderOf(6));
      // It lingers, for more to come.
      await applyBatch(scene.archive.pool, { logId: scene.log.logId, server: 'x' }, [{ lsn, record: orderOf(6) }], 1);
      await scene.append(orderOf(7));
      await scene.applier.drain(5_000);
      expect(await scene.archivedOrders()).toEqual(ordersOf(1, 7).map(({ orderId }) => orderId));
      expect([await listFailed(scene.archive.pool), scene.errors]).toEqual([[], []]);
    });

    it('beyond the end of the log: says so once, with what to do, and goes on', async () => {
      await scene.applier.stop();
      await scene.startApplier(LOOK_EVERY_MS);
      await setPosition(99);
      await until(
        async () => scene.errors.length,
        (count) => count > 0,
      );
      await sleep(4 * LOOK_EVERY_MS);
      expect(scene.errors).toHaveLength(1);
      expect(scene.errors[0]).toContain(`UPDATE applier_positions SET lsn = 5 WHERE log_id = '${scene.log.logId}'`);
      // Also when the log has grown to there, which does not mean that what came is in MySQL.
      await setPosition(7);
      await scene.append(...ordersOf(6, 9));
      await until(archivedOrders, (ids) => ids.length === 9);
      await loseOrder('ord_7_8');
      await setPosition(0);
      await until(archivedOrders, (ids) => ids.length === 9);
      await until(position, (lsn) => lsn === 9);
    });
  });
});
