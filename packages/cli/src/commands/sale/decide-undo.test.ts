import type { AdmissionState, SaleAction } from '@fest/server/contract/operations';
import { expect, test } from 'vitest';
import { decideUndo } from './decide-undo.ts';

const NOW = { mode: 'fixed', perSecond: 100, maxActive: 500 } as const;
const BEFORE = { mode: 'auto', perSecond: 10_000, maxActive: 500 } as const;
const at = (phase: AdmissionState['phase']) => ({ saleId: 7, phase, ...NOW }) as AdmissionState;
const done = (
  action: string,
  from: SaleAction['from'],
  to: SaleAction['to'],
  operatorId: number | null = 4,
): SaleAction => ({
  id: 'a.1',
  at: '2026-07-01T12:00:00.000Z',
  operatorId,
  operator: operatorId === null ? null : 'Ada',
  action,
  from,
  to,
  forced: [],
});
const phase = (from: string, to: string, operatorId?: number | null) =>
  done('phase', { phase: from }, { phase: to }, operatorId);

test.each([
  ['a pause is resumed', [phase('open', 'paused')], 'paused', { kind: 'phase', change: 'resume' }],
  ['a resume is paused', [phase('paused', 'open')], 'open', { kind: 'phase', change: 'pause' }],
  ['also when the sale is sold out', [phase('paused', 'open')], 'soldOut', { kind: 'phase', change: 'pause' }],
  ['an admission goes back', [done('admission', BEFORE, NOW)], 'open', { kind: 'admission', to: BEFORE }],
  [
    'what the sale did by itself is passed over',
    [phase('scheduled', 'open', null), done('admission', BEFORE, NOW)],
    'open',
    { kind: 'admission', to: BEFORE },
  ],
] as const)('%s', (_, actions, present, expected) => {
  expect(decideUndo(actions, at(present))).toMatchObject(expected);
});

test.each([
  ['nothing was done', [], 'open', 'no operator has changed'],
  ['a closing', [phase('open', 'closed')], 'closed', 'for good'],
  ['an opening', [phase('scheduled', 'open')], 'open', 'cannot be scheduled again'],
  ['a pause that somebody has ended', [phase('open', 'paused')], 'open', 'it is open now'],
  ['an admission that is another one now', [done('admission', BEFORE, BEFORE)], 'open', 'another one now'],
  ['an admission of which nobody knows what was before', [done('admission', null, NOW)], 'open', 'was not recorded'],
  ['a rebuild', [done('rebuild', { epoch: 1 }, { epoch: 2 })], 'open', 'cannot be undone'],
] as const)('%s cannot be undone, and says why', (_, actions, present, why) => {
  const undo = decideUndo(actions, at(present));
  expect(undo).toMatchObject({ kind: 'impossible', why: expect.stringContaining(why) });
});
