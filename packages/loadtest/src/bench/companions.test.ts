import { expect, test } from 'vitest';
import { attackBuyers, buyerRangesOf, companionsOf } from './companions.ts';
import { BENCH_SCENARIOS, type BenchLoad } from './plan.ts';

const LOAD: BenchLoad = {
  kind: 'arrivals',
  startPerSecond: 10,
  stages: [{ perSecond: 10, seconds: 8 }],
  users: 20,
  graceSeconds: 5,
};

test('attacks and logins have honest buyers beside them, the other loads nobody', () => {
  expect(BENCH_SCENARIOS.filter((scenario) => companionsOf(scenario, LOAD) !== undefined)).toEqual([
    'abuse',
    'seedstorm',
  ]);
  expect(companionsOf('abuse', LOAD)).toMatchObject({ perSecond: 2, seconds: 8 });
});

test('nobody’s account is somebody else’s as well', () => {
  const { companions, load, end } = buyerRangesOf('abuse', LOAD, attackBuyers(LOAD));
  expect(companions).toBe(0);
  expect(load).toBeGreaterThanOrEqual(2 * 8);
  expect(end - load).toBeGreaterThanOrEqual(80 * 2);
});
