import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AdmissionStep, SaleSnapshot } from '../../redis/scripts.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import { estimateWait, flowOf, outflowHistory } from './wait-estimate.ts';
import { outflowPerSecond } from './waiting-room.ts';

const NOW = 10_000_000;

/** Steps with these rates, buyers a second, over ten seconds each; the last window ends now. */
function stepsOf(rates: readonly number[]): readonly AdmissionStep[] {
  let servingNumber = 1_000;
  const steps: AdmissionStep[] = [{ servingNumber, atMs: NOW - rates.length * 10_000 }];
  for (const [window, rate] of rates.entries()) {
    for (let second = 1; second <= 10; second += 1) {
      servingNumber += rate;
      steps.push({ servingNumber, atMs: NOW - (rates.length - window) * 10_000 + second * 1_000 });
    }
  }
  return steps;
}

interface Given {
  readonly rates?: readonly number[];
  readonly phase?: LiveSale['phase'];
  readonly snapshot?: Partial<SaleSnapshot>;
}

function saleWith({ rates = [], phase = 'open', snapshot = {} }: Given): LiveSale {
  const steps = rates.length === 0 ? [] : stepsOf(rates);
  const servingNumber = steps.at(-1)?.servingNumber ?? 0;
  const limits = { perSecond: 50, maxActive: 500, pending: 0, inside: 0, available: 10_000, admissionMs: 120_000 };
  return {
    saleId: 7,
    phase,
    steps,
    readAtMs: NOW,
    windowsBehindMs: 0,
    outflowPerSecond: outflowPerSecond(steps, servingNumber, NOW),
    snapshot: { servingNumber, ...limits, ...snapshot } as SaleSnapshot,
  };
}

const estimate = (position: number, given: Given) => estimateWait(position, flowOf(saleWith(given)));

describe('outflowHistory', () => {
  const historyOf = (rates: readonly number[]) => {
    const steps = stepsOf(rates);
    return outflowHistory(steps, steps.at(-1)?.servingNumber ?? 0, NOW);
  };

  it('is the mean of the windows and how they vary', () => {
    expect(historyOf([10, 10, 10, 10])).toEqual({ windows: 4, mean: 10, deviation: 0 });
    expect(historyOf([10, 20, 30])).toEqual({ windows: 3, mean: 20, deviation: 10 });
  });

  it('looks back two minutes', () => {
    expect(historyOf([500, 500, ...Array.from({ length: 12 }, () => 10)])).toMatchObject({ windows: 12, mean: 10 });
  });

  it('says nothing before there are three windows', () => {
    expect(historyOf([10, 10])).toBeUndefined();
    expect(outflowHistory([], 0, NOW)).toBeUndefined();
  });
});

