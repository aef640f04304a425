/** Payments without an order as the log says they are, against the rows that are there. */
import { type MysqlSession, selectRows } from '../../platform/mysql-statements.ts';
import { type OpenRecord, type PaymentFold, storedCode } from './payment-rows.ts';

export interface PaymentDifference {
  readonly paymentId: string;
  readonly kind: 'missing' | 'differs' | 'leftOver';
  /** What the log leaves open, for a row that is to be open again. */
  readonly open?: OpenRecord;
}

interface PaymentRow {
  readonly payment_id: string;
  readonly status: string;
  readonly failure_code: string | null;
  readonly unfinished: number | null;
  readonly log_id: string | null;
}

/**
 * @param folds what a batch of this log says about each payment
 * @param open the payments that no log at hand closes
 */
export async function comparePayments(
  session: MysqlSession,
  logId: string,
  folds: ReadonlyMap<string, PaymentFold>,
  open: ReadonlyMap<string, OpenRecord>,
): Promise<readonly PaymentDifference[]> {
  if (folds.size === 0) return [];
  const rows = await selectRows<PaymentRow>(
    session,
    'SELECT payment_id, status, failure_code, unfinished, log_id FROM payments WHERE payment_id IN (?)',
    [[...folds.keys()]],
  );
  const byId = new Map(rows.map((row) => [row.payment_id, row]));
  const differences = [...folds].flatMap(([paymentId, fold]) => {
    const row = byId.get(paymentId);
    // Adopted by another server: its log says what became of it.
    const said = fold.refund ?? fold.intent;
    const isOpen = open.get(paymentId)?.type === said?.type && (row?.log_id ?? logId) === logId;
    return comparePayment(paymentId, fold, row, isOpen) ?? [];
  });
  const missing = differences.filter(({ kind, open: record }) => kind === 'missing' && record !== undefined);
  if (missing.length === 0) return differences;
  const orders = await selectRows<{ payment_id: string }>(
    session,
    'SELECT payment_id FROM orders WHERE payment_id IN (?)',
    [missing.map(({ paymentId }) => paymentId)],
  );
  const sold = new Set(orders.map((row) => row.payment_id));
  return differences.filter((difference) => !(missing.includes(difference) && sold.has(difference.paymentId)));
}

function comparePayment(
  paymentId: string,
  { sold, closed, refund, intent }: PaymentFold,
  row: PaymentRow | undefined,
  isOpen: boolean,
): PaymentDifference | undefined {
  if (sold === true) return row === undefined ? undefined : { paymentId, kind: 'leftOver' };
  if (closed !== undefined) {
    if (row === undefined) return { paymentId, kind: 'missing' };
    const { status, failureCode } = closed;
    const code = failureCode === null ? row.failure_code : storedCode(failureCode);
    const same = row.status === status && row.failure_code === code && row.unfinished === null;
    return same ? undefined : { paymentId, kind: 'differs' };
  }
  const open = refund ?? intent;
  // Closed later in the log, and compared there.
  if (!isOpen || open === undefined) return undefined;
  if (row === undefined) return { paymentId, kind: 'missing', open };
  return row.status === 'pending' && row.unfinished === 1 ? undefined : { paymentId, kind: 'differs', open };
}
