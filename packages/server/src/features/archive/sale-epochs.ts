/** Sales whose epoch in the logs is ahead of MySQL, as after MySQL was restored from a backup. */
import type { MysqlPool } from '../../platform/mysql.ts';
import { changeRows, inTransaction, selectRows } from '../../platform/mysql-statements.ts';

export interface RaisedEpoch {
  readonly saleId: number;
  readonly from: number;
  /** The highest that began in a log; the sale's Redis state is built anew under the next one. */
  readonly to: number;
}

/** Sales whose Redis state has to be built anew, so that no server goes on with one that MySQL knows nothing of. */
export async function findEpochsBehind(
  pool: MysqlPool,
  epochs: ReadonlyMap<number, number>,
): Promise<readonly RaisedEpoch[]> {
  if (epochs.size === 0) return [];
  const rows = await selectRows<{ id: number; epoch: number; next: number | null }>(
    pool,
    'SELECT s.id, s.epoch, r.epoch AS next FROM sales s LEFT JOIN rebuilds r ON r.sale_id = s.id WHERE s.id IN (?)',
    [[...epochs.keys()]],
  );
  return rows.flatMap(({ id, epoch, next }) => {
    const to = epochs.get(id) ?? 0;
    // A rebuild to that epoch or beyond is under way: the logs have acknowledged it before it is done.
    return to > epoch && (next ?? 0) < to ? [{ saleId: id, from: epoch, to }] : [];
  });
}

export async function raiseEpochs(
  pool: MysqlPool,
  raised: readonly RaisedEpoch[],
  reason: string,
  nowMs: number,
): Promise<void> {
  for (const { saleId, from, to } of raised) {
    await inTransaction(pool, async (connection) => {
      const { affectedRows } = await changeRows(connection, 'UPDATE sales SET epoch = ? WHERE id = ? AND epoch = ?', [
        to,
        saleId,
        from,
      ]);
      // Somebody else was faster, with a rebuild: then it is done.
      if (affectedRows === 0) return;
      await changeRows(
        connection,
        `INSERT INTO rebuilds (sale_id, epoch, reason, requested_at_ms) VALUES (?)
         ON DUPLICATE KEY UPDATE epoch = GREATEST(epoch, VALUES(epoch)), reason = VALUES(reason)`,
        [[saleId, to + 1, reason, nowMs]],
      );
    });
  }
}
