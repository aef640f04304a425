import { createRandom, type Random } from '@fest/loadtest/buyers/random';
import { describe, expect, it } from 'vitest';
import { rehearsalStep as step } from '../../test-support/rehearsal-step.ts';
import type { RehearsalStep } from './knee.ts';
import { arrivalsAtMost, type Knee, nextStep, type RehearsalBounds } from './knee-search.ts';

const BOUNDS: RehearsalBounds = { from: 20, to: 500, steps: 24 };

/** Rehearses servers of which it is decided for each step, counted from 1, whether it bends. */
function rehearse(bounds: RehearsalBounds, bends: (perSecond: number, number: number) => boolean) {
  const steps: RehearsalStep[] = [];
  for (;;) {
    const next = nextStep(steps, bounds);
    if (next.kind === 'done') return { steps, knee: next.knee, rates: steps.map(({ perSecond }) => perSecond) };
    const { perSecond, part } = next;
    const hold = bends(perSecond, steps.length + 1) ? 500 : 20;
    steps.push(step(perSecond, { part, p95Ms: { hold } }));
    if (steps.length > bounds.steps) throw new Error('it has no end');
  }
}

function found(knee: Knee) {
  if (knee.kind !== 'found') throw new Error(`${knee.kind}: ${knee.perSecond}`);
  return knee;
}

/** Of mean 0 and deviation 1 (Box and Muller). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Servers on a machine that is never quite the same: the knee differs by a few per cent, and there are hiccups. */
function noisy(knee: number, seed: string, { spread = 0.05, hiccups = 0.05 } = {}) {
  const random = createRandom(seed);
  return (perSecond: number): boolean => {
    const [jolt, now] = [random() < hiccups, knee * Math.exp(spread * normal(random))];
    return jolt || perSecond > now;
  };
}

