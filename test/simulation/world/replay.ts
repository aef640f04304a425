/**
 * The archive from nothing but the order logs: whatever the order in which logs are applied, in batches of whatever size,
 * some of them twice, the same rows come out (I8).
 */
import { applyBatch } from '@fest/server/features/archive/apply-batch';
import { recordCancellations } from '@fest/server/features/archive/order-rows';
import type { StoredRecord } from '@fest/server/order-log/records';
import type { MysqlPool } from '@fest/server/platform/mysql';
import { inTransaction } from '@fest/server/platform/mysql-statements';
import { Database, Session } from '../mysql/database.ts';
import type { SqlParameter } from '../mysql/sql-error.ts';
import { Violation } from './oracle.ts';
import { insertSale } from './sale.ts';
import type { World } from './world.ts';

const BATCH_RECORDS_MAX = 7;

/** A pool with nothing between it and the database. */
function directPool(database: Database): MysqlPool {
  const session = new Session();
  const connection = {
    connection: {},
    async query(sql: string, values: readonly SqlParameter[] = []) {
      const outcome = database.execute(session, sql, values);
      if (outcome === 'blocked') throw new Error('nobody else is there');
      const { rows, affectedRows, insertId } = outcome;
      return [sql.trimStart().startsWith('SELECT') ? rows : { affectedRows, insertId }, []];
    },
    beginTransaction: async () => database.begin(session),
    commit: async () => database.commit(session),
    rollback: async () => database.rollback(session),
    release: () => undefined,
    destroy: () => undefined,
  };
  return { getConnection: async () => connection } as unknown as MysqlPool;
}

/** The logs' batches, those of one log in order; now and then one comes again. */
function* shuffledBatches(world: World): Generator<{ readonly log: string; readonly batch: readonly StoredRecord[] }> {
  const { random } = world;
  const left = new Map(world.oracle.storedRecords());
  while (left.size > 0) {
    const [log, records] = random.pick([...left]);
    const count = random.integer(1, BATCH_RECORDS_MAX);
    const batch = records.slice(0, count);
    if (records.length > count) left.set(log, records.slice(count));
    else left.delete(log);
    yield { log, batch };
    if (random.chance(0.2)) yield { log, batch };
  }
}

/** @throws {Violation} when the archive comes out different from what the logs say */
export async function checkReplay(world: World): Promise<void> {
  const database = new Database(world.schemas, { nowMs: () => world.loop.nowMs });
  insertSale(database, world.sale);
  const pool = directPool(database);
  // First what was given back: a ticket may have been sold again in another log than the one that says so.
  for (const [, records] of world.oracle.storedRecords()) {
    await inTransaction(pool, (connection) => recordCancellations(connection, records));
  }
  for (const { log, batch } of shuffledBatches(world)) {
    await applyBatch(pool, { logId: log.padEnd(32, '0'), server: log }, batch, Math.floor(world.loop.nowMs));
  }
  const cancelled = world.oracle.cancelledOrders();
  for (const [orderId, { ticketNumbers }] of world.oracle.orders) {
    const status = cancelled.has(orderId) ? 'cancelled' : 'paid';
    const found = database.find('orders', 'order_id', orderId)?.status;
    if (found !== status)
      throw new Violation('I8', `a ${status} order is ${found} when the logs are applied anew`, { orderId });
    const tickets = database.rows('tickets').filter((row) => row.order_id === orderId);
    const live = status === 'paid' ? 1 : null;
    if (tickets.length !== ticketNumbers.length || tickets.some((row) => row.live !== live)) {
      throw new Violation(
        'I8',
        `the tickets of a ${status} order come out otherwise when the logs are applied anew`,
        tickets,
      );
    }
  }
  if (database.rows('orders').length !== world.oracle.orders.size) {
    throw new Violation('I8', 'other orders come out when the logs are applied anew', database.rows('orders'));
  }
}
