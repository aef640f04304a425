import type { SaleOrder, SaleOrderPage } from '@fest/server/contract/sale-orders';
import { expect, test } from 'vitest';
import { describeNumbers, judgePage } from './order-numbers.ts';

function pageOf(
  numbers: readonly number[],
  nextCursor: string | null,
  lastNumber: number | null = null,
): SaleOrderPage {
  return { items: numbers.map((number) => ({ number }) as SaleOrder), nextCursor, lastNumber };
}

test.each([
  ['a whole page with more behind it', pageOf([4, 5], 'x'), 3, 9, [4, 5], { status: 'more' }],
  ['the last page', pageOf([4, 5], null), 3, 5, [4, 5], { status: 'complete' }],
  ['an empty sale', pageOf([], null), 0, 0, [], { status: 'complete' }],
  ['more than there was', pageOf([4, 5, 6], null), 3, 5, [4, 5, 6], { status: 'complete' }],
  ['a gap', pageOf([4, 7], 'x'), 3, 9, [4], { status: 'missing', numbers: { first: 5, last: 6 } }],
  ['a gap at once', pageOf([5], null), 3, 5, [], { status: 'missing', numbers: { first: 4, last: 4 } }],
  ['a gap behind what there was', pageOf([4, 6], null), 3, 4, [4], { status: 'complete' }],
  ['an end that is not archived', pageOf([4], null), 3, 6, [4], { status: 'missing', numbers: { first: 5, last: 6 } }],
  ['an end that nobody knows', pageOf([4], null), 3, undefined, [4], { status: 'unknown' }],
])('%s', (_, page, after, goal, numbers, verdict) => {
  const judged = judgePage(page, after, goal);
  expect(judged.items.map(({ number }) => number)).toEqual(numbers);
  expect(judged.after).toBe(after + numbers.length);
  expect(judged.verdict).toEqual(verdict);
});

test('one number is one, several are a range', () => {
  expect([describeNumbers({ first: 3, last: 3 }), describeNumbers({ first: 3, last: 5 })]).toEqual([
    'number 3',
    'numbers 3 to 5',
  ]);
});
