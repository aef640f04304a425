import { expect, test } from 'vitest';
import type { SaleSample, Second } from './sample.ts';
import { SampleSeries } from './sample-series.ts';
import { fleet, sale, second } from './test-support.ts';

const QUIET = second({
  sale: sale({ waiting: 0, held: 0, ordersPerSecond: 0, outflowPerSecond: 0 }),
  fleet: fleet(),
});

function play(from: number, to: number, of: (atSecond: number) => Second, series = new SampleSeries()) {
  const rows: SaleSample[] = [];
  for (let at = from; at < to; at += 1) rows.push(...series.add(at * 1_000 + 300, of(at), null));
  return { rows, series };
}
const spans = (rows: readonly SaleSample[]) => rows.map(({ fromMs, toMs }) => [fromMs, toMs]);

test('while people wait a row ends every five seconds, at the same moments for whoever records', () => {
  const { rows, series } = play(2, 17, () => second());
  expect(spans(rows)).toEqual([
    [2_300, 5_000],
    [5_000, 10_000],
    [10_000, 15_000],
  ]);
  expect(spans(series.finish(null))).toEqual([[15_000, 16_300]]);
});

test('while nothing happens a row is a minute, but for the first', () => {
  const { rows } = play(0, 125, () => QUIET);
  expect(spans(rows)).toEqual([
    [300, 5_000],
    [5_000, 60_000],
    [60_000, 120_000],
  ]);
});

test('what happens after a quiet time is in rows of its own', () => {
  const { rows } = play(0, 31, (at) => (at < 21 ? QUIET : second()));
  expect(spans(rows)).toEqual([
    [300, 5_000],
    [5_000, 20_000],
    [20_000, 25_000],
    [25_000, 30_000],
  ]);
});

test('a change of phase while nothing happens is not lost', () => {
  const { rows, series } = play(0, 31, (at) => ({
    ...QUIET,
    sale: { ...QUIET.sale, phase: at < 15 ? 'open' : 'paused' },
  }));
  const all = [...rows, ...series.finish(null)];
  expect(all.map(({ phase, toMs }) => [phase, toMs])).toEqual([
    ['open', 5_000],
    ['open', 15_000],
    ['paused', 30_300],
  ]);
});

test('a process that was stopped for a while leaves a gap', () => {
  const { rows, series } = play(0, 8, () => second());
  const after = play(40, 46, () => second(), series);
  expect(spans([...rows, ...after.rows])).toEqual([
    [300, 5_000],
    [5_000, 7_300],
    [40_300, 45_000],
  ]);
});

test('one second alone is a row', () => {
  const { series } = play(3, 4, () => second());
  expect(spans(series.finish(5))).toEqual([[3_300, 3_301]]);
  expect(series.finish(null)).toEqual([]);
});
