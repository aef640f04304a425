import { expect, test } from 'vitest';
import { exactLatencies } from './exact-latencies.ts';
import { type LoadRow, LoadRows, rowAt } from './load-rows.ts';

const MINUTE = 60_000;

test('rows are of whole seconds, and longer in a long run', () => {
  const began = 1_000_000_500;
  expect(rowAt(began, began)).toEqual({ fromMs: 1_000_000_000, untilMs: 1_000_001_000 });
  expect(rowAt(began + 19 * MINUTE, began)).toMatchObject({ fromMs: 1_001_140_000, untilMs: 1_001_141_000 });
  expect(rowAt(began + 21 * MINUTE, began)).toMatchObject({ fromMs: 1_001_260_000, untilMs: 1_001_265_000 });
  expect(rowAt(began + 121 * MINUTE, began)).toMatchObject({ fromMs: 1_007_250_000, untilMs: 1_007_280_000 });
});

test('rows of all lengths lie side by side, without a gap and without an overlap', () => {
  const began = 1_000_003_700;
  let until = rowAt(began, began).fromMs;
  for (let at = began; at < began + 130 * MINUTE; at += 250) {
    const row = rowAt(at, began);
    expect(row.fromMs).toBeLessThanOrEqual(at);
    expect(row.untilMs).toBeGreaterThan(at);
    if (row.untilMs === until) continue;
    expect(row.fromMs).toBe(until);
    until = row.untilMs;
  }
});

function collect(): { readonly rows: LoadRow[]; readonly inTime: LoadRows } {
  const rows: LoadRow[] = [];
  return { rows, inTime: new LoadRows((row) => rows.push(row)) };
}

test('a second is told when the next one and the time for what is late are over', () => {
  const { rows, inTime } = collect();
  inTime.begin(10_100);
  inTime.count('requests', 10_100, 1);
  inTime.passed(11_999);
  expect(rows).toEqual([]);
  inTime.count('requests', 10_900, 1);
  inTime.passed(12_000);
  expect(rows).toMatchObject([{ atMs: 10_000, seconds: 1, requests: 2 }]);
});

test('what comes too late counts in the next second that is not told', () => {
  const { rows, inTime } = collect();
  inTime.begin(10_100);
  inTime.count('requests', 10_100, 1);
  inTime.passed(12_500);
  inTime.count('requests', 10_200, 1);
  inTime.duration('poll', 10_200, 7);
  inTime.finish();
  expect(rows).toMatchObject([
    { atMs: 10_000, requests: 1 },
    { atMs: 11_000, requests: 1, endpoints: { poll: { count: 1, p50Ms: 7 } } },
  ]);
});

test('a second in which nothing happened is a row', () => {
  const { rows, inTime } = collect();
  inTime.users(9_000, 3);
  inTime.begin(10_100);
  inTime.count('requests', 10_100, 1);
  inTime.count('requests', 13_100, 1);
  inTime.finish();
  expect(rows.map(({ atMs, requests, users }) => [atMs, requests, users])).toEqual([
    [10_000, 1, 3],
    [11_000, 0, 3],
    [12_000, 0, 3],
    [13_000, 1, 3],
  ]);
});

test('before the load begins nothing is counted', () => {
  const { rows, inTime } = collect();
  inTime.count('unexpected', 9_000, 1);
  inTime.passed(60_000);
  inTime.finish();
  expect(rows).toEqual([]);
});

test('quantiles of few values are values that were measured', () => {
  expect(exactLatencies([])).toEqual({
    count: 0,
    p50Ms: null,
    p90Ms: null,
    p95Ms: null,
    p99Ms: null,
    p999Ms: null,
    maxMs: null,
    meanMs: null,
  });
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(exactLatencies(values)).toEqual({
    count: 100,
    p50Ms: 50,
    p90Ms: 90,
    p95Ms: 95,
    p99Ms: 99,
    p999Ms: 100,
    maxMs: 100,
    meanMs: 50.5,
  });
  expect(exactLatencies([0.123_456])).toMatchObject({ p50Ms: 0.123, maxMs: 0.123 });
});
