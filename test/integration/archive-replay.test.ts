/** Replaying order logs into a real MySQL: lost, half full, changed by hand, interrupted, and with servers about. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@fest/loadtest/buyers/random';
import { applyBatch, readPosition, readUnfinished, registerLog } from '@fest/server/features/archive/apply-batch';
import { listFailed } from '@fest/server/features/archive/failed-records';
import { bringInLogs, isRetired } from '@fest/server/features/archive/left-logs';
import { type ReplayOptions, ReplayRefusedError, replayLogs } from '@fest/server/features/archive/replay';
import { UnfinishedWork } from '@fest/server/features/payments/payments';
import { findLogOwner } from '@fest/server/order-log/lock';
import { type OrderLog, openOrderLog } from '@fest/server/order-log/order-log';
import type { OrderLogRecord } from '@fest/server/order-log/records';
import type { MysqlPool } from '@fest/server/platform/mysql';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  cancelledOf,
  createArchive,
  emptyArchive,
  type HistoryEntry,
  insertSale,
  intentOf,
  orderOf,
  randomHistory,
  rowsOf,
} from '../support/archive.ts';
import { integration } from '../support/integration.ts';
import { until } from '../support/visitor.ts';

const SEED = process.env.FEST_TEST_SEED ?? String(Date.now() % 2 ** 31);

const SEGMENT_BYTES = 16 * 1024;

let pool: MysqlPool;
let mysqlUrl: string;
let folder: string;
let logs = 0;

interface WrittenLog {
  readonly directory: string;
  readonly logId: string;
}

/** A log on disk, closed again. */
async function writeLog(records: readonly OrderLogRecord[], directory = newDirectory()): Promise<WrittenLog> {
  // Small segments: many of them, and quick to make.
  const log = await openOrderLog({ directory, segmentBytes: SEGMENT_BYTES });
  await Promise.all(records.map((record) => log.append(record)));
  await log.close();
  return { directory, logId: log.logId };
}

function newDirectory(): string {
  logs += 1;
  return join(folder, `log-${logs}`);
}

const replay = (directories: readonly string[], options: Partial<ReplayOptions> = {}) =>
  replayLogs({ mysql: pool, directories, nowMs: () => 77, ...options });

async function empty(): Promise<void> {
  await emptyArchive(pool);
  await insertSale(pool, 7);
}

const NOTHING = {
  ordersMissing: 0,
  ticketsMissing: 0,
  cancellationsMissing: 0,
  paymentsMissing: 0,
  ordersDiffer: 0,
  ticketsDiffer: 0,
  paymentsDiffer: 0,
  repaired: 0,
  refused: 0,
};

