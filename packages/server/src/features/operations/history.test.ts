import { describe, expect, test } from 'vitest';
import type { RecordedAction } from './fresh-actions.ts';
import { actionDocument, decodeCursor, encodeCursor, mergeActions } from './history.ts';

const LOG = 'a'.repeat(32);
const OTHER_LOG = 'b'.repeat(32);
const action = (atMs: number, lsn = atMs, logId = LOG): RecordedAction => ({
  saleId: 7,
  operatorId: 4,
  action: 'phase',
  detail: { from: 'open', to: 'paused' },
  atMs,
  logId,
  lsn,
});
const times = ({ items }: { readonly items: readonly RecordedAction[] }) => items.map(({ atMs }) => atMs);

describe('a page', () => {
  test('has what is archived and what is not yet, each once, newest first', () => {
    const page = mergeActions([action(3), action(1)], [action(4), action(3)], 10, undefined);
    expect(times(page)).toEqual([4, 3, 1]);
    expect(page.next).toBeUndefined();
  });

  test('ends with the place from which the next one goes on', () => {
    const first = mergeActions([action(5), action(4), action(3)], [action(6)], 2, undefined);
    expect(times(first)).toEqual([6, 5]);
    expect(first.next).toMatchObject({ atMs: 5, lsn: 5 });
    expect(times(mergeActions([action(4), action(3)], [action(6)], 2, first.next))).toEqual([4, 3]);
  });

  test('tells actions of one moment apart by log and record', () => {
    const page = mergeActions([action(1, 9), action(1, 8)], [action(1, 2, OTHER_LOG)], 10, undefined);
    expect(page.items.map(({ lsn }) => lsn)).toEqual([2, 9, 8]);
  });
});

test('a cursor is what was encoded, and nothing else', () => {
  const place = { atMs: 1_800_000_000_000, logId: LOG, lsn: 17 };
  expect(decodeCursor(encodeCursor(place))).toEqual(place);
  for (const text of ['', 'x', encodeCursor({ ...place, logId: 'a' }), Buffer.from('1 2 3').toString('base64url')])
    expect(decodeCursor(text)).toBeUndefined();
});

describe('an action', () => {
  const names = (accountId: number) => (accountId === 4 ? 'Ada' : undefined);
  const settings = { mode: 'fixed', perSecond: 5, maxActive: 3 } as const;

  test.each([
    [{}, { from: { phase: 'open' }, to: { phase: 'paused' }, operator: 'Ada', forced: [] }],
    [{ detail: { from: 'scheduled', to: 'open', forced: ['stock'] } }, { forced: ['stock'] }],
    [{ operatorId: undefined }, { operatorId: null, operator: null }],
    [{ operatorId: 5 }, { operatorId: 5, operator: null }],
    [
      { action: 'admission', detail: { ...settings, from: { ...settings, perSecond: 9 } } },
      { from: { perSecond: 9 }, to: settings },
    ],
    [
      { action: 'admission', detail: settings },
      { from: null, to: settings },
    ],
    [
      { action: 'rebuild', detail: { epoch: 1, nextEpoch: 2 } },
      { from: { epoch: 1 }, to: { epoch: 2 } },
    ],
  ] as const)('with %j is told as %j', (differs, expected) => {
    expect(actionDocument({ ...action(1), ...differs } as RecordedAction, names)).toMatchObject(expected);
  });
});
