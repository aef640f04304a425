/** Payments without an order as the log says they are, against the rows that are there. */
import { type MysqlSession, selectRows } from '../../platform/mysql-statements.ts';
import { type OpenRecord, type PaymentFold, storedCode } from './payment-rows.ts';

/** What a payment is from its beginning to its end; money in minor units. */
export interface PaymentFacts {
  readonly saleId: number;
  readonly accountId: number;
  readonly amount: number;
  readonly currency: string;
}

export interface PaymentDifference {
  readonly paymentId: string;
  readonly kind: 'missing' | 'differs' | 'leftOver';
  /** What the log leaves open, for a row that is to be open again. */
  readonly open?: OpenRecord;
  /** What the row should say about sale, account and money, when it says something else. */
  readonly facts?: PaymentFacts;
}

interface PaymentRow {
  readonly payment_id: string;
  readonly sale_id: number;
  readonly account_id: number;
  readonly amount: number;
  readonly currency: string;
  readonly status: string;
  readonly failure_code: string | null;
  readonly unfinished: number | null;
  readonly log_id: string | null;
}

/**
 * @param folds what a batch of this log says about each payment
 * @param open the payments that no log at hand closes
 * @param begun earlier records of payments, which say what those that the batch only closes are over
 */
export async function comparePayments(
  session: MysqlSession,
  logId: string,
  folds: ReadonlyMap<string, PaymentFold>,
  open: ReadonlyMap<string, OpenRecord>,
  begun: ReadonlyMap<string, OpenRecord> = new Map(),
): Promise<readonly PaymentDifference[]> {
  if (folds.size === 0) return [];
  const rows = await selectRows<PaymentRow>(
    session,
    `SELECT payment_id, sale_id, account_id, amount, currency, status, failure_code, unfinished, log_id
       FROM payments WHERE payment_id IN (?)`,
    [[...folds.keys()]],
  );
  const byId = new Map(rows.map((row) => [row.payment_id, row]));
  const differences = [...folds].flatMap(([paymentId, fold]) => {
    const row = byId.get(paymentId);
    // Adopted by another server: its log says what became of it.
    const said = fold.refund ?? fold.intent;
    const isOpen = open.get(paymentId)?.type === said?.type && (row?.log_id ?? logId) === logId;
    return comparePayment(paymentId, fold, row, { isOpen, begun: said ?? begun.get(paymentId) }) ?? [];
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

interface Circumstances {
  /** The log leaves it open. */
  readonly isOpen: boolean;
  /** How it began; undefined when that is not known. */
  readonly begun: OpenRecord | undefined;
}

function comparePayment(
  paymentId: string,
  { sold, closed, refund, intent }: PaymentFold,
  row: PaymentRow | undefined,
  { isOpen, begun }: Circumstances,
): PaymentDifference | undefined {
  if (sold === true) return row === undefined ? undefined : { paymentId, kind: 'leftOver' };
  const open = refund ?? intent;
  // Closed later in the log, and compared there.
  if (closed === undefined && (!isOpen || open === undefined)) return undefined;
  // What is closed is written again by the batch, what is open is not.
  const reopened = closed !== undefined || open === undefined ? {} : { open };
  if (row === undefined) return { paymentId, kind: 'missing', ...reopened };
  const facts = begun === undefined ? {} : wrongFacts(begun, row);
  if (!standsAs(row, closed)) return { paymentId, kind: 'differs', ...reopened, ...facts };
  return 'facts' in facts ? { paymentId, kind: 'differs', ...facts } : undefined;
}

/** @param closed undefined: it is open */
function standsAs(row: PaymentRow, closed: PaymentFold['closed']): boolean {
  if (closed === undefined) return row.status === 'pending' && row.unfinished === 1;
  const { status, failureCode } = closed;
  const code = failureCode === null ? row.failure_code : storedCode(failureCode);
  return row.status === status && row.failure_code === code && row.unfinished === null;
}

/** They never change, so a row that is there and says otherwise was changed by somebody else. */
function wrongFacts(
  { saleId, accountId, amount, currency }: OpenRecord,
  row: PaymentRow,
): Pick<PaymentDifference, 'facts'> {
  const same =
    row.sale_id === saleId && row.account_id === accountId && row.amount === amount && row.currency === currency;
  return same ? {} : { facts: { saleId, accountId, amount, currency } };
}
