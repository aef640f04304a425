/**
 * Which orders of a sale may be written. They are numbered 1, 2, 3 … as they are confirmed, and reach the archive in any order when
 * several servers sell: what is written has no gap, so that nobody who goes on later has missed one.
 */
import type { SaleOrder, SaleOrderPage } from '@fest/server/contract/sale-orders';

/** From `first` to `last`, both included. */
export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

export type PageVerdict =
  /** There may be more. */
  | { readonly status: 'more' }
  /** Everything up to the goal is written. */
  | { readonly status: 'complete' }
  /** Nothing more is archived, and how many there should be is not known. */
  | { readonly status: 'unknown' }
  /** These are not archived, and something behind them is, or has to be. */
  | { readonly status: 'missing'; readonly numbers: NumberRange };

export interface JudgedPage {
  /** Those without a gap behind `after`. */
  readonly items: readonly SaleOrder[];
  /** Number of the last of them. */
  readonly after: number;
  readonly verdict: PageVerdict;
}

/**
 * @param after number of the last order that is written
 * @param goal number of the last order there was when the export of the sale began; undefined: not known
 */
export function judgePage(page: SaleOrderPage, after: number, goal: number | undefined): JudgedPage {
  const gap = page.items.findIndex(({ number }, index) => number !== after + index + 1);
  const items = gap === -1 ? page.items : page.items.slice(0, gap);
  const reached = after + items.length;
  return { items, after: reached, verdict: verdictOf(page, page.items[items.length]?.number, reached, goal) };
}

/** @param next number of the first order behind a gap; undefined: there is none on this page */
function verdictOf(
  page: SaleOrderPage,
  next: number | undefined,
  reached: number,
  goal: number | undefined,
): PageVerdict {
  if (next === undefined && page.nextCursor !== null) return { status: 'more' };
  // What is confirmed while this runs is on its way, and nobody has asked for it.
  if (goal !== undefined && reached >= goal) return { status: 'complete' };
  if (next !== undefined) return { status: 'missing', numbers: { first: reached + 1, last: next - 1 } };
  if (goal === undefined) return { status: 'unknown' };
  return { status: 'missing', numbers: { first: reached + 1, last: goal } };
}

export function describeNumbers({ first, last }: NumberRange): string {
  return first === last ? `number ${first}` : `numbers ${first} to ${last}`;
}
