/** Batches into MySQL, come what may: transient faults are waited out, and what MySQL refuses is isolated and kept. */
import { LIMITS } from '../../limits.ts';
import type { StoredRecord } from '../../order-log/records.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { retry } from '../../platform/retry.ts';
import { applyBatch, setAside } from './apply-batch.ts';
import type { AppliedLog } from './log-positions.ts';
import type { ApplyContext } from './payment-rows.ts';
import { isRowError } from './row-errors.ts';

export { isRowError } from './row-errors.ts';

export interface ApplyOptions {
  readonly mysql: MysqlPool;
  readonly log: AppliedLog;
  readonly nowMs: () => number;
  readonly context?: ApplyContext;
  /** Ends the waiting for MySQL; the last error is thrown. */
  readonly signal?: AbortSignal;
  /** Errors that are waited out; by default all but those about rows. */
  readonly isTransient?: (error: unknown) => boolean;
  readonly onRetry?: (error: unknown, waitMs: number) => void;
  /** MySQL refuses this record; it is kept in `failed_records`. */
  readonly onRefused?: (stored: StoredRecord, error: unknown) => void;
  /** Everything up to this record is in MySQL or put aside. */
  readonly onApplied?: (lsn: number) => void;
}

/**
 * Applies a batch; one that MySQL refuses is halved until the record it refuses stands alone, and that one is put aside.
 * @returns the LSNs of the records that were put aside, and how many orders were new
 */
export async function applyOrSetAside(
  records: readonly StoredRecord[],
  options: ApplyOptions,
): Promise<{ readonly refused: readonly number[]; readonly newOrders: number }> {
  const { mysql, log, nowMs, context, onApplied } = options;
  const [first] = records;
  const last = records.at(-1);
  if (first === undefined || last === undefined) return { refused: [], newOrders: 0 };
  try {
    const { newOrders } = await persist(() => applyBatch(mysql, log, records, nowMs(), context), options);
    onApplied?.(last.lsn);
    return { refused: [], newOrders };
  } catch (error) {
    if (!isRowError(error)) throw error;
    if (first === last) {
      options.onRefused?.(first, error);
      await persist(() => setAside(mysql, log, first, error, nowMs(), context), options);
      onApplied?.(first.lsn);
      return { refused: [first.lsn], newOrders: 0 };
    }
  }
  const middle = records.length >>> 1;
  const before = await applyOrSetAside(records.slice(0, middle), options);
  const after = await applyOrSetAside(records.slice(middle), options);
  return { refused: [...before.refused, ...after.refused], newOrders: before.newOrders + after.newOrders };
}

function persist<Result>(work: () => Promise<Result>, options: ApplyOptions): Promise<Result> {
  const { signal, onRetry, isTransient = () => true } = options;
  return retry(work, {
    firstMs: LIMITS.applierRetryFirstMs,
    maxMs: LIMITS.applierRetryMaxMs,
    ...(signal === undefined ? {} : { signal }),
    ...(onRetry === undefined ? {} : { onRetry }),
    isTransient: (error) => !isRowError(error) && isTransient(error),
  });
}
