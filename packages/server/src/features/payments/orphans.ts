/**
 * Unfinished payments as MySQL has them. Of order logs that are retired: their server is gone, and the money may have been
 * taken; any living server may adopt one, and exactly one does. And of a server's own log: it may have lost sight of one.
 */
import type { MysqlPool } from '../../platform/mysql.ts';
import { changeRows, selectRows } from '../../platform/mysql-statements.ts';
import { type OpenRecord, parseOpenRecord } from '../archive/payment-rows.ts';

export interface Orphan {
  readonly paymentId: string;
  /** What to go on from. Undefined: what MySQL has is no record; somebody has to look. */
  readonly record: OpenRecord | undefined;
}

export interface Orphanage {
  /**
   * A page of orphans, by payment id.
   * @param after the last payment id of the page before; empty for the first page
   */
  listOrphans(after: string, atMost: number): Promise<readonly Orphan[]>;
  /** Makes a payment this log's own. False: another server was faster, or its own server is back. */
  adopt(paymentId: string, logId: string): Promise<boolean>;
  /**
   * A page of what this log has left unfinished as far as it is applied, by payment id.
   * @param beganBeforeMs when it began at the latest, Unix milliseconds
   * @param after the last payment id of the page before; empty for the first page
   */
  listOwn(logId: string, beganBeforeMs: number, after: string, atMost: number): Promise<readonly string[]>;
  /** Those of these payments that are this log's and unfinished now. */
  findOwn(logId: string, paymentIds: readonly string[]): Promise<readonly Orphan[]>;
  /** Those MySQL has heard of: open, ended or become an order. Of a log that is applied it knows every one. */
  listArchived(paymentIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Logs whose servers are not expected back. */
  listRetiredLogs(): Promise<ReadonlySet<string>>;
}

export function createOrphanage(pool: MysqlPool): Orphanage {
  return {
    async listOrphans(after, atMost) {
      const rows = await selectRows<{ paymentId: string; record: string }>(
        pool,
        `SELECT payments.payment_id AS paymentId, payments.record FROM payments
           JOIN applier_positions AS logs ON logs.log_id = payments.log_id
          WHERE payments.unfinished = 1 AND payments.record IS NOT NULL AND logs.retired_at_ms IS NOT NULL
            AND payments.payment_id > ?
          ORDER BY payments.payment_id LIMIT ?`,
        [after, atMost],
      );
      return rows.map(({ paymentId, record }) => ({ paymentId, record: parseOpenRecord(record) }));
    },

    async listOwn(logId, beganBeforeMs, after, atMost) {
      const rows = await selectRows<{ paymentId: string }>(
        pool,
        `SELECT payment_id AS paymentId FROM payments
          WHERE log_id = ? AND unfinished = 1 AND updated_at_ms <= ? AND payment_id > ? ORDER BY payment_id LIMIT ?`,
        [logId, beganBeforeMs, after, atMost],
      );
      return rows.map(({ paymentId }) => paymentId);
    },

    async findOwn(logId, paymentIds) {
      if (paymentIds.length === 0) return [];
      const rows = await selectRows<{ paymentId: string; record: string | null }>(
        pool,
        'SELECT payment_id AS paymentId, record FROM payments WHERE payment_id IN (?) AND log_id = ? AND unfinished = 1',
        [paymentIds, logId],
      );
      return rows.map(({ paymentId, record }) => ({ paymentId, record: parseOpenRecord(record) }));
    },

    async adopt(paymentId, logId) {
      // A server that comes back makes its log its own again before it reads what is unfinished: one of both wins, here.
      const { affectedRows } = await changeRows(
        pool,
        `UPDATE payments JOIN applier_positions AS logs ON logs.log_id = payments.log_id
            SET payments.log_id = ?
          WHERE payments.payment_id = ? AND payments.unfinished = 1 AND logs.retired_at_ms IS NOT NULL`,
        [logId, paymentId],
      );
      return affectedRows > 0;
    },

    async listArchived(paymentIds) {
      if (paymentIds.length === 0) return new Set();
      type Row = { paymentId: string };
      // In this order: a payment that becomes an order in between is in one of both.
      const open = 'SELECT payment_id AS paymentId FROM payments WHERE payment_id IN (?)';
      const sold = 'SELECT payment_id AS paymentId FROM orders WHERE payment_id IN (?)';
      const rows = [
        ...(await selectRows<Row>(pool, open, [paymentIds])),
        ...(await selectRows<Row>(pool, sold, [paymentIds])),
      ];
      return new Set(rows.map(({ paymentId }) => paymentId));
    },

    async listRetiredLogs() {
      const rows = await selectRows<{ logId: string }>(
        pool,
        'SELECT log_id AS logId FROM applier_positions WHERE retired_at_ms IS NOT NULL',
      );
      return new Set(rows.map(({ logId }) => logId));
    },
  };
}
