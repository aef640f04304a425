import { expect, test } from 'vitest';
import { LIMITS } from '../../../limits.ts';
import type { LiveSale } from '../../stock/live-sales.ts';
import { RecordedSales } from './recorded-sales.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = 100 * HOUR_MS;

function saleOf(phase: LiveSale['phase'], snapshot: Partial<LiveSale['snapshot']> = {}, saleId = 7): LiveSale {
  const times = { opensAtMs: NOW_MS - HOUR_MS, closesAtMs: NOW_MS + HOUR_MS, drawn: 0, servingNumber: 0 };
  return { saleId, phase, snapshot: { ...times, ...snapshot } } as LiveSale;
}

test.each([
  ['an open one', saleOf('open'), true],
  ['a paused one', saleOf('paused'), true],
  ['one that is sold out', saleOf('soldOut'), true],
  ['one that opens tomorrow', saleOf('scheduled', { opensAtMs: NOW_MS + 24 * HOUR_MS }), false],
  ['one that opens soon', saleOf('scheduled', { opensAtMs: NOW_MS + LIMITS.earlyJoinMs }), true],
  ['one with people who wait', saleOf('scheduled', { opensAtMs: NOW_MS + HOUR_MS, drawn: 1 }), true],
  ['one that closed a minute ago', saleOf('closed', { closesAtMs: NOW_MS - 60_000 }), true],
  ['one that closed an hour ago', saleOf('closed', { closesAtMs: NOW_MS - HOUR_MS }), false],
  ['one that was closed before this process began', saleOf('closed'), false],
])('%s is recorded: %s', (_, sale, expected) => {
  expect(new RecordedSales().of([sale], NOW_MS).has(7)).toBe(expected);
});

test('one that an operator closes is recorded for some minutes more', () => {
  const recorded = new RecordedSales();
  recorded.of([saleOf('open')], NOW_MS);
  expect(recorded.of([saleOf('closed')], NOW_MS + 1_000).size).toBe(1);
  expect(recorded.of([saleOf('closed')], NOW_MS + LIMITS.reportAfterCloseMs).size).toBe(1);
  expect(recorded.of([saleOf('closed')], NOW_MS + 1_000 + LIMITS.reportAfterCloseMs).size).toBe(0);
});

test('one that was closed early before this process began is not recorded at its closing time either', () => {
  const recorded = new RecordedSales();
  expect(recorded.of([saleOf('closed')], NOW_MS).size).toBe(0);
  expect(recorded.of([saleOf('closed')], NOW_MS + HOUR_MS + 60_000).size).toBe(0);
});

test('of very many those that sell first', () => {
  const sales = Array.from({ length: LIMITS.reportSales + 1 }, (_, index) =>
    saleOf(index === 0 ? 'scheduled' : 'open', { drawn: 1 }, index + 1),
  );
  const ids = new RecordedSales().of(sales, NOW_MS);
  expect(ids.size).toBe(LIMITS.reportSales);
  expect(ids.has(1)).toBe(false);
});
