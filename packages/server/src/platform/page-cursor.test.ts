import { expect, test } from 'vitest';
import { decodeCursor, encodeCursor, parsePage } from './page-cursor.ts';

test('a cursor gives back the key it was made of', () => {
  expect(decodeCursor('things', 2, encodeCursor('things', [7, 0]))).toEqual([7, 0]);
  expect(decodeCursor('things', 1, encodeCursor('things', [Number.MAX_SAFE_INTEGER]))).toEqual([
    Number.MAX_SAFE_INTEGER,
  ]);
});

test.each([
  ['of another list', encodeCursor('others', [7])],
  ['of another length', encodeCursor('things', [7, 8])],
  ['not base64url', '!!!'],
  ['with something appended', `${encodeCursor('things', [7])}=`],
  ['negative', Buffer.from('things.-7').toString('base64url')],
  ['not whole', Buffer.from('things.7.5').toString('base64url')],
  ['beyond exact numbers', Buffer.from('things.9999999999999999').toString('base64url')],
  ['empty', ''],
])('a cursor that is %s is refused', (_, cursor) => {
  expect(decodeCursor('things', 1, cursor)).toBeUndefined();
});

test('a page without limit and cursor is the first one of default size', () => {
  expect(parsePage({}, 'things', 1)).toEqual({ limit: 20, after: undefined });
  expect(parsePage({ limit: '3', cursor: encodeCursor('things', [9]) }, 'things', 1)).toEqual({ limit: 3, after: [9] });
  expect(parsePage({ cursor: 'x' }, 'things', 1)).toBeUndefined();
});
