/** What a rebuild takes for sold: page by page, at one moment, with the orders MySQL refused, whoever mends them meanwhile. */
import { applyBatch, setAside } from '@fest/server/features/archive/apply-batch';
import { retryFailed } from '@fest/server/features/archive/failed-records';
import { readSold } from '@fest/server/features/stock/read-sold';
import type { OrderLogRecord, OrderPaid } from '@fest/server/order-log/records';
import { createMysqlPool, type MysqlPool } from '@fest/server/platform/mysql';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import type { PoolConnection } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  cancelledOf,
  createArchive,
  emptyArchive,
  insertSale,
  numbered,
  orderOf,
  type TestArchive,
} from '../support/archive.ts';
import { integration } from '../support/integration.ts';

const LOG = { logId: 'a'.repeat(32), server: 'server-1' };
/** Several pages for a handful of tickets. */
const PAGE = 2;

let archive: TestArchive;
let pool: MysqlPool;

let applied = 0;
async function apply(...records: readonly OrderLogRecord[]): Promise<void> {
  await applyBatch(pool, LOG, numbered(records, applied), 1);
  applied += records.length;
}

function refundOf({ saleId, orderId, paymentId, accountId, amount, currency }: OrderPaid): OrderLogRecord {
  const reason = 'cancelled_by_buyer';
  return {
    ...{ type: 'refundStarted', saleId, epoch: 1, at: 5, orderId, paymentId, holdId: '', accountId, amount },
    ...{ currency, reason },
  } as OrderLogRecord;
}

/** As if MySQL had refused the order for a reason that is gone. */
async function refuse(order: OrderPaid): Promise<void> {
  applied += 1;
  await setAside(pool, LOG, { lsn: applied, record: order }, new Error('refused'), 1);
}

/** Calls `before` ahead of every statement of a transaction, with its number. */
function interrupted(target: MysqlPool, before: (statement: number) => Promise<unknown>): MysqlPool {
  let statements = 0;
  const wrap = (connection: PoolConnection): PoolConnection =>
    new Proxy(connection, {
      get(inner, name) {
        const value: unknown = Reflect.get(inner, name, inner);
        if (typeof value !== 'function') return value;
        if (name !== 'query') return value.bind(inner);
        return async (...args: unknown[]) => {
          statements += 1;
          await before(statements);
          return value.apply(inner, args);
        };
      },
    });
  return { getConnection: async () => wrap(await target.getConnection()) } as unknown as MysqlPool;
}

