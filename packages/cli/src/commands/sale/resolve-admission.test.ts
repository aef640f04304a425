import { expect, test } from 'vitest';
import { resolveAdmission } from './resolve-admission.ts';

const FIXED = { mode: 'fixed', perSecond: 5, maxActive: 3 } as const;

test.each([
  ['what is left out stays', FIXED, { maxActive: 9 }, { ...FIXED, maxActive: 9 }],
  ['auto without a rate has no bound', FIXED, { mode: 'auto' }, { ...FIXED, mode: 'auto', perSecond: 10_000 }],
  ['auto with a rate has it', FIXED, { mode: 'auto', perSecond: 70 }, { ...FIXED, mode: 'auto', perSecond: 70 }],
  ['auto keeps its bound', { ...FIXED, mode: 'auto', perSecond: 70 }, {}, { ...FIXED, mode: 'auto', perSecond: 70 }],
  [
    'back from auto without a bound',
    { ...FIXED, mode: 'auto', perSecond: 10_000 },
    { mode: 'fixed' },
    { ...FIXED, perSecond: 50 },
  ],
  [
    'back from auto with one',
    { ...FIXED, mode: 'auto', perSecond: 70 },
    { mode: 'fixed' },
    { ...FIXED, perSecond: 70 },
  ],
  ['zero is a rate', FIXED, { perSecond: 0 }, { ...FIXED, perSecond: 0 }],
] as const)('%s', (_, from, wanted, expected) => {
  expect(resolveAdmission(from, wanted)).toEqual(expected);
});
