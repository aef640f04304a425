import { expect, test } from 'vitest';
import type { SaleSample } from './sample.ts';
import { sample } from './test-support.ts';
import { thin } from './thinning.ts';

const ROW_MS = 5_000;
const rowsOf = (count: number, change: (index: number) => Partial<SaleSample> = () => ({})): SaleSample[] =>
  Array.from({ length: count }, (_, index) => ({ ...sample(index * ROW_MS, (index + 1) * ROW_MS), ...change(index) }));

/** What is left in the table. */
function left(rows: readonly SaleSample[], bounds: Parameters<typeof thin>[1]): readonly SaleSample[] {
  const { gone, merged } = thin(rows, bounds);
  const replaced = new Set([...gone, ...merged.map(({ toMs }) => toMs)]);
  return [...rows.filter(({ toMs }) => !replaced.has(toMs)), ...merged].sort((a, b) => a.toMs - b.toMs);
}

const NOTHING_KEPT = { keepFromMs: 0, keepToMs: 0 };

test('as many rows as may be stay as they are', () => {
  expect(thin(rowsOf(100), { atMost: 100, ...NOTHING_KEPT })).toEqual({ gone: [], merged: [] });
});

test('one more, and three quarters are left, the first ones merged, without a hole', () => {
  const rows = left(rowsOf(101), { atMost: 100, ...NOTHING_KEPT });
  expect(rows).toHaveLength(75);
  expect(rows[0]).toMatchObject({ fromMs: 0, toMs: 2 * ROW_MS });
  expect(rows.at(-1)).toMatchObject({ toMs: 101 * ROW_MS });
  for (const [index, row] of rows.slice(1).entries()) expect(row.fromMs).toBe(rows[index]?.toMs);
});

test('the first hour after the opening stays as it is', () => {
  const bounds = { atMost: 100, keepFromMs: 10 * ROW_MS, keepToMs: 60 * ROW_MS };
  const rows = left(rowsOf(150), bounds);
  expect(rows).toHaveLength(75);
  const kept = rows.filter(({ fromMs, toMs }) => fromMs >= bounds.keepFromMs && toMs <= bounds.keepToMs);
  expect(kept).toEqual(rowsOf(150).slice(10, 60));
});

test('what is kept may leave no room; then the rest is as coarse as it gets, and the first rows go', () => {
  const rows = left(rowsOf(150), { atMost: 100, keepFromMs: 0, keepToMs: 140 * ROW_MS });
  expect(rows.length).toBeLessThanOrEqual(100);
  expect(rows.at(-1)?.toMs).toBe(150 * ROW_MS);
});

test('a gap stays one, and no row reaches over it', () => {
  const rows = rowsOf(120).filter((_, index) => index < 31 || index > 40);
  const thinned = left(rows, { atMost: 100, ...NOTHING_KEPT });
  expect(thinned.some(({ fromMs, toMs }) => fromMs < 31 * ROW_MS && toMs > 31 * ROW_MS)).toBe(false);
  expect(thinned.some(({ fromMs }) => fromMs === 41 * ROW_MS)).toBe(true);
});

test('a change of phase stays where it was', () => {
  const thinned = left(
    rowsOf(101, (index) => ({ phase: index < 7 ? 'scheduled' : 'open' })),
    { atMost: 100, ...NOTHING_KEPT },
  );
  expect(thinned.find(({ phase }) => phase === 'open')?.fromMs).toBe(7 * ROW_MS);
});
