import { describe, expect, it } from 'vitest';
import { estimateKnee, type Probe } from './knee-estimate.ts';

const RANGE = { from: 20, to: 500 };
const held = (...rates: readonly number[]): Probe[] => rates.map((perSecond) => ({ perSecond, bent: false }));
const bent = (...rates: readonly number[]): Probe[] => rates.map((perSecond) => ({ perSecond, bent: true }));

describe('the estimate of a knee', () => {
  it('knows nothing without steps: everything is as likely as anything', () => {
    const { low, median, high } = estimateKnee([], RANGE);
    expect(median).toBeCloseTo(100, -1);
    expect([low, high]).toEqual([expect.closeTo(16, 0), expect.closeTo(613, -2)]);
  });

  it('lies between what held and what bent, and gets narrower with every step', () => {
    const few = estimateKnee([...held(60, 70), ...bent(100, 90)], RANGE);
    expect(few.median).toBeGreaterThan(70);
    expect(few.median).toBeLessThan(90);
    const many = estimateKnee([...held(60, 70, 76, 78, 77), ...bent(100, 90, 84, 82, 83)], RANGE);
    expect(many.high / many.low).toBeLessThan(few.high / few.low);
    expect(many.median).toBeCloseTo(80, -1);
  });

  it('is not moved by one bend far below what holds', () => {
    const without = estimateKnee([...held(60, 70, 80, 85), ...bent(100, 95)], RANGE);
    const hiccup = estimateKnee([...held(60, 70, 80, 85), ...bent(100, 95, 30)], RANGE);
    expect(hiccup.median / without.median).toBeCloseTo(1, 1);
  });

  it('is wide where steps at the same rate held and bent', () => {
    const sharp = estimateKnee([...held(70, 70, 70), ...bent(80, 80, 80)], RANGE);
    const vague = estimateKnee([...held(70, 80, 95), ...bent(60, 70, 80)], RANGE);
    expect(vague.high / vague.low).toBeGreaterThan(sharp.high / sharp.low);
  });

  it('says how likely the knee is beyond what may be tried', () => {
    expect(estimateKnee(held(500, 500, 500), RANGE).beyondTo).toBeGreaterThan(0.9);
    expect(estimateKnee(bent(20, 20, 20), RANGE).belowFrom).toBeGreaterThan(0.9);
    const inside = estimateKnee([...held(60), ...bent(120)], RANGE);
    expect(inside.beyondTo + inside.belowFrom).toBeLessThan(0.1);
  });
});
