import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AdmissionStep, SaleSnapshot } from '../../redis/scripts/sale-state.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import { estimateWait, flowOf, outflowHistory, outflowOf, secondsToAskWithin } from './wait-estimate.ts';
import { pollAfterMs } from './waiting-room.ts';

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

/** Nothing has expired, and the windows have never stood still. */
const MOVING = { expiredThrough: 0, windowsStoppedMs: 0, windowsStoppedAtMs: 0 };

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
    snapshot: { servingNumber, ...MOVING, ...limits, ...snapshot } as SaleSnapshot,
  };
}

const estimate = (position: number, given: Given) => estimateWait(position, flowOf(saleWith(given)), NOW);

/** What somebody at this position is told to wait before the next question, milliseconds. */
function intervalOf(position: number, given: Given, nowMs = NOW): number {
  const sale = saleWith(given);
  const flow = flowOf(sale);
  const seconds = secondsToAskWithin(position, estimateWait(position, flow, nowMs), flow, nowMs);
  return pollAfterMs(seconds, position, sale.snapshot);
}

describe('the outflow', () => {
  it('is as of the last whole second, whenever a server looks', () => {
    const sale = saleWith({ rates: [20] });
    expect(outflowOf(sale, NOW)).toBe(20);
    expect(outflowOf(sale, NOW + 999)).toBe(20);
    expect(outflowOf(sale, NOW + 1_000)).toBe(18);
    expect(outflowOf(sale, NOW - 1)).toBe(20);
  });

  it('stays as it was while the windows stand still, on servers that read the sale at different moments', () => {
    const stopped = { windowsStoppedMs: 3_000, windowsStoppedAtMs: NOW + 2_500 };
    const readAt = (readAtMs: number): LiveSale => {
      const windowsBehindMs = 3_000 + readAtMs - stopped.windowsStoppedAtMs;
      const sale = saleWith({ rates: [20], snapshot: stopped });
      // As Redis has them, and moved as a reading moves them.
      const steps = sale.steps.map(({ servingNumber, atMs }) => ({
        servingNumber,
        atMs: atMs - 3_000 + windowsBehindMs,
      }));
      return { ...sale, steps, readAtMs, windowsBehindMs };
    };
    for (const readAtMs of [2_600, 3_300, 3_999, 70_123])
      expect(outflowOf(readAt(NOW + readAtMs), NOW + 71_000)).toBe(16);
  });
});

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

  it.each(['paused', 'soldOut', 'closed'] as const)('does not guess while the sale is %s', (phase) => {
    expect(estimate(5, { rates: [10, 10, 10], phase })).toEqual({ etaSeconds: null, etaSecondsMax: null });
  });

  it.each([
    ['what the default allows, before the controller has decided anything', 0, 2_000],
    ['what the controller allows', 200, 500],
    ["no more than the operator's rate", 20_000, 10],
  ])('goes in mode auto by %s', (_, ratePerSecond, etaSeconds) => {
    const snapshot = {
      mode: 'auto',
      perSecond: 10_000,
      maxActive: 1_000_000,
      available: 1_000_000,
      ratePerSecond,
    } as const;
    expect(estimate(100_000, { snapshot })).toEqual({ etaSeconds, etaSecondsMax: etaSeconds });
    expect(intervalOf(100_000, { snapshot })).toBeGreaterThan(etaSeconds === 10 ? 900 : 25_000);
  });

  it('counts before the opening from the opening', () => {
    const given: Given = { phase: 'scheduled', snapshot: { opensAtMs: NOW + 90_500, perSecond: 50 } };
    expect(estimate(100, given)).toEqual({ etaSeconds: 93, etaSecondsMax: 93 });
    expect(estimate(1, given)).toEqual({ etaSeconds: 91, etaSecondsMax: 91 });
    // One wave more than there are slots.
    expect(estimate(501, given)).toEqual({ etaSeconds: 101, etaSecondsMax: 221 });
    expect(estimateWait(100, flowOf(saleWith(given)), NOW + 80_500)).toMatchObject({ etaSeconds: 12 });
    expect(estimate(100, { ...given, snapshot: { ...given.snapshot, perSecond: 0 } }).etaSeconds).toBeNull();
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
        const { etaSeconds, etaSecondsMax } = estimateWait(position, { ...flow, perSecond: rate, history }, NOW);
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

describe('the interval between polls', () => {
  const MANY = 1_000_000;
  const RATES = [500, 500, 500, 500];

  it.each(['paused', 'soldOut'] as const)('is no shorter while the sale is %s than before', (phase) => {
    for (const position of [1, 500, 20_000, 100_000, MANY]) {
      expect(intervalOf(position, { rates: RATES, phase })).toBe(intervalOf(position, { rates: RATES }));
    }
    expect(intervalOf(100_000, { rates: RATES, phase })).toBe(20_000);
  });

  it.each<[string, Given]>([
    ['paused before anybody was admitted', { phase: 'paused' }],
    ['opened with nobody let in', { snapshot: { perSecond: 0 } }],
    ['full, and nobody leaves', { snapshot: { inside: 500 } }],
    ['not open yet, with nobody to be let in', { phase: 'scheduled', snapshot: { perSecond: 0, opensAtMs: NOW } }],
  ])('grows with the position too in a sale that is %s', (_, given) => {
    const intervals = [1, 50, 100, 1_000].map((position) => intervalOf(position, given));
    expect(intervals).toEqual([1_000, 1_200, 2_400, 24_000]);
    expect(intervalOf(MANY, given)).toBeGreaterThanOrEqual(27_000);
  });

  it('is the longest once the sale is closed, wherever somebody stood', () => {
    for (const position of [1, MANY]) expect(intervalOf(position, { phase: 'closed' })).toBe(30_000);
  });
});

describe('a crowd that waits for the opening and asks as told', () => {
  const PEOPLE = 20_000;
  const PER_SECOND = 50;
  const OPENS_MS = NOW + 30 * 60_000;
  const snapshot = { opensAtMs: OPENS_MS, perSecond: PER_SECOND, maxActive: PEOPLE, available: PEOPLE };

  /** When each asks, in the order of the line: everybody joined within five seconds, half an hour before. */
  function* questions(position: number): Iterable<number> {
    for (let atMs = NOW + (position / PEOPLE) * 5_000; atMs < OPENS_MS + 60_000; ) {
      yield atMs;
      const isOpen = atMs >= OPENS_MS;
      const left = isOpen ? position - ((atMs - OPENS_MS) / 1000) * PER_SECOND : position;
      if (left <= 0) return;
      // Rates are not measured in the first minute.
      atMs += intervalOf(Math.ceil(left), { phase: isOpen ? 'open' : 'scheduled', snapshot }, atMs);
    }
  }

  it('is spread over the seconds, and notices the opening and its turn in time', () => {
    const perSecond = new Map<number, number>();
    let noticedLate = 0;
    for (let position = 1; position <= PEOPLE; position += 1) {
      const turnMs = OPENS_MS + (position / PER_SECOND) * 1_000;
      let noticedMs = 0;
      for (const atMs of questions(position)) {
        const second = Math.floor(atMs / 1_000);
        perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
        if (noticedMs === 0 && atMs >= turnMs) noticedMs = atMs;
      }
      if (turnMs < OPENS_MS + 50_000 && (noticedMs === 0 || noticedMs - turnMs > 6_000)) noticedLate += 1;
    }
    expect(noticedLate).toBe(0);
    const around = [...perSecond].filter(([second]) => Math.abs(second * 1_000 - OPENS_MS) < 60_000);
    // A thousand a second is everybody every thirty seconds; those near the front ask more often, at any time of a sale.
    const mean = around.reduce((sum, [, count]) => sum + count, 0) / around.length;
    expect(mean).toBeLessThan(4 * (PEOPLE / 30));
    expect(Math.max(...around.map(([, count]) => count))).toBeLessThan(1.5 * mean);
  }, 60_000);
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
