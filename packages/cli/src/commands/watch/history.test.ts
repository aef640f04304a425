import { expect, test } from 'vitest';
import { liveDocument, liveSale } from '../../test-support/live-documents.ts';
import { History, Series } from './history.ts';
import { WATCH_LIMITS } from './limits.ts';

const NONE = Number.NaN;

test('a window shows a value a second, the newest last', () => {
  const series = new Series();
  for (const second of [10, 11, 12]) series.record(second * 1_000 + 400, second);
  expect(series.sample(12_900, 4, 4)).toEqual([NONE, 10, 11, 12]);
});

test('seconds without a document are gaps, not zeros, and are not closed up', () => {
  const series = new Series();
  series.record(10_000, 1);
  series.record(13_000, 4);
  expect(series.sample(15_000, 6, 6)).toEqual([1, NONE, NONE, 4, NONE, NONE]);
});

test('a document that comes a little late each time leaves no gaps, neither behind it nor at the end', () => {
  const series = new Series();
  for (let number = 0; number < 60; number += 1) series.record(10_000 + number * 1_040, number);
  const values = series.sample(10_000 + 59 * 1_040 + 900, 30, 30);
  expect(values.filter((value) => Number.isNaN(value))).toEqual([]);
  expect(values.at(-1)).toBe(59);
});

test('where seconds share a cell the peak is shown', () => {
  const series = new Series();
  for (const [second, value] of [1, 9, 2, 3, 0, 0].entries()) series.record(second * 1_000, value);
  expect(series.sample(5_000, 6, 3)).toEqual([9, 3, 0]);
});

test('more cells than seconds repeat them', () => {
  const series = new Series();
  series.record(1_000, 5);
  series.record(2_000, 6);
  expect(series.sample(2_000, 2, 4)).toEqual([5, 5, 6, 6]);
});

test('the longest window is kept and nothing before it, also after a long silence', () => {
  const series = new Series();
  const { historySeconds } = WATCH_LIMITS;
  for (let second = 0; second < historySeconds * 3; second += 1) series.record(second * 1_000, second);
  const all = series.sample((historySeconds * 3 - 1) * 1_000, historySeconds, historySeconds);
  expect(all[0]).toBe(historySeconds * 2);
  expect(all.at(-1)).toBe(historySeconds * 3 - 1);
  series.record(historySeconds * 9_000, 1);
  const later = series.sample(historySeconds * 9_000, historySeconds, historySeconds);
  expect(later.filter((value) => !Number.isNaN(value))).toEqual([1]);
});

test('a clock that was set back adds nothing before what is there', () => {
  const series = new Series();
  series.record(10_000, 1);
  series.record(8_000, 2);
  expect(series.sample(10_000, 3, 3)).toEqual([NONE, NONE, 1]);
});

test('the history of sales is bounded: those that are gone make room', () => {
  const history = new History();
  for (let round = 0; round < 5; round += 1) {
    const sales = Array.from({ length: 150 }, (_, index) => liveSale({ saleId: round * 150 + index }));
    history.record(liveDocument({ sales }), round * 1_000);
    expect(history.salesRemembered).toBeLessThanOrEqual(WATCH_LIMITS.salesMax + 150);
  }
  expect(history.salesRemembered).toBeLessThanOrEqual(WATCH_LIMITS.salesMax);
  expect(history.findSale(600)?.waiting.sample(4_000, 1, 1)).toEqual([12_345]);
});

test('a second in which nothing was answered has no latency: not zero, and not the one before', () => {
  const history = new History();
  const { fleet } = liveDocument();
  history.record(liveDocument({ fleet: { ...fleet, p99Ms: 12 } }), 1_000);
  history.record(liveDocument({ fleet: { ...fleet, p99Ms: null } }), 2_000);
  expect(history.fleet.p99Ms.sample(2_000, 2, 2)).toEqual([12, NONE]);
  expect(history.fleet.p99Ms.scale(2_000, 60)).toEqual({ min: 12, max: 12, now: NONE });
  expect(history.fleet.requests.scale(2_000, 60).now).toBe(fleet.requestsPerSecond);
});

test('what is now is that of the window: of a picture that is held still not what came later, of a long silence nothing', () => {
  const series = new Series();
  series.record(1_000, 5);
  series.record(2_000, 6);
  expect(series.scale(1_900, 60).now).toBe(5);
  expect(series.scale(2_900, 60).now).toBe(6);
  expect(series.scale(70_000, 60)).toEqual({ min: NONE, max: NONE, now: NONE });
});
