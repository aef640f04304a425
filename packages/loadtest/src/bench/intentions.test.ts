import { expect, test } from 'vitest';
import { intentionsOf } from './intentions.ts';

const BEHAVIOUR = { neverHoldShare: 0.2, neverPayShare: 0.2 };
const all = Array.from({ length: 10_000 }, (_, index) => intentionsOf('seed', index, BEHAVIOUR));

test('one in five of the admitted never holds, and one in five of those with a hold never pays', () => {
  const share = (wanted: keyof (typeof all)[number]) => all.filter((one) => one[wanted]).length / all.length;
  expect(share('holds')).toBeCloseTo(0.8, 1);
  expect(share('pays')).toBeCloseTo(0.8, 1);
});

test('the same seed gives the same buyers, and another share of one thing leaves the other as it was', () => {
  const again = all.map((_, index) => intentionsOf('seed', index, { neverHoldShare: 0.9, neverPayShare: 0.2 }));
  expect(again.map(({ pays }) => pays)).toEqual(all.map(({ pays }) => pays));
  expect(again.map(({ holds }) => holds)).not.toEqual(all.map(({ holds }) => holds));
});
