import { expect, test } from 'vitest';
import { figures } from '../live/test-support.ts';
import { RefusalCounts } from './refusal-counts.ts';

const process = (id: string, refused: Record<string, number>, startedAtMs = 1_000) =>
  figures({ id, startedAtMs, tallies: { 7: { refused, early: 0, within: 0, late: 0, waits: '' } } });

test('counts what is new since the last look, of all processes', () => {
  const counts = new RefusalCounts();
  expect(counts.since([process('a', { x: 5 })], 10_000)).toBeUndefined();
  expect(counts.since([process('a', { x: 7, y: 1 })], 11_000)?.get(7)).toEqual({ x: 2, y: 1 });
  expect(counts.since([process('a', { x: 7, y: 1 })], 12_000)?.get(7)).toEqual({});
});

test('takes what an old process has counted before it was seen for known, and of a new one everything', () => {
  const counts = new RefusalCounts();
  counts.since([process('a', { x: 5 })], 10_000);
  const found = counts.since(
    [process('a', { x: 5 }), process('old', { x: 100 }), process('new', { x: 3 }, 11_000)],
    12_000,
  );
  expect(found?.get(7)).toEqual({ x: 3 });
  expect(counts.since([process('old', { x: 104 })], 13_000)?.get(7)).toEqual({ x: 4 });
});

test('begins anew after somebody else has recorded', () => {
  const counts = new RefusalCounts();
  counts.since([process('a', { x: 5 })], 10_000);
  counts.forget();
  expect(counts.since([process('a', { x: 50 })], 20_000)).toBeUndefined();
});

test('a report without tallies, of an earlier release, counts nothing', () => {
  const counts = new RefusalCounts();
  counts.since([figures()], 10_000);
  expect(counts.since([figures()], 11_000)?.size).toBe(0);
});
