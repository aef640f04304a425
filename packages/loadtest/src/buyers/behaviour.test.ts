import { describe, expect, it } from 'vitest';
import { DEFAULT_BEHAVIOUR, planBuyer } from './behaviour.ts';
import { createRandom, drawIndex } from './random.ts';

const BUYERS = 20_000;

function plans(seed: string, behaviour = DEFAULT_BEHAVIOUR, overMs = 10_000) {
  return Array.from({ length: BUYERS }, (_, index) => planBuyer(seed, index, behaviour, overMs));
}

describe('planBuyer', () => {
  it('gives the same buyers for the same seed, and others for another', () => {
    expect(plans('a')).toEqual(plans('a'));
    expect(plans('a')).not.toEqual(plans('b'));
  });

  it('meets the shares and weights it was given', () => {
    const behaviour = { ...DEFAULT_BEHAVIOUR, neverHoldShare: 0.2, neverPayShare: 0.1, quantityWeights: [1, 0, 3] };
    const all = plans('shares', behaviour);
    const share = (count: number) => count / BUYERS;
    expect(share(all.filter((plan) => !plan.holds).length)).toBeCloseTo(0.2, 1);
    expect(share(all.filter((plan) => !plan.pays).length)).toBeCloseTo(0.1, 1);
    expect(share(all.filter((plan) => plan.quantity === 3).length)).toBeCloseTo(0.75, 1);
    expect(all.some((plan) => plan.quantity === 2)).toBe(false);
  });

  it('has buyers who give up at the first decline and buyers who try as often as they may', () => {
    const attempts = new Set(plans('attempts').map(({ paymentAttempts }) => paymentAttempts));
    expect([...attempts].sort()).toEqual([1, 2, 3]);
  });

  it('leaves the other decisions of a buyer as they were when one share changes', () => {
    const before = plans('stable');
    const after = plans('stable', { ...DEFAULT_BEHAVIOUR, neverPayShare: 0.9 });
    expect(after.map(({ quantity, holds }) => [quantity, holds])).toEqual(
      before.map(({ quantity, holds }) => [quantity, holds]),
    );
  });

  it('spreads arrivals over the time given, and lets all come at once with 0', () => {
    const arrivals = plans('arrivals').map(({ arriveAfterMs }) => arriveAfterMs);
    expect(Math.max(...arrivals)).toBeLessThan(10_000);
    expect(arrivals.filter((at) => at < 5_000).length / BUYERS).toBeCloseTo(0.5, 1);
    expect(new Set(plans('arrivals', DEFAULT_BEHAVIOUR, 0).map(({ arriveAfterMs }) => arriveAfterMs))).toEqual(
      new Set([0]),
    );
  });
});

describe('drawIndex', () => {
  it('refuses weights that leave nothing to choose', () => {
    expect(() => drawIndex(createRandom('x'), [0, 0])).toThrow(RangeError);
  });
});
