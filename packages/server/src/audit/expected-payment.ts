/** What a replay of the logs makes of a payment without an order: its row in `payments`. See `archive/payment-rows.ts`. */
import type { SaleBooks } from './books.ts';
import { SEEN } from './order-rows.ts';
import { isSameMoney, moneyText } from './words.ts';

export interface ExpectedPayment {
  readonly status: 'pending' | 'failed' | 'refunded';
  /** Empty: none. */
  readonly failureCode: string;
  /** It has ended, so nothing more can be said about it. */
  readonly closed: boolean;
}

/** Undefined: no row, because it became an order, or the logs do not know it. */
export function expectedPayment(books: SaleBooks, row: number): ExpectedPayment | undefined {
  if (books.has(row, SEEN.order)) return undefined;
  const failureCode = books.failureCode(row);
  if (books.has(row, SEEN.refunded)) return { status: 'refunded', failureCode, closed: true };
  if (books.has(row, SEEN.refundBegun)) return { status: 'pending', failureCode, closed: false };
  if (books.has(row, SEEN.failed)) return { status: 'failed', failureCode, closed: true };
  if (books.has(row, SEEN.intent)) return { status: 'pending', failureCode: '', closed: false };
  return undefined;
}

/** In what a row of MySQL differs from what it should be, as text; empty: in nothing. */
export function paymentDifference(
  books: SaleBooks,
  row: number,
  expected: ExpectedPayment,
  found: {
    readonly accountId: number;
    readonly amount: number;
    readonly currency: string;
    readonly status: string;
    readonly failureCode: string | null;
    readonly unfinished: number | null;
  },
): string {
  const differences: string[] = [];
  const compare = (what: string, log: number | string, mysql: number | string): void => {
    if (log !== mysql) differences.push(`${what} (log ${log || 'none'}, MySQL ${mysql || 'none'})`);
  };
  compare('status', expected.status, found.status);
  compare('failure code', storedCode(expected.failureCode), found.failureCode ?? '');
  compare('unfinished', expected.closed ? 'no' : 'yes', found.unfinished === 1 ? 'yes' : 'no');
  compare('account', books.accountId(row), found.accountId);
  const money = { amount: books.amount(row), currency: books.currency(row) };
  if (!isSameMoney(money, found)) compare('amount', moneyText(money), moneyText(found));
  return differences.join(', ');
}

const FAILURE_CODE_CHARACTERS = 50;

/** As the applier stores it: printable ASCII, cut to the width of the column. */
function storedCode(code: string): string {
  return code.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, FAILURE_CODE_CHARACTERS);
}
