/**
 * Payments without an order: those that are open, so that a server that starts knows what to go on with, and those that
 * failed or were refunded, for questions that come after Redis has forgotten them.
 *
 * Its state only goes forward: intent, refund begun, closed; or it becomes an order and has no row any more. All its records
 * are in one log, but for payments of a log that was retired: whoever adopts one ends it in a log of its own.
 */
import type { OrderLogRecord, PaymentIntent, RefundStarted, StoredRecord } from '../../order-log/records.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { changeRows, type MysqlSession, type SqlValue, selectRows } from '../../platform/mysql-statements.ts';

/** A record that leaves something to be done: ask the gateway, or give the money back. */
export type OpenRecord = PaymentIntent | RefundStarted;

/** What a replay knows beyond the batch. Without it, all payments that the batch leaves open are unfinished. */
export interface ApplyContext {
  /** These records may have been applied before, or been put aside: those that are applied now are taken off that list. */
  readonly again?: boolean;
  /** Only when the position has everything before these records: else it was set back, and what is behind it comes first. */
  readonly gapless?: boolean;
  /** What was given back is known already. */
  readonly cancellationsDone?: boolean;
  /** The orders are there already. */
  readonly ordersDone?: boolean;
  /** Records before these could not be read, so the position does not move over them: their segment may be restored yet. */
  readonly behindDamage?: boolean;
  /** The payments that are open at the end of the log: only these become unfinished rows. */
  readonly openAtEnd?: ReadonlyMap<string, unknown>;
  /** Earlier records of payments that a record of the batch closes, for those that have no row. */
  readonly begun?: ReadonlyMap<string, OpenRecord>;
}

/** Width of the column `payments.failure_code`. */
const FAILURE_CODE_CHARACTERS = 50;

export type ClosedStatus = 'failed' | 'refunded' | 'succeeded';

export interface Closed {
  readonly status: ClosedStatus;
  /** NULL: the one that was stored when the refund began. */
  readonly failureCode: string | null;
  readonly atMs: number;
}

/** Everything a batch says about one payment. */
export interface PaymentFold {
  sold?: boolean;
  closed?: Closed;
  intent?: PaymentIntent;
  refund?: RefundStarted;
}

