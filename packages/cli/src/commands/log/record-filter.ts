import type { OrderLogRecord, StoredRecord } from '@fest/server/order-log/records';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';

/** What `fest log show` was asked for, as it stands on the command line. */
export interface FilterFlags {
  readonly sale?: string;
  readonly account?: string;
  readonly order?: string;
  readonly payment?: string;
  readonly type?: string;
  readonly after?: string;
  readonly before?: string;
  readonly fromLsn?: string;
  readonly limit?: string;
}

export interface RecordQuery {
  /** Read from this record on. */
  readonly fromLsn: number;
  /** Show so many. */
  readonly limit: number;
  /** Sees every record in order, and remembers which payments and orders belong to the account. */
  readonly matches: (stored: StoredRecord) => boolean;
}

type Condition = (record: OrderLogRecord) => boolean;

/** @throws FixableError for a value that cannot be one */
export function parseQuery(flags: FilterFlags, types: readonly string[]): RecordQuery {
  const { sale, account, order, payment, type, after, before, fromLsn, limit } = flags;
  const conditions: Condition[] = [];
  if (sale !== undefined) {
    const saleId = wholeNumber('--sale', sale);
    conditions.push((record) => record.saleId === saleId);
  }
  if (account !== undefined) conditions.push(ofAccount(wholeNumber('--account', account)));
  if (order !== undefined) conditions.push(ofPurchase(order.replace(/^ord_/, 'pay_'), order));
  if (payment !== undefined) conditions.push(ofPurchase(payment, payment.replace(/^pay_/, 'ord_')));
  if (type !== undefined) conditions.push(ofTypes(parseTypes(type, types)));
  if (after !== undefined) {
    const fromMs = pointInTime('--after', after);
    conditions.push((record) => record.at >= fromMs);
  }
  if (before !== undefined) {
    const toMs = pointInTime('--before', before);
    conditions.push((record) => record.at < toMs);
  }
  return {
    fromLsn: fromLsn === undefined ? 1 : wholeNumber('--from-lsn', fromLsn),
    limit: limit === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--limit', limit),
    // Every condition sees every record: one of them remembers.
    matches: ({ record }) => conditions.map((condition) => condition(record)).every(Boolean),
  };
}

/** Outcomes name the payment and not the account: what began for the account is remembered. */
function ofAccount(accountId: number): Condition {
  const paymentIds = new Set<string>();
  const orderIds = new Set<string>();
  return (record) => {
    if ('accountId' in record) {
      if (record.accountId !== accountId) return false;
      paymentIds.add(record.paymentId);
      if ('orderId' in record && record.orderId !== undefined) orderIds.add(record.orderId);
      return true;
    }
    return (
      ('paymentId' in record && paymentIds.has(record.paymentId)) ||
      ('orderId' in record && record.orderId !== undefined && orderIds.has(record.orderId))
    );
  };
}

/** A payment and its order are one purchase: all that happened to it is shown. */
function ofPurchase(paymentId: string, orderId: string): Condition {
  return (record) =>
    ('paymentId' in record && record.paymentId === paymentId) || ('orderId' in record && record.orderId === orderId);
}

function ofTypes(wanted: readonly string[]): Condition {
  return (record) => wanted.includes(record.type);
}

/** @throws FixableError for a type there is not */
export function parseTypes<Type extends string>(text: string, types: readonly Type[]): readonly Type[] {
  return text.split(',').map((name) => {
    const known = types.find((type) => type === name.trim());
    if (known !== undefined) return known;
    throw new FixableError({
      what: `“${name}” is not a type of record`,
      fix: `Use one or more of ${types.join(', ')}; several with commas between them.`,
      exitCode: EXIT.usage,
    });
  });
}

export function wholeNumber(flag: string, text: string): number {
  const number = Number(text);
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new FixableError({
    what: `${flag} is wrong: “${text}”`,
    fix: 'Give a whole number from 1 on.',
    exitCode: EXIT.usage,
  });
}

function pointInTime(flag: string, text: string): number {
  const ms = Date.parse(text);
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(ms)) return ms;
  throw new FixableError({
    what: `${flag} is wrong: “${text}”`,
    fix: 'Give a date or a time, e.g. 2027-07-01 or 2027-07-01T18:00:00Z',
    exitCode: EXIT.usage,
  });
}
