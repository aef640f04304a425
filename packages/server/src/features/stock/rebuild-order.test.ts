import { expect, it } from 'vitest';
import { inOrderOfUrgency, urgencyOf, type WaitingSale } from './rebuild-order.ts';

const NOW_MS = 1_000_000_000;
const HOUR_MS = 3_600_000;
const sale = (phase: WaitingSale['phase'], opensInMs: number, closesInMs = opensInMs + HOUR_MS): WaitingSale => ({
  phase,
  opensAtMs: NOW_MS + opensInMs,
  closesAtMs: NOW_MS + closesInMs,
});

it.each<[string, WaitingSale, number]>([
  ['is open', sale('open', -1), 0],
  ['was opened before its time', sale('open', 5 * HOUR_MS), 0],
  ['opened by itself', sale('scheduled', 0), 0],
  ['is paused', sale('paused', -1), 1],
  ['opens within minutes', sale('scheduled', 60_000), 1],
  ['opens some day', sale('scheduled', HOUR_MS), 2],
  ['was closed', sale('closed', -1), 3],
  ['closed by itself', sale('open', -2, 0), 3],
  ['was deleted', sale(undefined, 0), 4],
])('knows how urgent a sale is that %s', (_, waiting, urgency) => {
  expect(urgencyOf(waiting, NOW_MS)).toBe(urgency);
});

it('puts the urgent ones first, those that failed last, and equals in an order of its own', () => {
  const sales = [
    { saleId: 1, ...sale('scheduled', HOUR_MS) },
    { saleId: 2, ...sale('open', -1) },
    { saleId: 3, ...sale('open', -1) },
    { saleId: 4, ...sale('open', -1) },
    { saleId: 5, ...sale('closed', -1) },
  ];
  const chances = [0.1, 0.9, 0.2, 0.5, 0.3];
  let draw = 0;
  const random = () => chances[draw++ % chances.length] ?? 0;
  const order = (failed: readonly number[]) =>
    inOrderOfUrgency(sales, new Set(failed), NOW_MS, random).map(({ saleId }) => saleId);
  expect(order([])).toEqual([3, 4, 2, 1, 5]);
  expect(order([3])).toEqual([4, 2, 1, 5, 3]);
});