/** What a column `payments.record` says; undefined when it is none of the records that leave something to be done. */
export function parseOpenRecord(text: string | null): OpenRecord | undefined {
  try {
    const record = JSON.parse(text ?? 'null') as OpenRecord | null;
    return record?.type === 'paymentIntent' || record?.type === 'refundStarted' ? record : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The unfinished payments of a log as of its position: `paymentIntent` and `refundStarted` records. One that cannot be read
 * is left out, so that it does not keep the server from starting; whoever looks for abandoned payments complains about it.
 */
export async function readUnfinished(pool: MysqlPool, logId: string): Promise<readonly OpenRecord[]> {
  const rows = await selectRows<{ record: string }>(
    pool,
    'SELECT record FROM payments WHERE log_id = ? AND unfinished = 1 AND record IS NOT NULL',
    [logId],
  );
  return rows.flatMap(({ record }) => parseOpenRecord(record) ?? []);
}

export async function applyPayments(
  connection: MysqlSession,
  logId: string,
  records: readonly StoredRecord[],
  context: ApplyContext,
): Promise<void> {
  const folds = foldPayments(records);
  await deleteSold(connection, folds);
  await writeClosed(connection, logId, folds, context.begun ?? new Map());
  await writeOpen(connection, logId, folds, context.openAtEnd);
}

/** A record that was put aside says how a payment ended all the same: nobody is to go on with it. */
export async function closePaymentOf(connection: MysqlSession, logId: string, record: OrderLogRecord): Promise<void> {
  if (record.type === 'orderPaid') {
    // Its order is durable, though not in its table: whoever asks is told so.
    const facts = { ...record, failureCode: null };
    await upsertClosed(connection, [closedRow(record.paymentId, facts, 'succeeded', null, record.at, logId)]);
  } else if (record.type === 'paymentFailed' || record.type === 'refundCompleted') {
    await changeRows(connection, 'UPDATE payments SET unfinished = NULL, record = NULL WHERE payment_id = ?', [
      record.paymentId,
    ]);
  }
}

/** Everything a batch says about each payment. Refunds of orders belong to the cancellation of the order. */
export function foldPayments(records: readonly StoredRecord[]): ReadonlyMap<string, PaymentFold> {
  const folds = new Map<string, PaymentFold>();
  const of = (paymentId: string): PaymentFold => {
    const fold = folds.get(paymentId) ?? {};
    folds.set(paymentId, fold);
    return fold;
  };
  for (const { record } of records) {
    if (record.type === 'orderPaid') of(record.paymentId).sold = true;
    else if (record.type === 'paymentIntent') of(record.paymentId).intent = record;
    else if (record.type === 'paymentFailed') {
      of(record.paymentId).closed = { status: 'failed', failureCode: record.failureCode, atMs: record.at };
    } else if (record.type === 'refundStarted' && record.orderId === undefined) of(record.paymentId).refund = record;
    else if (record.type === 'refundCompleted' && record.orderId === undefined) {
      of(record.paymentId).closed = { status: 'refunded', failureCode: null, atMs: record.at };
    }
  }
  return folds;
}

async function deleteSold(connection: MysqlSession, folds: ReadonlyMap<string, PaymentFold>): Promise<void> {
  const sold = [...folds].flatMap(([paymentId, fold]) => (fold.sold === true ? [paymentId] : []));
  if (sold.length > 0) await changeRows(connection, 'DELETE FROM payments WHERE payment_id IN (?)', [sold]);
}

async function writeClosed(
  connection: MysqlSession,
  logId: string,
  folds: ReadonlyMap<string, PaymentFold>,
  begun: ReadonlyMap<string, OpenRecord>,
): Promise<void> {
  const closed = [...folds].flatMap(([paymentId, fold]) =>
    fold.sold === true || fold.closed === undefined ? [] : [{ paymentId, fold, closed: fold.closed }],
  );
  const factsOf = ({ paymentId, fold }: (typeof closed)[number]): PaymentFacts | undefined => {
    const before = begun.get(paymentId);
    // The start of a refund says more than an intent, wherever it is.
    const refund = fold.refund ?? (before?.type === 'refundStarted' ? before : undefined);
    const record = refund ?? fold.intent ?? before;
    return record === undefined ? undefined : factsOfRecord(record);
  };
  const stored = await readFacts(
    connection,
    closed.filter((payment) => factsOf(payment) === undefined).map(({ paymentId }) => paymentId),
  );
  const rows = closed.flatMap((payment) => {
    const facts = factsOf(payment) ?? stored.get(payment.paymentId);
    if (facts === undefined) return [];
    const { status, failureCode, atMs } = payment.closed;
    return [closedRow(payment.paymentId, facts, status, failureCode ?? facts.failureCode, atMs, logId)];
  });
  await upsertClosed(connection, rows);
}

interface PaymentFacts {
  readonly saleId: number;
  readonly accountId: number;
  readonly amount: number;
  readonly currency: string;
  readonly failureCode: string | null;
}

function factsOfRecord(record: OpenRecord): PaymentFacts {
  const { saleId, accountId, amount, currency } = record;
  return { saleId, accountId, amount, currency, failureCode: reasonOf(record) };
}

function reasonOf(record: OpenRecord): string | null {
  return record.type === 'refundStarted' ? storedCode(record.reason) : null;
}

/** Codes are the gateway's: one that is too long must not keep a payment from being stored. */
export function storedCode(code: string): string {
  return code.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, FAILURE_CODE_CHARACTERS);
}

/** Of payments that were begun in an earlier batch. */
async function readFacts(
  connection: MysqlSession,
  paymentIds: readonly string[],
): Promise<ReadonlyMap<string, PaymentFacts>> {
  if (paymentIds.length === 0) return new Map();
  const rows = await selectRows<{
    payment_id: string;
    sale_id: number;
    account_id: number;
    amount: number;
    currency: string;
    failure_code: string | null;
  }>(
    connection,
    'SELECT payment_id, sale_id, account_id, amount, currency, failure_code FROM payments WHERE payment_id IN (?)',
    [paymentIds],
  );
  return new Map(
    rows.map((row) => [
      row.payment_id,
      {
        saleId: row.sale_id,
        accountId: row.account_id,
        amount: row.amount,
        currency: row.currency,
        failureCode: row.failure_code,
      },
    ]),
  );
}

function closedRow(
  paymentId: string,
  { saleId, accountId, amount, currency }: PaymentFacts,
  status: ClosedStatus,
  failureCode: string | null,
  atMs: number,
  logId: string,
): readonly SqlValue[] {
  const code = failureCode === null ? null : storedCode(failureCode);
  return [paymentId, saleId, accountId, amount, currency, status, code, atMs, logId];
}

async function upsertClosed(connection: MysqlSession, rows: ReadonlyArray<readonly SqlValue[]>): Promise<void> {
  if (rows.length === 0) return;
  await changeRows(
    connection,
    `INSERT INTO payments (payment_id, sale_id, account_id, amount, currency, status, failure_code, updated_at_ms, log_id)
     VALUES ?
     ON DUPLICATE KEY UPDATE status = VALUES(status), failure_code = VALUES(failure_code),
       updated_at_ms = VALUES(updated_at_ms), log_id = VALUES(log_id), unfinished = NULL, record = NULL`,
    [rows],
  );
}

async function writeOpen(
  connection: MysqlSession,
  logId: string,
  folds: ReadonlyMap<string, PaymentFold>,
  openAtEnd: ReadonlyMap<string, unknown> | undefined,
): Promise<void> {
  const open = [...folds.values()].flatMap(({ sold, closed, refund, intent }) => {
    const record = refund ?? intent;
    if (sold === true || closed !== undefined || record === undefined) return [];
    return openAtEnd === undefined || openAtEnd.has(record.paymentId) ? [record] : [];
  });
  if (open.length === 0) return;
  // When a log is applied again, the order may have been there for long.
  const sold = await selectRows<{ payment_id: string }>(
    connection,
    'SELECT payment_id FROM orders WHERE payment_id IN (?)',
    [open.map(({ paymentId }) => paymentId)],
  );
  const ended = new Set(sold.map((row) => row.payment_id));
  const going = open.filter(({ paymentId }) => !ended.has(paymentId));
  // Whatever is known about the payment is further than its intent.
  await insertOpen(connection, logId, going, 'paymentIntent', 'payment_id = VALUES(payment_id)');
  await insertOpen(
    connection,
    logId,
    going,
    'refundStarted',
    `failure_code = IF(status = 'pending', VALUES(failure_code), failure_code),
     updated_at_ms = IF(status = 'pending', VALUES(updated_at_ms), updated_at_ms),
     log_id = IF(status = 'pending', VALUES(log_id), log_id),
     unfinished = IF(status = 'pending', 1, NULL),
     record = IF(status = 'pending', VALUES(record), NULL)`,
  );
}

async function insertOpen(
  connection: MysqlSession,
  logId: string,
  records: readonly OpenRecord[],
  type: OpenRecord['type'],
  ifThere: string,
): Promise<void> {
  const rows = records
    .filter((record) => record.type === type)
    .map((record) => [
      record.paymentId,
      record.saleId,
      record.accountId,
      record.amount,
      record.currency,
      'pending',
      reasonOf(record),
      record.at,
      logId,
      1,
      JSON.stringify(record),
    ]);
  if (rows.length === 0) return;
  await changeRows(
    connection,
    `INSERT INTO payments (payment_id, sale_id, account_id, amount, currency, status, failure_code, updated_at_ms, log_id,
       unfinished, record) VALUES ?
     ON DUPLICATE KEY UPDATE ${ifThere}`,
    [rows],
  );
}

/** Makes payments unfinished again, whatever their rows say. Payments that became orders stay what they are. */
export async function reopenPayments(
  connection: MysqlSession,
  logId: string,
  records: readonly OpenRecord[],
): Promise<void> {
  const paymentIds = records.map(({ paymentId }) => paymentId);
  await changeRows(connection, 'DELETE FROM payments WHERE payment_id IN (?)', [paymentIds]);
  const stored = records.map((record) => ({ lsn: 0, record }));
  await writeOpen(connection, logId, foldPayments(stored), undefined);
}
