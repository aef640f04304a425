/**
 * Unfinished payments of order logs that are retired: their server is gone, and the money may have been taken. Any living
 * server may adopt one, and exactly one does.
 */
import type { PaymentIntent, RefundStarted } from '../../order-log/records.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { changeRows, selectRows } from '../../platform/mysql-statements.ts';
import { findArchivedPayment } from './store.ts';

export interface Orphan {
  readonly paymentId: string;
  /** What to go on from. */
  readonly record: PaymentIntent | RefundStarted;
}

export interface Orphanage {
  listOrphans(atMost: number): Promise<readonly Orphan[]>;
  /** Makes a payment this log's own. False: another server was faster, or its own server is back. */
  adopt(paymentId: string, logId: string): Promise<boolean>;
  /** Whether MySQL has heard of a payment: open, ended or become an order. Of a log that is applied it knows every one. */
  isArchived(paymentId: string): Promise<boolean>;
  /** Logs whose servers are not expected back. */
  listRetiredLogs(): Promise<ReadonlySet<string>>;
}

export function createOrphanage(pool: MysqlPool): Orphanage {
  return {
    async listOrphans(atMost) {
      const rows = await selectRows<{ paymentId: string; record: string }>(
        pool,
        `SELECT payments.payment_id AS paymentId, payments.record FROM payments
           JOIN applier_positions AS logs ON logs.log_id = payments.log_id
          WHERE payments.unfinished = 1 AND payments.record IS NOT NULL AND logs.retired_at_ms IS NOT NULL LIMIT ?`,
        [atMost],
      );
      return rows.map(({ paymentId, record }) => ({ paymentId, record: JSON.parse(record) as Orphan['record'] }));
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

    async isArchived(paymentId) {
      return (await findArchivedPayment(pool, paymentId)) !== undefined;
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