integration('replaying order logs', () => {
  beforeAll(async () => {
    ({ pool, mysqlUrl } = await createArchive());
    folder = mkdtempSync(join(tmpdir(), 'fest-replay-'));
  });
  afterAll(async () => {
    await pool?.end();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(empty);

  describe(`random histories of two servers (seed ${SEED})`, () => {
    let history: readonly HistoryEntry[];
    let written: readonly WrittenLog[];
    /** The rows as the servers themselves would have left them. */
    let expected: Record<string, readonly string[]>;

    beforeAll(async () => {
      history = randomHistory(SEED, { payments: 200, adoption: true });
      const of = (index: number) => history.filter(({ log }) => log === index).map(({ record }) => record);
      written = [await writeLog(of(0)), await writeLog(of(1))];
      await empty();
      await applyAsItHappened();
      expected = await rowsOf(pool);
    });

    /** Each record in its turn, by the applier of its server. */
    async function applyAsItHappened(): Promise<void> {
      const lsns = [0, 0];
      for (const { log, record } of history) {
        const lsn = (lsns[log] ?? 0) + 1;
        lsns[log] = lsn;
        const { logId } = written[log] ?? { logId: '' };
        await applyBatch(pool, { logId, server: 's' }, [{ lsn, record }], 1);
      }
    }

    const all = () => written.map(({ directory }) => directory);
    const expectEverything = async () => {
      const rows = await rowsOf(pool);
      // A later epoch than MySQL's asks for the sale to be built anew, which the servers themselves had done.
      expect({ ...rows, sales: [], rebuilds: [] }).toEqual({ ...expected, sales: [], rebuilds: [] });
      expect(rows.failed).toEqual([]);
    };

    it('end in the rows that their servers would have made', async () => {
      const report = await replay(all(), { batchOrders: 7 });
      await expectEverything();
      const orders = history.filter(({ record }) => record.type === 'orderPaid').length;
      expect(report.counts).toMatchObject({ ordersMissing: orders, refused: 0 });
      for (const { position, lastLsn } of report.logs) expect(position).toBe(lastLsn);
    });

    it('in the other order, one by one, and again', async () => {
      await replay(all().reverse());
      await expectEverything();
      for (const order of [all(), all().reverse()]) {
        await empty();
        for (const directory of order) await replay([directory]);
        // Together: a payment that was adopted may have its end in a log that came before its beginning.
        await replay(order);
        await expectEverything();
      }
      const report = await replay(all());
      expect(report.counts).toEqual(NOTHING);
      await expectEverything();
    });

    it('interrupted at random points, with small and large batches, and repeated', async () => {
      let interruptions = 0;
      for (let round = 0; round < 6; round += 1) {
        const random = createRandom(`${SEED}/${round}`);
        await empty();
        for (let time = 0; await isInterrupted(random, time < 5); time += 1) {
          interruptions += 1;
          await expectResumable();
        }
        await expectEverything();
      }
      expect(interruptions).toBeGreaterThan(3);
    });

    /** A replay that is stopped after some batches, if it has not come to its end by then. */
    async function isInterrupted(random: () => number, mayStop: boolean): Promise<boolean> {
      const stop = new AbortController();
      let steps = mayStop ? Math.floor(random() * 12) : Number.POSITIVE_INFINITY;
      const running = replay(random() < 0.5 ? all() : all().reverse(), {
        batchOrders: 1 + Math.floor(random() * 25),
        signal: stop.signal,
        onProgress: ({ phase }) => {
          if (phase === 'applying') steps -= 1;
          if (steps < 0) stop.abort();
        },
      });
      await running.catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
      return stop.signal.aborted;
    }

    /** What a server that starts now makes of the rows and what is behind its position is what its whole log says. */
    async function expectResumable(): Promise<void> {
      for (const [index, { logId }] of written.entries()) {
        const records = history.filter(({ log }) => log === index).map(({ record }) => record);
        const resumed = new UnfinishedWork();
        for (const record of await readUnfinished(pool, logId)) resumed.add(record);
        for (const record of records.slice(await readPosition(pool, logId))) resumed.add(record);
        const whole = new UnfinishedWork();
        for (const record of records) whole.add(record);
        expect(openOf(resumed)).toEqual(openOf(whole));
      }
    }

    /** Without those that were adopted: what became of them is in the other log. */
    function openOf(work: UnfinishedWork): readonly string[] {
      const { intents, refunds } = work.result();
      const open = [
        ...intents.keys(),
        ...[...refunds.values()].filter((r) => r.orderId === undefined).map((r) => r.paymentId),
      ];
      return open.filter((paymentId) => !isAdopted(paymentId)).sort();
    }

    function isAdopted(paymentId: string): boolean {
      const logs = history.filter(
        ({ record }) => 'paymentId' in record && record.paymentId === paymentId && !isOfOrder(record),
      );
      return new Set(logs.map(({ log }) => log)).size > 1;
    }

    const isOfOrder = (record: OrderLogRecord) =>
      'orderId' in record && record.type !== 'orderPaid' && record.orderId !== undefined;

    it('leave the payments unfinished that are open at the end, and revive none that is finished', async () => {
      await applyAsItHappened();
      await expectResumable();
      const before = await Promise.all(written.map(({ logId }) => readUnfinished(pool, logId)));
      expect(before.flat().length).toBeGreaterThan(0);
      await replay(all(), { batchOrders: 3 });
      expect(await Promise.all(written.map(({ logId }) => readUnfinished(pool, logId)))).toEqual(before);
      await expectResumable();
    });

    it('leave nothing to be begun again when rows are lost, positions are not, and the replay is interrupted', async () => {
      await applyAsItHappened();
      for (const batches of [1, 4, 10, 20]) {
        for (const table of ['tickets', 'orders', 'payments']) await changeRows(pool, `DELETE FROM ${table}`);
        const stop = new AbortController();
        let left = batches;
        const onProgress: ReplayOptions['onProgress'] = ({ phase }) => {
          if (phase === 'applying') left -= 1;
          if (left === 0) stop.abort();
        };
        await expect(replay(all(), { batchOrders: 3, signal: stop.signal, onProgress })).rejects.toThrow(/abort/i);
        const open = (expected.payments ?? []).filter((row) => row.includes('"unfinished":1'));
        for (const { logId } of written) {
          for (const { paymentId } of await readUnfinished(pool, logId)) {
            expect(open.some((row) => row.includes(`"${paymentId}"`))).toBe(true);
          }
        }
      }
      await replay(all());
      await expectEverything();
    });

    it('are looked at without a change by a dry run', async () => {
      const before = await rowsOf(pool);
      const report = await replay(all(), { dryRun: true });
      expect(await rowsOf(pool)).toEqual(before);
      expect(await selectRows(pool, 'SELECT * FROM applier_positions')).toEqual([]);
      const count = (type: OrderLogRecord['type']) => history.filter(({ record }) => record.type === type).length;
      const rows = expected.payments?.length ?? 0;
      expect(report.counts).toMatchObject({
        ordersMissing: count('orderPaid'),
        paymentsMissing: rows,
        ordersDiffer: 0,
      });
      expect(report.counts.cancellationsMissing).toBe(expected.cancelled_orders?.length);
      await replay(all());
      expect((await replay(all(), { dryRun: true })).counts).toEqual(NOTHING);
    });
  });

  describe('a repair', () => {
    const orders = [orderOf(1, [1, 2]), orderOf(2, [3]), orderOf(3, [4]), orderOf(4, [5])];
    const ofPayment = (n: number) => ({ paymentId: intentOf(n).paymentId, holdId: intentOf(n).holdId });
    let log: WrittenLog;
    let before: Record<string, readonly string[]>;

    beforeEach(async () => {
      log = await writeLog([
        ...[intentOf(10), ...orders, cancelledOf(orderOf(4, [5]), 50), intentOf(9)],
        { type: 'paymentFailed', saleId: 7, epoch: 1, at: 60, ...ofPayment(10), failureCode: 'card_declined' },
      ]);
      await replay([log.directory]);
      await changeRows(pool, "UPDATE tickets SET checked_in_at_ms = 5, checked_in_by = 6 WHERE order_id = 'ord_7_2'");
      before = await rowsOf(pool);
    });

    test_each([
      ['a changed order', ["UPDATE orders SET account_id = 1, status = 'x', amount = 1 WHERE order_id = 'ord_7_1'"]],
      ['a deleted ticket', ["DELETE FROM tickets WHERE order_id = 'ord_7_1' AND ticket_number = 2"]],
      [
        'a deleted order',
        ["DELETE FROM tickets WHERE order_id = 'ord_7_3'", "DELETE FROM orders WHERE order_id = 'ord_7_3'"],
      ],
      ['a number that two orders have', ["UPDATE tickets SET ticket_number = 1, live = 2 WHERE order_id = 'ord_7_2'"]],
      ['a number of another sale', ["UPDATE tickets SET sale_id = 8 WHERE order_id = 'ord_7_2'"]],
      ['an invented ticket', ["INSERT INTO tickets VALUES (7, 99, 'ord_7_1', 1001, 1, NULL, NULL)"]],
      ['a ticket of a cancelled order that is valid again', ["UPDATE tickets SET live = 1 WHERE order_id = 'ord_7_4'"]],
      [
        'orders that exchanged their tickets',
        [
          "UPDATE tickets SET ticket_number = 77 WHERE order_id = 'ord_7_2'",
          "UPDATE tickets SET ticket_number = 3 WHERE order_id = 'ord_7_3'",
          "UPDATE tickets SET ticket_number = 4 WHERE order_id = 'ord_7_2'",
        ],
      ],
      [
        'orders that exchanged their payments',
        [
          "UPDATE orders SET payment_id = 'x' WHERE order_id = 'ord_7_1'",
          "UPDATE orders SET payment_id = 'pay_7_1' WHERE order_id = 'ord_7_2'",
          "UPDATE orders SET payment_id = 'pay_7_2' WHERE order_id = 'ord_7_1'",
        ],
      ],
      ['a payment that was called failed', ["UPDATE payments SET status = 'failed', unfinished = NULL, record = NULL"]],
      ['a payment that is gone', ['DELETE FROM payments']],
      ['an open payment over another amount', ["UPDATE payments SET amount = 1 WHERE payment_id = 'pay_7_9'"]],
      [
        'a failed payment of another account, in another currency',
        ["UPDATE payments SET account_id = 1, currency = 'USD', sale_id = 8 WHERE payment_id = 'pay_7_10'"],
      ],
      [
        'a payment that became an order',
        ["INSERT INTO payments VALUES ('pay_7_1', 7, 1, 1, 'EUR', 'pending', NULL, 1, NULL, 1, NULL)"],
      ],
      [
        'a cancellation nobody knows any more',
        [
          'DELETE FROM cancelled_orders',
          "UPDATE orders SET status = 'paid', cancelled_at_ms = NULL",
          'UPDATE tickets SET live = 1',
        ],
      ],
    ] as const);

    function test_each(cases: ReadonlyArray<readonly [string, readonly string[]]>): void {
      it.each(cases)('puts right %s, in whatever batches', async (_, damages) => {
        for (const batchOrders of [1_000, 1]) {
          for (const sql of damages) await changeRows(pool, sql);
          expect(await rowsOf(pool)).not.toEqual(before);
          const seen = await replay([log.directory], { dryRun: true, batchOrders });
          expect(seen.counts).not.toEqual(NOTHING);
          const report = await replay([log.directory], { repair: true, batchOrders });
          expect(await rowsOf(pool)).toEqual(before);
          expect(report.unrepaired).toBe(0);
          expect((await replay([log.directory], { dryRun: true })).counts).toEqual(NOTHING);
        }
      });
    }

    /** As a partial restore does it. */
    async function changeUnchecked(...statements: readonly string[]): Promise<void> {
      const connection = await pool.getConnection();
      try {
        await connection.query('SET SESSION foreign_key_checks = 0');
        for (const sql of statements) await connection.query(sql);
      } finally {
        await connection.query('SET SESSION foreign_key_checks = 1');
        connection.release();
      }
    }

    const withoutOrder = (id: string) => `DELETE FROM orders WHERE order_id = '${id}'`;

    it.each([
      ['all of them', [withoutOrder('ord_7_2')]],
      ['also one that was given back', [withoutOrder('ord_7_2'), withoutOrder('ord_7_4')]],
      ['some', [withoutOrder('ord_7_1'), "DELETE FROM tickets WHERE order_id = 'ord_7_1' AND ticket_number = 1"]],
      ['of another account', [withoutOrder('ord_7_1'), "UPDATE tickets SET account_id = 9 WHERE order_id = 'ord_7_1'"]],
      [
        'with a wrong number',
        [withoutOrder('ord_7_2'), "UPDATE tickets SET ticket_number = 66 WHERE order_id = 'ord_7_2'"],
      ],
      [
        'whose numbers another order has',
        [withoutOrder('ord_7_1'), "UPDATE tickets SET live = 2, ticket_number = 1 WHERE order_id = 'ord_7_3'"],
      ],
    ])('adopts tickets without their order, and who came in with them: %s', async (_, damages) => {
      for (const batchOrders of [1_000, 1]) {
        await changeUnchecked(...damages);
        const seen = await replay([log.directory], { dryRun: true, batchOrders });
        expect(seen.counts.ordersMissing).toBeGreaterThan(0);
        expect(seen.counts.ticketsDiffer).toBeGreaterThan(0);
        const report = await replay([log.directory], { repair: true, batchOrders });
        expect(report.counts).toMatchObject({ refused: 0, repaired: expect.any(Number) });
        expect(report.unrepaired).toBe(0);
        expect(await rowsOf(pool)).toEqual(before);
        expect((await replay([log.directory], { dryRun: true })).counts).toEqual(NOTHING);
      }
    });

    it('adopts tickets of a record that was put aside because of them', async () => {
      await changeUnchecked(withoutOrder('ord_7_2'));
      expect((await replay([log.directory])).counts).toMatchObject({ refused: 1 });
      const report = await replay([log.directory], { repair: true });
      expect(report.counts).toMatchObject({ refused: 0, repaired: 1 });
      expect(await rowsOf(pool)).toEqual(before);
    });

    it('is not done by a plain replay, which only adds what is missing', async () => {
      await changeRows(pool, "UPDATE orders SET account_id = 1 WHERE order_id = 'ord_7_1'");
      await changeRows(pool, "DELETE FROM tickets WHERE order_id = 'ord_7_3'");
      const changed = await rowsOf(pool);
      await replay([log.directory]);
      expect(await rowsOf(pool)).toEqual(changed);
    });

    it('revives no order that MySQL calls cancelled, and says so', async () => {
      await changeRows(pool, "UPDATE orders SET status = 'cancelled', cancelled_at_ms = 9 WHERE order_id = 'ord_7_1'");
      await changeRows(pool, "UPDATE tickets SET live = NULL WHERE order_id = 'ord_7_1'");
      const changed = await rowsOf(pool);
      const report = await replay([log.directory], { repair: true });
      expect(report.cancelledWithoutRecord).toBe(1);
      expect(await rowsOf(pool)).toEqual(changed);
    });

    it('says what it cannot put right: a number that an order of no log at hand has', async () => {
      await changeRows(pool, "UPDATE tickets SET live = NULL WHERE order_id = 'ord_7_3'");
      await changeRows(pool, "INSERT INTO orders VALUES ('foreign', 'p', 7, 3, 1, 999, 1, 1, 'EUR', 'paid', 1, NULL)");
      await changeRows(pool, "INSERT INTO tickets VALUES (7, 4, 'foreign', 1, 1, NULL, NULL)");
      const report = await replay([log.directory], { repair: true });
      expect(report.unrepaired).toBe(1);
      expect(report.examples).toContainEqual(expect.objectContaining({ kind: 'unrepaired', id: 'ord_7_3' }));
    });
  });

  describe('and their servers', () => {
    let setBack: Promise<unknown> | undefined;
    let log: OrderLog;
    let directory: string;

    beforeEach(async () => {
      directory = newDirectory();
      log = await openOrderLog({ directory, segmentBytes: SEGMENT_BYTES });
      for (const n of [1, 2, 3]) await log.append(orderOf(n));
      await registerLog(pool, { logId: log.logId, server: 'server-1' }, 1);
      return () => log.close();
    });

    it('a log that a server has open is refused, and left to it behind its position when so asked', async () => {
      const refusal = await replay([directory]).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(ReplayRefusedError);
      expect(refusal).toMatchObject({ reason: 'inUse', message: expect.stringContaining(String(process.pid)) });
      await applyBatch(pool, { logId: log.logId, server: 's' }, [{ lsn: 1, record: orderOf(1) }], 1);
      await changeRows(pool, 'DELETE FROM tickets');
      const report = await replay([directory], { live: true, repair: true, retire: true });
      expect(report.logs).toMatchObject([{ lastLsn: 1, position: 1, retired: false, notRetired: /open/ }]);
      expect(report.counts.ticketsMissing).toBe(1);
      expect(await selectRows(pool, 'SELECT order_id FROM orders')).toHaveLength(1);
      expect(await log.append(orderOf(4))).toBe(4);
    });

    it('a log is retired once all of it is in MySQL, and is nobody else’s meanwhile', async () => {
      await log.close();
      let locked: unknown;
      const report = await replay([directory], {
        retire: true,
        onProgress: () => {
          locked ??= findLogOwner(directory)?.pid;
        },
      });
      expect(locked).toBe(process.pid);
      expect(report.logs).toMatchObject([{ position: 3, retired: true, server: 'server-1' }]);
      expect(await selectRows(pool, 'SELECT retired_at_ms AS at FROM applier_positions')).toEqual([{ at: 77 }]);
      log = await openOrderLog({ directory, segmentBytes: SEGMENT_BYTES });
      expect(log.recovery.lastLsn).toBe(3);
    });

    it('logs that were left are brought in once; one that cannot be keeps none from it', async () => {
      await log.close();
      const absent = join(folder, 'absent');
      const [broughtIn, failed]: [string[], string[]] = [[], []];
      const bringIn = (): Promise<void> =>
        bringInLogs({
          directories: [absent, directory],
          mysqlUrl,
          nowMs: () => 77,
          onBroughtIn: (which) => broughtIn.push(which),
          onFailed: (which) => failed.push(which),
        });
      expect(await isRetired(pool, directory)).toBe(false);
      await bringIn();
      await bringIn();
      expect([broughtIn, failed]).toEqual([[directory], [absent, absent]]);
      expect(await isRetired(pool, directory)).toBe(true);
    });

    it('an older copy of a log is not retired', async () => {
      await log.close();
      const copy = newDirectory();
      cpSync(directory, copy, { recursive: true });
      log = await openOrderLog({ directory, segmentBytes: SEGMENT_BYTES });
      await log.append(orderOf(4));
      await log.close();
      await replay([directory]);
      const report = await replay([copy], { retire: true });
      expect(report.logs).toMatchObject([{ position: 4, lastLsn: 3, retired: false, notRetired: /older copy/ }]);
      const given = await replay([copy], { retire: true, despiteDamage: true });
      const [retired] = given.logs;
      expect(retired).toMatchObject({ position: 4, retired: true, givenUp: { unreadable: 0, behindLsn: 4 } });
      expect(retired).not.toHaveProperty('notRetired');
    });

    it('a log is not retired when its position is set back while it is replayed', async () => {
      await log.close();
      const report = await replay([directory], {
        retire: true,
        onProgress: ({ phase, records }) => {
          if (phase === 'applying' && records === 3) setBack = changeRows(pool, 'UPDATE applier_positions SET lsn = 1');
        },
      });
      await setBack;
      expect(report.logs).toMatchObject([{ retired: false, notRetired: /was moved meanwhile/ }]);
    });

    it('a directory without a log is refused', async () => {
      await expect(replay([folder])).rejects.toMatchObject({ reason: 'noLog' });
      await expect(replay([join(folder, 'absent')])).rejects.toThrow(/ENOENT/);
    });
  });

  it('a trimmed log is replayed where MySQL has what was trimmed, and refused where it has not', async () => {
    const directory = newDirectory();
    const archiveDirectory = newDirectory();
    const log = await openOrderLog({ directory, segmentBytes: SEGMENT_BYTES });
    const orders = Array.from({ length: 200 }, (_, n) => orderOf(n + 1));
    await Promise.all(orders.map((order) => log.append(order)));
    const { removedThroughLsn = 0 } = await log.trim(150, { archiveDirectory });
    expect(removedThroughLsn).toBeGreaterThan(20);
    await log.close();
    await expect(replay([directory])).rejects.toMatchObject({ reason: 'gap' });
    expect(await selectRows(pool, 'SELECT 1 FROM orders')).toEqual([]);
    const applied = orders.slice(0, removedThroughLsn).map((record, index) => ({ lsn: index + 1, record }));
    await applyBatch(pool, { logId: log.logId, server: 's' }, applied, 1);
    const report = await replay([directory]);
    expect(report.logs).toMatchObject([{ firstLsn: removedThroughLsn + 1, lastLsn: 200, position: 200 }]);
    expect(await selectRows(pool, 'SELECT 1 FROM orders')).toHaveLength(200);
    // The archived segments back in their place.
    await empty();
    cpSync(join(archiveDirectory, log.logId), directory, { recursive: true });
    expect((await replay([directory])).counts.ordersMissing).toBe(200);
  });

  describe('of an epoch that MySQL does not know', () => {
    const epoch = (n: number): OrderLogRecord => {
      return { type: 'epochStarted', saleId: 7, epoch: n, at: 1, queueHighWater: 0, reason: 'test' };
    };
    const state = async () => [
      ...(await selectRows(pool, 'SELECT epoch FROM sales')),
      ...(await selectRows(pool, 'SELECT sale_id, epoch FROM rebuilds')),
    ];

    it('has the sale built anew under the next one', async () => {
      const { directory } = await writeLog([orderOf(1), epoch(2), epoch(5)]);
      const dry = await replay([directory], { dryRun: true });
      expect(dry.raisedEpochs).toEqual([{ saleId: 7, from: 1, to: 5 }]);
      expect(await state()).toEqual([{ epoch: 1 }]);
      expect((await replay([directory])).raisedEpochs).toEqual([{ saleId: 7, from: 1, to: 5 }]);
      expect(await state()).toEqual([{ epoch: 5 }, { sale_id: 7, epoch: 6 }]);
      expect((await replay([directory])).raisedEpochs).toEqual([]);
      expect(await state()).toEqual([{ epoch: 5 }, { sale_id: 7, epoch: 6 }]);
    });

    it('leaves alone a rebuild that is under way and waits for this very log', async () => {
      await changeRows(pool, "INSERT INTO rebuilds VALUES (7, 2, 'lost', 1)");
      const { directory } = await writeLog([epoch(2)]);
      expect((await replay([directory])).raisedEpochs).toEqual([]);
      expect(await state()).toEqual([{ epoch: 1 }, { sale_id: 7, epoch: 2 }]);
      expect(await selectRows(pool, 'SELECT epoch FROM log_epochs')).toEqual([{ epoch: 2 }]);
    });
  });

  it('names the sales that MySQL does not have', async () => {
    const { directory } = await writeLog([orderOf(1), orderOf(1, [1], 9)]);
    expect((await replay([directory])).unknownSales).toEqual([9]);
  });

  it('puts aside what MySQL refuses, and takes it back when it fits', async () => {
    await changeRows(pool, "INSERT INTO orders VALUES ('foreign', 'p', 7, 3, 1, 999, 1, 1, 'EUR', 'paid', 1, NULL)");
    await changeRows(pool, "INSERT INTO tickets VALUES (7, 2, 'foreign', 1, 1, NULL, NULL)");
    const { directory } = await writeLog([1, 2, 3].map((n) => orderOf(n)));
    expect((await replay([directory])).counts).toMatchObject({ ordersMissing: 2, refused: 1 });
    expect(await listFailed(pool)).toMatchObject([{ lsn: 2 }]);
    expect((await replay([directory], { dryRun: true })).counts).toEqual({ ...NOTHING });
    await changeRows(pool, "DELETE FROM tickets WHERE order_id = 'foreign'");
    expect((await replay([directory])).counts).toMatchObject({ ordersMissing: 1, refused: 0 });
    expect(await listFailed(pool)).toEqual([]);
  });

  it('is ended by a lost connection only when MySQL stays away', async () => {
    const { directory } = await writeLog(Array.from({ length: 30 }, (_, n) => orderOf(n + 1)));
    const kills: Promise<unknown>[] = [];
    const list = 'SELECT ID AS id FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()';
    const killAll = async () => {
      const rows = await selectRows<{ id: number }>(pool, list);
      await Promise.allSettled(rows.map(({ id }) => changeRows(pool, `KILL ${id}`)));
    };
    await replay([directory], { batchOrders: 5, onProgress: () => void kills.push(killAll().catch(() => undefined)) });
    await Promise.all(kills);
    expect(kills.length).toBeGreaterThan(3);
    await until(
      () => selectRows(pool, 'SELECT order_id FROM orders').catch(() => []),
      (rows) => rows.length === 30,
    );
  });
});
