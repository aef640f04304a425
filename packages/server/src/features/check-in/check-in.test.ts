import { expect, test } from 'vitest';
import { explainRefusal } from './check-in.ts';

test.each([
  ['unknown to the database yet', undefined, { status: 'notYetArchived' }],
  ['of a cancelled order', { live: false, checkedInAtMs: undefined }, { status: 'revoked' }],
  ['of an order cancelled after check-in', { live: false, checkedInAtMs: 5 }, { status: 'revoked' }],
  ['that was checked in', { live: true, checkedInAtMs: 5 }, { status: 'alreadyCheckedIn', checkedInAtMs: 5 }],
  ['that arrived a moment too late', { live: true, checkedInAtMs: undefined }, { status: 'notYetArchived' }],
])('a ticket %s', (_, ticket, expected) => {
  expect(explainRefusal(ticket)).toEqual(expected);
});
