import { expect, test } from 'vitest';
import { quantile, Receipts } from './receipts.ts';

test('a delay is from asking, or from the first client, until a client has a state with the change in it', () => {
  const receipts = new Receipts(3);
  for (const client of [0, 1, 2]) receipts.note(client, 10, 100);
  receipts.note(0, 11, 1_050);
  receipts.note(1, 11, 1_060);
  // Repeated later: it has it since the first time.
  receipts.note(1, 11, 6_060);
  // Missed 11, and had it with 12.
  receipts.note(2, 12, 2_070);
  const { ofChanges, fromFirst } = receipts.delaysOf([
    { sequence: 11, askedAt: 1_000 },
    { sequence: 12, askedAt: 2_000 },
  ]);
  const never = Number.POSITIVE_INFINITY;
  expect([...ofChanges]).toEqual([50, 60, 1_070, never, never, 70]);
  expect([...fromFirst]).toEqual([0, 10, 1_020, never, never, 0]);
  expect(receipts.messages).toBe(7);
});

test('a change that nobody heard of is later than any other', () => {
  expect([...new Receipts(2).delaysOf([{ sequence: 5, askedAt: 0 }]).ofChanges]).toEqual([
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ]);
});

test('quantiles are by nearest rank', () => {
  const sorted = Float64Array.from({ length: 100 }, (_, index) => index + 1);
  expect([quantile(sorted, 0.5), quantile(sorted, 0.99), quantile(sorted, 1)]).toEqual([50, 99, 100]);
});

test('a change is known to all when the last client has it', () => {
  const receipts = new Receipts(2);
  receipts.note(0, 12, 1);
  receipts.note(1, 11, 1);
  expect([receipts.allHave(11), receipts.allHave(12)]).toEqual([true, false]);
});
