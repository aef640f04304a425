import { expect, test } from 'vitest';
import { LIMITS } from '../limits.ts';
import { newId } from './ids.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { RequestMeters } from './request-meters.ts';
import { SaleTallies, saleIn, WAIT_SCALE } from './sale-tallies.ts';

const tallies = (isSale = (_: number) => true) => {
  let nowMs = 0;
  return new SaleTallies({ isSale, nowMs: () => ++nowMs });
};

test.each([
  ['7', 7],
  [newId('hold', 36, 0), 36],
  [newId('payment', 7, 0), 7],
  [newId('order', 7, 0), 7],
  ['07', undefined],
  ['', undefined],
  ['hold_7', undefined],
  ['hold_7_tooshort', undefined],
  ['../7', undefined],
])('the sale in %j is %j', (parameter, expected) => {
  expect(saleIn(parameter)).toBe(expected);
});

test('refusals are counted by sale and code, and faults are not', () => {
  const counted = tallies();
  for (const code of ['not_admitted', 'not_admitted', 'sold_out', 'internal_error'] as const) {
    counted.countRefused('7', code);
  }
  counted.countRefused(newId('hold', 8, 0), 'hold_expired');
  expect(counted.read()).toMatchObject({
    7: { refused: { not_admitted: 2, sold_out: 1 } },
    8: { refused: { hold_expired: 1 } },
  });
});

test('who makes ids up fills no memory', () => {
  const counted = tallies((saleId) => saleId === 7);
  for (let saleId = 1; saleId < 100; saleId += 1) counted.countRefused(String(saleId), 'not_found');
  expect(Object.keys(counted.read())).toEqual(['7']);
});

test('of many sales those that changed last are told, and beyond the bound none is taken in', () => {
  const counted = tallies();
  for (let saleId = 1; saleId <= LIMITS.talliedSales + 5; saleId += 1) counted.countRefused(String(saleId), 'sold_out');
  const told = Object.keys(counted.read()).map(Number);
  expect(told).toHaveLength(LIMITS.talliedSalesTold);
  expect(Math.max(...told)).toBe(LIMITS.talliedSales);
});

test('waits of hours come back as they were, to a hundredth', () => {
  const counted = tallies();
  for (const seconds of [0.4, 90, 3 * 3_600]) counted.countWait(7, seconds, 'within');
  const { waits, within } = counted.read()['7'] ?? { waits: '' };
  expect(within).toBe(3);
  const histogram = new LatencyHistogram();
  expect(histogram.addEncoded(waits)).toBe(true);
  expect((histogram.quantile(1) * WAIT_SCALE) / 1_000_000 / (3 * 3_600)).toBeCloseTo(1, 2);
  expect((histogram.quantile(0.5) * WAIT_SCALE) / 1_000_000 / 90).toBeCloseTo(1, 2);
});

test('only an answer that refuses, to a path with a parameter, comes by', () => {
  const heard: string[] = [];
  const meters = new RequestMeters({ countRefused: (parameter, code) => heard.push(`${parameter} ${code}`) });
  const key = {};
  meters.count(key, '/x/:id', 'GET', 200, 0.001, undefined, '7');
  meters.count(key, '/x/:id', 'GET', 403, 0.001, 'not_admitted');
  meters.count(key, '/x/:id', 'GET', 403, 0.001, 'not_admitted', '7');
  meters.countRefused(0.001);
  expect(heard).toEqual(['7 not_admitted']);
});
