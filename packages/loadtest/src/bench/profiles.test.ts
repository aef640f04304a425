import { describe, expect, test } from 'vitest';
import { BENCH_BOUNDS, LoadBoundError } from './bounds.ts';
import { arrivalsOf, lastSecondOf, peakOf, secondsOf } from './load-sums.ts';
import { BENCH_PROFILES, BENCH_SCENARIOS } from './plan.ts';
import { resolveLoad } from './profiles.ts';

const EVERY = BENCH_SCENARIOS.flatMap((scenario) => BENCH_PROFILES.map((profile) => [scenario, profile] as const));

describe.each(EVERY)('%s in the profile %s', (scenario, profile) => {
  const { load, sale, buyers, waitersBeforehand } = resolveLoad(scenario, profile);

  test('is within the bounds', () => {
    expect(lastSecondOf(load)).toBeLessThanOrEqual(BENCH_BOUNDS.seconds + 60);
    expect(load.users).toBeLessThanOrEqual(BENCH_BOUNDS.users);
    expect(load.users).toBeGreaterThan(0);
    expect(waitersBeforehand).toBeLessThanOrEqual(buyers);
    expect(buyers).toBeLessThanOrEqual(Math.max(BENCH_BOUNDS.arrivals, waitersBeforehand));
    expect(sale.capacity).toBeLessThanOrEqual(1_000_000);
  });

  test('has whole rates, which are all that k6 takes', () => {
    const rates = load.kind === 'arrivals' ? [load.startPerSecond, ...load.stages.map((stage) => stage.perSecond)] : [];
    expect(rates.filter((rate) => !Number.isInteger(rate))).toEqual([]);
  });
});

test.each(BENCH_SCENARIOS)('the smoke of %s is over in seconds', (scenario) => {
  const { load, buyers } = resolveLoad(scenario, 'smoke');
  if (load.kind === 'users' && scenario === 'festival') expect(load.users).toBeLessThanOrEqual(50);
  else expect(secondsOf(load)).toBeLessThanOrEqual(12);
  expect(buyers).toBeLessThanOrEqual(3_000);
});

test('festival is 5,000 users in the profile average and 10,000 in stress, with a ticket for each', () => {
  expect(resolveLoad('festival', 'average')).toMatchObject({
    load: { kind: 'users', users: 5_000 },
    sale: { capacity: 5_000, admission: { mode: 'auto' } },
    gatewayMs: 500,
  });
  expect(resolveLoad('festival', 'stress').load.users).toBe(10_000);
});

test('the rate of festival is that of its admission, and there is time for all of them', () => {
  const { load, sale } = resolveLoad('festival', 'stress', { perSecond: 30 });
  expect(sale.admission).toMatchObject({ mode: 'fixed', perSecond: 30 });
  expect(secondsOf(load)).toBeGreaterThan(10_000 / 30);
  expect(() => resolveLoad('festival', 'stress', { perSecond: 1 })).toThrow(
    /at 1 a second: --rate has to be \d+ at least/,
  );
});

test('a funnel has a buyer for every purchase that its users can make, as far as accounts can be made', () => {
  expect(resolveLoad('funnel', 'average')).toMatchObject({
    load: { users: 300, seconds: 60 },
    buyers: 300 * 4 * 60 + 300,
    sale: { capacity: 300 * 4 * 60 + 300 },
  });
  expect(resolveLoad('funnel', 'average', { users: 2_000 }).buyers).toBe(BENCH_BOUNDS.arrivals);
});

test('an onsale has one ticket for fifty who come', () => {
  const { load, sale, buyers } = resolveLoad('onsale', 'average');
  expect(sale.capacity).toBe(Math.ceil(arrivalsOf(load) / 50));
  expect(buyers).toBe(arrivalsOf(load));
});

test('those who wait are so many that nobody asks sooner than told', () => {
  for (const profile of BENCH_PROFILES) {
    for (const scenario of ['waiting', 'mix'] as const) {
      const { load, waitersBeforehand } = resolveLoad(scenario, profile);
      expect(waitersBeforehand / peakOf(load)).toBeGreaterThanOrEqual(30);
    }
  }
  expect(resolveLoad('waiting', 'average').waitersBeforehand).toBe(100_000);
  expect(resolveLoad('waiting', 'stress').waitersBeforehand).toBe(1_000_000);
});

test('another rate and another time keep the shape of the load', () => {
  const { load } = resolveLoad('onsale', 'average', { perSecond: 400, seconds: 76 });
  expect(load).toMatchObject({
    startPerSecond: 0,
    stages: [
      { perSecond: 400, seconds: 6 },
      { perSecond: 400, seconds: 50 },
      { perSecond: 0, seconds: 20 },
    ],
  });
});

test.each([
  ['onsale', { perSecond: 20_001 }, 'rate', /^--rate can be a whole number from 1 to 20000 a second, and not 20001/],
  ['onsale', { perSecond: 0.5 }, 'rate', /whole number/],
  ['onsale', { perSecond: 20_000 }, 'rate', /200000 are the most/],
  ['festival', { users: 20_001 }, 'users', /^--vus can be .* from 1 to 20000 virtual users/],
  ['waiting', { seconds: 1_201 }, 'duration', /^--duration can be .* from 1 to 1200 seconds/],
  ['funnel', { perSecond: 100 }, 'rate', /takes no rate/],
  ['websocket', { perSecond: 100 }, 'rate', /takes no rate/],
] as const)('%s with %o says which bound of the %s it is beyond', (scenario, overrides, option, message) => {
  let thrown: unknown;
  try {
    resolveLoad(scenario, 'average', overrides);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(LoadBoundError);
  expect(thrown).toMatchObject({ option, message: expect.stringMatching(message) });
});
