/** What the archive says of a payment while it becomes an order. */
import { applyBatch } from '@fest/server/features/archive/apply-batch';
import { findArchivedPayment } from '@fest/server/features/payments/store';
import type { StoredRecord } from '@fest/server/order-log/records';
import type { MysqlPool } from '@fest/server/platform/mysql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createArchive, insertSale, intentOf, orderOf, type TestArchive } from '../support/archive.ts';
import { integration } from '../support/integration.ts';

const LOG = { logId: 'a'.repeat(32), server: 'server-1' };

/** A pool that does something else before its n-th connection is handed out. */
function interrupted(pool: MysqlPool, nth: number, work: () => Promise<unknown>): MysqlPool {
  let taken = 0;
  return new Proxy(pool, {
    get(target, name) {
      if (name !== 'getConnection') return Reflect.get(target, name) as unknown;
      return async () => {
        taken += 1;
        if (taken === nth) await work();
        return target.getConnection();
      };
    },
  });
}

integration('the archive of payments', () => {
  let archive: TestArchive;
  let lsn = 0;
  beforeAll(async () => {
    archive = await createArchive();
    await insertSale(archive.pool, 7);
  });
  afterAll(() => archive?.pool.end());

  const apply = (record: StoredRecord['record']) => {
    lsn += 1;
    return applyBatch(archive.pool, LOG, [{ lsn, record }], 0);
  };

  it.each([1, 2])(
    'never says that it knows nothing of one that becomes an order before its question %i',
    async (nth) => {
      await apply(intentOf(nth));
      const { paymentId } = intentOf(nth);
      expect(await findArchivedPayment(archive.pool, paymentId)).toMatchObject({ status: 'pending' });
      const became: unknown[] = [];
      const found = await findArchivedPayment(
        interrupted(archive.pool, nth, async () => became.push(await apply(orderOf(nth)))),
        paymentId,
      );
      expect(became).toHaveLength(1);
      expect(found).toMatchObject({ status: 'succeeded', orderId: orderOf(nth).orderId });
      expect(await findArchivedPayment(archive.pool, 'pay_7_999')).toBeUndefined();
    },
  );
});