describe('a rehearsal', () => {
  it('warms up, climbs by half until it bends twice, and then stays around the knee', () => {
    const { steps, rates, knee } = rehearse(BOUNDS, (rate) => rate > 60);
    expect(steps.map(({ part }) => part).slice(0, 7)).toEqual([
      'warmUp',
      ...Array.from({ length: 5 }, () => 'climb'),
      'search',
    ]);
    expect(rates.slice(0, 6)).toEqual([20, 20, 30, 45, 68, 68]);
    for (const rate of rates.slice(6)) expect(Math.abs(Math.log(rate / 60))).toBeLessThan(Math.log(1.35));
    const { low, high, perSecond } = found(knee);
    expect(low).toBeLessThanOrEqual(60);
    expect(high).toBeGreaterThanOrEqual(60);
    expect(Math.abs(perSecond / 60 - 1)).toBeLessThan(0.1);
  });

  it('does not take a hiccup for the knee: what bends once and holds then is climbed over', () => {
    const { rates, knee } = rehearse(BOUNDS, (rate, number) => number === 4 || rate > 200);
    expect(rates.slice(0, 6)).toEqual([20, 20, 30, 45, 45, 68]);
    expect(Math.abs(found(knee).perSecond / 200 - 1)).toBeLessThan(0.15);
  });

  it('goes up again when two hiccups in a row have ended the climb', () => {
    const { rates, knee } = rehearse(BOUNDS, (rate, number) => number === 4 || number === 5 || rate > 150);
    expect(rates.slice(0, 5)).toEqual([20, 20, 30, 45, 45]);
    expect(Math.max(...rates)).toBeGreaterThan(100);
    const { low, high } = found(knee);
    expect(low).toBeGreaterThan(68);
    expect(high).toBeGreaterThan(120);
  });

  it('never tries more than half above what has held', () => {
    for (const seed of ['a', 'b', 'c', 'd', 'e']) {
      const { steps } = rehearse(BOUNDS, noisy(120, seed, { hiccups: 0.15 }));
      for (const [index, { perSecond }] of steps.entries()) {
        const held = steps.slice(0, index).filter(({ p95Ms }) => p95Ms.hold === 20);
        expect(perSecond).toBeLessThanOrEqual(
          Math.ceil(1.5 * Math.max(BOUNDS.from, ...held.map((one) => one.perSecond))),
        );
      }
    }
  });

  it('ends where it may go no further, and says so', () => {
    const { rates, knee } = rehearse({ ...BOUNDS, to: 100 }, () => false);
    expect(rates).toEqual([20, 20, 30, 45, 68, 100]);
    expect(knee).toEqual({ kind: 'beyond', perSecond: 100, low: expect.any(Number) });
  });

  it('builds on no single step that held at the largest rate', () => {
    const { knee } = rehearse({ ...BOUNDS, to: 100 }, () => false);
    if (knee.kind !== 'beyond') throw new Error(knee.kind);
    expect(knee.low).toBeGreaterThan(60);
    expect(knee.low).toBeLessThan(100);
    // It bends there for the first time, and holds when it is repeated.
    const once = rehearse({ ...BOUNDS, to: 100 }, (rate, number) => rate === 100 && number === 6);
    expect(once.steps.length).toBeGreaterThan(7);
  });

  it('ends when the first rate bent three times in a row, and not for a hiccup or two', () => {
    const { rates, knee } = rehearse(BOUNDS, () => true);
    expect(rates).toEqual([20, 20, 20, 20]);
    expect(knee).toMatchObject({ kind: 'below', perSecond: 20, why: expect.stringContaining('p95 of hold') });
    expect(rehearse(BOUNDS, (rate, number) => number === 2 || number === 3 || rate > 100).knee.kind).toBe('found');
  });

  it('does not judge the step that warms up', () => {
    const { knee } = rehearse(BOUNDS, (rate, number) => number === 1 || rate > 100);
    expect(found(knee).perSecond).toBeGreaterThan(85);
  });

  it('tells what it knows when steps or time are used up, and that it is not all', () => {
    const { knee, steps } = rehearse({ ...BOUNDS, steps: 7 }, (rate) => rate > 60);
    expect(steps).toHaveLength(7);
    expect(knee).toMatchObject({ kind: 'found', settled: false });
    expect(nextStep([step(20, { part: 'warmUp' }), step(20), step(30)], BOUNDS, true)).toEqual({
      kind: 'done',
      knee: { kind: 'beyond', perSecond: 30, low: expect.any(Number) },
    });
  });

  it('adds up to no more than it says beforehand', () => {
    for (const [knee, seed] of [
      [60, 'a'],
      [180, 'b'],
      [480, 'c'],
      [9_999, 'd'],
    ] as const) {
      const { rates } = rehearse(BOUNDS, noisy(knee, seed));
      expect(10 * rates.reduce((sum, rate) => sum + rate, 0)).toBeLessThanOrEqual(arrivalsAtMost(BOUNDS, 10));
    }
  });
});

describe('rehearsals of servers with noise and hiccups', () => {
  const SEEDS = Array.from({ length: 40 }, (_, index) => `server ${index}`);

  it.each([33, 77, 140, 320])('find a knee of %i, and have it in their interval as often as they say', (truth) => {
    const knees = SEEDS.map((seed) => found(rehearse(BOUNDS, noisy(truth, `${seed} ${truth}`)).knee));
    const hits = knees.filter(({ low, high }) => low <= truth && truth <= high).length;
    expect(hits / SEEDS.length).toBeGreaterThanOrEqual(0.9);
    const far = knees.filter(({ perSecond }) => Math.abs(perSecond / truth - 1) > 0.1).length;
    expect(far / SEEDS.length).toBeLessThanOrEqual(0.05);
  });

  it('agree within 10 %, two by two, in nine cases of ten', () => {
    const apart = SEEDS.map((seed) => {
      const [one, other] = ['first', 'second'].map((time) =>
        found(rehearse(BOUNDS, noisy(110, `${seed} ${time}`)).knee),
      );
      return Math.abs(Math.log((one?.perSecond ?? 1) / (other?.perSecond ?? 2)));
    });
    expect(apart.filter((each) => each <= Math.log(1.1)).length / SEEDS.length).toBeGreaterThanOrEqual(0.9);
  });

  it('need fewer steps than there are', () => {
    const counts = SEEDS.map((seed) => rehearse(BOUNDS, noisy(110, seed)).steps.length).toSorted((a, b) => a - b);
    expect(counts[SEEDS.length / 2]).toBeLessThanOrEqual(20);
  });
});
