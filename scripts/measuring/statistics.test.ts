import { createRandom } from '@fest/loadtest/buyers/random';
import { describe, expect, test } from 'vitest';
import {
  differencesOf,
  halvesOf,
  medianInterval,
  medianOf,
  noiseOf,
  PooledPhases,
  quotientsOf,
  tailOf,
} from './statistics.ts';

const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('quantiles', () => {
  test('are by nearest rank', () => {
    expect(new PooledPhases([oneTo(1_000)]).quantiles()).toEqual({ p50: 500, p90: 900, p99: 990, p999: 999 });
    expect(new PooledPhases([oneTo(100)]).quantiles()).toMatchObject({ p99: 99, p999: 100 });
    expect(new PooledPhases([[7]]).quantiles()).toEqual({ p50: 7, p90: 7, p99: 7, p999: 7 });
  });

  test('of a selection of phases are those of a pool of just these, each as often as it is taken', () => {
    const random = createRandom('selection');
    const phases = oneTo(5).map((phase) => Array.from({ length: 40 + phase }, () => random() * phase));
    const pool = new PooledPhases(phases);
    for (const timesTaken of [
      [1, 1, 1, 1, 1],
      [0, 3, 0, 1, 1],
      [5, 0, 0, 0, 0],
    ]) {
      const written = phases.flatMap((phase, index) =>
        Array.from({ length: timesTaken[index] ?? 0 }, () => phase).flat(),
      );
      expect(pool.quantiles(timesTaken)).toEqual(new PooledPhases([written]).quantiles());
    }
  });

  test('a failed order took longer than any other', () => {
    const pool = new PooledPhases([[...oneTo(98), Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]]);
    expect(pool.quantiles()).toMatchObject({ p50: 50, p90: 90, p99: Number.POSITIVE_INFINITY });
    expect(pool.max).toBe(Number.POSITIVE_INFINITY);
  });

  test('of nothing are unknown', () => {
    expect(new PooledPhases([]).quantiles().p50).toBeNaN();
  });
});

/** Standard normal. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Phases with a common level each: what one phase has in common is what the bootstrap must not take for many observations. */
function simulate(random: () => number, pairs: number, effect: number) {
  const phase = (shift: number): number[] => {
    const level = 10 + shift + normal(random);
    return Array.from({ length: 8 }, () => level + 0.3 * normal(random));
  };
  return { first: oneTo(pairs).map(() => phase(0)), second: oneTo(pairs).map(() => phase(effect)) };
}

describe('differences', () => {
  test('have the sign of what the second arm takes more', () => {
    const { first, second } = simulate(createRandom('sign'), 12, 6);
    const { p50 } = differencesOf(first, second, createRandom('bootstrap'), 2_000);
    expect(p50.estimate).toBeCloseTo(6, -0.5);
    expect(p50.low).toBeGreaterThan(0);
    expect(p50.low).toBeLessThan(p50.estimate);
    expect(p50.high).toBeGreaterThan(p50.estimate);
  });

  // A 95 % interval misses the truth in 1 of 20 runs. The plain bootstrap of six pairs does so in 1 of 11.
  test('have an interval that contains the truth as often as it says', () => {
    const runs = 300;
    let contained = 0;
    for (let run = 0; run < runs; run += 1) {
      const { first, second } = simulate(createRandom(`run ${run}`), 6, 2);
      const { low, high } = differencesOf(first, second, createRandom('bootstrap'), 800).p50;
      if (low <= 2 && 2 <= high) contained += 1;
    }
    expect(contained / runs).toBeGreaterThan(0.93);
    expect(contained / runs).toBeLessThan(0.99);
  }, 60_000);

  test('of the same latencies are the same', () => {
    const { first, second } = simulate(createRandom('again'), 6, 1);
    const once = differencesOf(first, second, createRandom('seed'), 500);
    expect(differencesOf(first, second, createRandom('seed'), 500)).toEqual(once);
  });
});

test('the tail of the interval is that of the corrected bootstrap, and 2.5 % with many pairs', () => {
  // Φ(−√(6/5) · 2.5706) and Φ(−√(10/9) · 2.2622), from tables.
  expect(tailOf(6)).toBeCloseTo(0.00243, 4);
  expect(tailOf(10)).toBeCloseTo(0.00855, 4);
  expect(tailOf(10_000)).toBeCloseTo(0.025, 4);
});

describe('splitting into halves', () => {
  test.each([
    [2, 1],
    [3, 3],
    [4, 3],
    [5, 10],
    [6, 10],
    [12, 462],
  ])('%i phases: every way once', (count, ways) => {
    const halves = halvesOf(count, createRandom('halves'));
    expect(new Set(halves.map((half) => half.map(Number).join(''))).size).toBe(ways);
    expect(halves).toHaveLength(ways);
    for (const half of halves) expect(half.filter(Boolean)).toHaveLength(Math.floor(count / 2));
  });

  test('of many phases: some of the ways', () => {
    const halves = halvesOf(40, createRandom('halves'));
    expect(halves).toHaveLength(500);
    for (const half of halves) expect(half.filter(Boolean)).toHaveLength(20);
  });
});

describe('noise', () => {
  test('is nothing between phases that are alike', () => {
    const phases = oneTo(6).map(() => oneTo(100));
    expect(noiseOf(phases, createRandom('noise'))).toEqual({ p50: 0, p90: 0, p99: 0, p999: 0 });
  });

  test('is the difference of two phases as a share of their mean', () => {
    const { p50 } = noiseOf([oneTo(100), oneTo(100).map((value) => value * 1.5)], createRandom('noise'));
    expect(p50).toBeCloseTo(25 / 62.5, 10);
  });
});

describe('medians of ratios', () => {
  test('are in the middle, whatever the order', () => {
    expect(medianOf([3, 1, 2])).toBe(2);
    expect(medianOf([4, 1, 3, 2])).toBe(2.5);
    expect(medianOf([])).toBeNaN();
  });

  test('have an interval that contains the truth as often as it says', () => {
    const random = createRandom('medians');
    // A sum of twelve uniform numbers is close to normal.
    const normal = (): number => oneTo(12).reduce((sum) => sum + random(), -6);
    const covered = oneTo(300).filter(() => {
      const { low, high } = medianInterval(
        oneTo(10).map(() => 0.9 + 0.05 * normal()),
        random,
        300,
      );
      return low <= 0.9 && high >= 0.9;
    });
    expect(covered.length / 300).toBeGreaterThan(0.93);
  });

  test('of a spike in one of ten pairs say what the others say', () => {
    expect(medianInterval([...Array.from({ length: 9 }, () => 0.8), 4], createRandom('spike'), 500).estimate).toBe(0.8);
  });
});

test('quotients say how many times as long the second arm takes', () => {
  const phases = [oneTo(100), oneTo(100), oneTo(100)];
  const doubled = phases.map((phase) => phase.map((value) => 2 * value));
  expect(quotientsOf(phases, doubled, createRandom('quotients'), 200).p99).toEqual({ estimate: 2, low: 2, high: 2 });
});
