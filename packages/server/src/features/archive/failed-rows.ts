/** The rows of `failed_records`: what MySQL refused, and what it is looked for by. */
import type { OrderLogRecord, StoredRecord } from '../../order-log/records.ts';
import { changeRows, type MysqlSession, type SqlValue, selectRows } from '../../platform/mysql-statements.ts';

export interface FailedRecord {
  readonly logId: string;
  readonly lsn: number;
  readonly record: OrderLogRecord;
  /** What MySQL said. */
  readonly error: string;
  readonly failedAtMs: number;
}

/** All of it has to fit. */
export interface FailedFilter {
  readonly logId?: string;
  readonly lsn?: number;
  readonly saleId?: number;
  readonly types?: readonly OrderLogRecord['type'][];
}

/** Far below the widths of the columns, so that these rows are never refused. */
const ERROR_CHARACTERS = 10_000;
const TYPE_CHARACTERS = 40;

/** Inside a transaction. One that is there already gets the error of this time. */
export async function insertFailed(
  connection: MysqlSession,
  logId: string,
  { lsn, record }: StoredRecord,
  error: string,
  nowMs: number,
): Promise<void> {
  const { saleId, type } = record;
  await changeRows(
    connection,
    `INSERT INTO failed_records (log_id, lsn, sale_id, type, record, error, failed_at_ms) VALUES (?)
     ON DUPLICATE KEY UPDATE error = VALUES(error)`,
    [
      [
        logId,
        lsn,
        Number.isSafeInteger(saleId) ? saleId : null,
        type.slice(0, TYPE_CHARACTERS),
        JSON.stringify(record),
        error.slice(0, ERROR_CHARACTERS),
        nowMs,
      ],
    ],
  );
}

/** By log and LSN, which is the order in which they were written. */
export async function selectFailed(session: MysqlSession, filter: FailedFilter = {}): Promise<readonly FailedRecord[]> {
  const { conditions, values } = conditionsOf(filter);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const rows = await selectRows<{ log_id: string; lsn: number; record: string; error: string; failed_at_ms: number }>(
    session,
    `SELECT log_id, lsn, record, error, failed_at_ms FROM failed_records ${where} ORDER BY log_id, lsn`,
    values,
  );
  const { saleId, types } = filter;
  return rows
    .map((row) => ({
      logId: row.log_id,
      lsn: row.lsn,
      record: JSON.parse(row.record) as OrderLogRecord,
      error: row.error,
      failedAtMs: row.failed_at_ms,
    }))
    .filter(({ record }) => saleId === undefined || record.saleId === saleId)
    .filter(({ record }) => types === undefined || types.includes(record.type));
}

/** Columns that are NULL say nothing: a server of an earlier release has put the record aside. */
function conditionsOf({ logId, lsn, saleId, types }: FailedFilter) {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const add = (condition: string, value: SqlValue): void => {
    conditions.push(condition);
    values.push(value);
  };
  if (logId !== undefined) add('log_id = ?', logId);
  if (lsn !== undefined) add('lsn = ?', lsn);
  if (saleId !== undefined) add('(sale_id = ? OR sale_id IS NULL)', saleId);
  if (types !== undefined) add('(type IN (?) OR type IS NULL)', types);
  return { conditions, values };
}