integration('what is sold', () => {
  beforeAll(async () => {
    archive = await createArchive();
    pool = archive.pool;
  });
  afterAll(() => pool?.end());
  beforeEach(async () => {
    applied = 0;
    await emptyArchive(pool);
    for (const saleId of [7, 8]) await insertSale(pool, saleId);
  });

  it.each([1, PAGE, 3, 10_000])('is read in pages of %i: live tickets, and none of another sale', async (size) => {
    const resold = orderOf(4, [5, 6]);
    // Of another sale, and stored in between.
    const stranger = { ...orderOf(9, [2, 40], 8), orderId: 'ord_7_2x' };
    await apply(orderOf(1, [1, 2, 3, 4]), orderOf(2, [5, 6]), orderOf(3, [7]), stranger, orderOf(8, [3], 8));
    await apply(cancelledOf(orderOf(2, [5, 6]), 9), { ...resold, accountId: 1001 }, orderOf(5, [20]));
    expect(await readSold(pool, 7, size)).toEqual({
      numbers: [1, 2, 3, 4, 5, 6, 7, 20],
      byAccount: new Map([
        [1001, 6],
        [1003, 1],
        [1005, 1],
      ]),
      returnedOrders: [],
      lastConfirmSeq: 5,
    });
    expect((await readSold(pool, 9, size)).numbers).toEqual([]);
  });

  it('is not what is being cancelled, which is named once, however many pages its tickets are in', async () => {
    const order = orderOf(1, [1, 2, 5, 9]);
    await apply(order, refundOf(order), orderOf(2, [5]));
    expect(await readSold(pool, 7, PAGE)).toMatchObject({ numbers: [5], returnedOrders: [order.orderId] });
    await apply(cancelledOf(order, 9));
    expect(await readSold(pool, 7, PAGE)).toMatchObject({ numbers: [5], returnedOrders: [] });
  });

  describe('of orders that MySQL refused', () => {
    it('counts for the stock and for the buyer, also when the number has another owner', async () => {
      await apply(orderOf(1, [4]));
      await refuse(orderOf(2, [2, 4]));
      await refuse(orderOf(3, [9], 8));
      expect(await readSold(pool, 7, PAGE)).toEqual({
        numbers: [2, 4],
        byAccount: new Map([
          [1001, 1],
          [1002, 2],
        ]),
        returnedOrders: [],
        lastConfirmSeq: 2,
      });
    });

    it('does not count once they are given back', async () => {
      const [begun, done] = [orderOf(2, [2]), orderOf(3, [3])];
      await refuse(begun);
      await refuse(done);
      await apply(refundOf(begun), refundOf(done), cancelledOf(done, 9));
      expect(await readSold(pool, 7, PAGE)).toMatchObject({ numbers: [], returnedOrders: [begun.orderId] });
    });

    it('is found although a server of an earlier release has put them aside', async () => {
      await refuse(orderOf(2, [2]));
      await refuse(orderOf(3, [3], 8));
      await changeRows(pool, 'UPDATE failed_records SET sale_id = NULL, type = NULL');
      expect((await readSold(pool, 7, PAGE)).numbers).toEqual([2]);
    });

    it('does not read the records of other sales', async () => {
      await refuse(orderOf(2, [2]));
      const others = Array.from({ length: 300 }, (_, lsn) => ['x', lsn, 8, 'orderPaid', 'no JSON', '', 1]);
      const sql = 'INSERT INTO failed_records (log_id, lsn, sale_id, type, record, error, failed_at_ms) VALUES ?';
      await changeRows(pool, sql, [others]);
      expect((await readSold(pool, 7, PAGE)).numbers).toEqual([2]);
      const plan = await selectRows<Record<string, unknown>>(
        pool,
        "EXPLAIN SELECT record FROM failed_records WHERE (sale_id = 7 OR sale_id IS NULL) AND (type IN ('orderPaid') OR type IS NULL)",
      );
      // A table, or since MySQL 9 a tree.
      expect(plan[0]?.key ?? JSON.stringify(plan)).toMatch(/^failed_records_sale$|using failed_records_sale/);
    });
  });

  describe('while somebody retries what was refused', () => {
    const order = orderOf(2, [2, 4, 8]);
    const once = {
      numbers: [1, 2, 4, 8, 9, 12],
      byAccount: new Map([
        [1001, 2],
        [1002, 3],
        [1003, 1],
      ]),
      lastConfirmSeq: 3,
    };

    /** Statements that one reading takes. */
    const STATEMENTS = 6;

    async function readWhileRetried(from: MysqlPool, at: number) {
      await emptyArchive(pool);
      await insertSale(pool, 7);
      applied = 0;
      // It would be stored between the two.
      await apply(orderOf(1, [1, 9]), orderOf(3, [12]));
      await refuse(order);
      let retried = 0;
      let seen = 0;
      const sold = await readSold(
        interrupted(from, async (statement) => {
          seen = statement;
          if (statement !== at) return;
          retried += (await retryFailed(pool, {}, 2)).applied.length;
        }),
        7,
        PAGE,
      );
      return { sold, retried, seen };
    }

    it.each(Array.from({ length: STATEMENTS }, (_, n) => n + 1))(
      'counts an order once that becomes one before statement %i',
      async (at) => {
        const { sold, retried, seen } = await readWhileRetried(pool, at);
        // Before the first, everything is in the archive: two more pages, and nobody asks whether it was given back.
        expect(seen).toBe(at === 1 ? STATEMENTS + 1 : STATEMENTS);
        expect(retried).toBe(1);
        expect({ ...sold, returnedOrders: undefined }).toEqual({ ...once, returnedOrders: undefined });
      },
    );

    it('counts it once also on a database that isolates less', async () => {
      const weak = createMysqlPool(archive.mysqlUrl, 1);
      weak.pool.on('connection', (connection) => {
        connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
      });
      for (let at = 1; at <= STATEMENTS; at += 1) {
        const { sold, retried } = await readWhileRetried(weak, at);
        expect(retried).toBe(1);
        expect([at, sold.numbers, sold.byAccount]).toEqual([at, once.numbers, once.byAccount]);
      }
      await weak.end();
    });
  });

  it('is of one moment, whatever is cancelled between two pages', async () => {
    const order = orderOf(1, [1, 5, 9]);
    for (let at = 1; at <= 5; at += 1) {
      await emptyArchive(pool);
      await insertSale(pool, 7);
      applied = 0;
      await apply(order);
      const cancel = async (statement: number) => {
        if (statement === at) await apply(refundOf(order), cancelledOf(order, 9), orderOf(2, [9]));
      };
      const { numbers, byAccount } = await readSold(interrupted(pool, cancel), 7, PAGE);
      const before = JSON.stringify([[1, 5, 9], [[1001, 3]]]);
      const after = JSON.stringify([[9], [[1002, 1]]]);
      expect([before, after]).toContain(JSON.stringify([numbers, [...byAccount]]));
    }
  });
});