describe('the estimate of the wait', () => {
  it.each<[string, number, Given, number | null]>([
    ['nothing to wait for when admitted', 0, {}, 0],
    ['the position by the outflow, rounded up', 101, { rates: [10] }, 11],
    ["the operator's rate while nothing was measured", 100, {}, 2],
    ['the last two minutes when the last ten seconds stood still', 100, { rates: [20, 20, 20, 0] }, 7],
    ['nothing while everybody inside keeps the slots', 5, { snapshot: { inside: 400, pending: 100 } }, null],
    ['nothing while all tickets are spoken for', 5, { snapshot: { available: 10, pending: 10 } }, null],
    ['nothing when the operator lets nobody in', 5, { rates: [10, 10, 10], snapshot: { perSecond: 0 } }, null],
  ])('says %s', (_, position, given, seconds) => {
    expect(estimate(position, given).etaSeconds).toBe(seconds);
    if (seconds === null) expect(estimate(position, given).etaSecondsMax).toBeNull();
  });

  it.each(['paused', 'soldOut', 'scheduled', 'closed'] as const)('does not guess while the sale is %s', (phase) => {
    expect(estimate(5, { rates: [10, 10, 10], phase })).toEqual({ etaSeconds: null, etaSecondsMax: null });
  });

  it('has an upper end that is no less, whatever was measured', () => {
    const rates = fc.array(fc.integer({ min: 0, max: 1_000 }), { maxLength: 15 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), rates, (position, given) => {
        const { etaSeconds, etaSecondsMax } = estimate(position, { rates: given });
        if (etaSeconds === null) expect(etaSecondsMax).toBeNull();
        else expect(etaSecondsMax).toBeGreaterThanOrEqual(etaSeconds);
        expect(Number.isFinite(etaSecondsMax ?? 0)).toBe(true);
      }),
    );
  });

  it('is narrow while the outflow is steady and wide while it varies', () => {
    const steady = estimate(10_000, { rates: [50, 51, 49, 50, 50, 51, 49, 50] });
    expect(steady.etaSecondsMax).toBeLessThanOrEqual((steady.etaSeconds ?? 0) * 1.05);
    const varied = estimate(10_000, { rates: [80, 20, 50, 70, 30, 80, 20, 50] });
    expect(varied.etaSecondsMax).toBeGreaterThan((varied.etaSeconds ?? 0) * 1.2);
  });

  it('is a number for every place of a line that moves steadily', () => {
    for (const rate of [1, 0.9, 1.1, 3.3, 7.7, 50]) {
      const flow = flowOf(saleWith({ rates: [rate, rate, rate, rate] }));
      const history = { windows: 4, mean: rate, deviation: 0 };
      for (let position = 1; position < 50_000; position += 37) {
        const { etaSeconds, etaSecondsMax } = estimateWait(position, { ...flow, perSecond: rate, history });
        expect(etaSecondsMax).toBeGreaterThanOrEqual(etaSeconds ?? Number.NaN);
        expect(etaSecondsMax).toBeLessThanOrEqual((etaSeconds ?? Number.NaN) + 1);
      }
    }
  });

  it("goes by the operator's limits before there is a measurement: free slots first, then a window for each wave", () => {
    const given = { snapshot: { maxActive: 500, inside: 100, perSecond: 50, admissionMs: 60_000 } };
    expect(estimate(400, given)).toEqual({ etaSeconds: 8, etaSecondsMax: 8 });
    expect(estimate(401, given)).toEqual({ etaSeconds: 9, etaSecondsMax: 69 });
    expect(estimate(1_400, given)).toEqual({ etaSeconds: 28, etaSecondsMax: 148 });
  });

  it('goes by them too while the outflow varies too much to say anything', () => {
    const { etaSecondsMax } = estimate(900, { rates: [100, 0, 0], snapshot: { maxActive: 500, admissionMs: 60_000 } });
    expect(etaSecondsMax).toBe(Math.ceil(900 / 50 + 60));
  });

  it.each([
    [50, 5],
    [50, 20],
    [20, 8],
    [200, 60],
  ])('holds for nineteen of twenty who wait while the outflow is %i a second, give or take %i', (mean, deviation) => {
    const random = seeded(20_270_101);
    const draw = () => Math.max(0, Math.round(mean + deviation * gaussian(random)));
    const trials = Array.from({ length: 400 }, () => {
      const rates = Array.from({ length: 6 + Math.floor(random() * 7) }, draw);
      const position = Math.ceil(mean * (20 + random() * 600));
      const { etaSeconds, etaSecondsMax } = estimate(position, { rates });
      const [likely, most] = [etaSeconds ?? Number.NaN, etaSecondsMax ?? Number.NaN];
      return { isWithin: waitOf(position, draw) <= most, isUseful: most <= 3 * likely };
    });
    expect(trials.filter(({ isWithin }) => isWithin).length / trials.length).toBeGreaterThanOrEqual(0.93);
    expect(trials.filter(({ isUseful }) => isUseful).length / trials.length).toBeGreaterThan(0.95);
  });
});

/** Seconds until a position's turn, when each ten seconds have a rate of their own. */
function waitOf(position: number, drawRate: () => number): number {
  let seconds = 0;
  for (let left = position; left > 0; seconds += 10) {
    const rate = drawRate();
    if (left <= rate * 10) return seconds + left / rate;
    left -= rate * 10;
  }
  return seconds;
}

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Box and Muller's method. */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
