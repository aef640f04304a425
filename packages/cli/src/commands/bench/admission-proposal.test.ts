import { describe, expect, it } from 'vitest';
import { rehearsalStep as step } from '../../test-support/rehearsal-step.ts';
import { placesFor, proposeAdmission, type StayOptions } from './admission-proposal.ts';

const found = { kind: 'found', perSecond: 59, low: 52, high: 68, settled: true } as const;
const STAY: StayOptions = {
  insideSeconds: undefined,
  holdSeconds: 300,
  admissionSeconds: 120,
  capacity: undefined,
  neverPayShare: 0.2,
};
const steps = [step(20), step(30), step(45, { orderMs: 2_500 })];

describe('the proposal', () => {
  it('is four fifths of the lower end of the interval, and places for those who pay and those who let it be', () => {
    const orderSeconds = (1.5 + 1.5 + 2.5) / 3;
    const proposal = proposeAdmission(steps, found, STAY);
    // 10 s to come, 30 s to pay and the order for four of five; the whole hold for the fifth.
    const seconds = 10 + 0.8 * (30 + orderSeconds) + 0.2 * 300;
    expect(proposal?.secondsInside).toBeCloseTo(seconds, 6);
    expect(proposal).toMatchObject({ perSecond: 41, maxActive: placesFor(41 * seconds) });
    expect(proposal?.reckoned).toMatchObject({ comeSeconds: 10, paySeconds: 30, holdSeconds: 300, paysShare: 0.8 });
  });

  it('has room for the moments in which more are inside than on average, as Poisson has them', () => {
    expect(placesFor(810)).toBe(896);
    expect(placesFor(4)).toBe(10);
  });

  it('goes by the holds of the real sale, not by those of the rehearsal', () => {
    const places = (holdSeconds: number) => proposeAdmission(steps, found, { ...STAY, holdSeconds })?.maxActive ?? 0;
    expect(places(600)).toBeGreaterThan(1.5 * places(300));
    // Nobody pays longer than the hold lasts.
    expect(proposeAdmission(steps, found, { ...STAY, holdSeconds: 20 })?.reckoned?.paySeconds).toBe(20);
    expect(proposeAdmission(steps, found, { ...STAY, admissionSeconds: 5 })?.reckoned?.comeSeconds).toBe(5);
  });

  it('is the same however long the steps were: who let tickets be in them is not counted', () => {
    const long = steps.map((one) => ({ ...one, active: (one.active ?? 0) * 20 }));
    expect(proposeAdmission(long, found, STAY)).toEqual(proposeAdmission(steps, found, STAY));
  });

  it('does not count steps that bent, nor the one that warmed up', () => {
    const slow = { orderMs: 60_000 } as const;
    const more = [step(20, { ...slow, part: 'warmUp' }), ...steps, step(68, { ...slow, p95Ms: { hold: 400 } })];
    expect(proposeAdmission(more, found, STAY)).toEqual(proposeAdmission(steps, found, STAY));
    expect(proposeAdmission([...steps, step(50, slow)], found, STAY)?.secondsInside).toBeGreaterThan(100);
  });

  it('goes by what somebody says who knows how long people are inside', () => {
    const proposal = proposeAdmission([step(20, { orderMs: null })], found, { ...STAY, insideSeconds: 90 });
    expect(proposal).toEqual({ perSecond: 41, maxActive: placesFor(41 * 90), secondsInside: 90, reckoned: null });
  });

  it('has no more places than the sale has tickets', () => {
    expect(proposeAdmission(steps, found, { ...STAY, capacity: 200 })?.maxActive).toBe(200);
  });

  it('is made from the largest rate that held where nothing bent', () => {
    expect(proposeAdmission(steps, { kind: 'beyond', perSecond: 45, low: 40 }, STAY)?.perSecond).toBe(32);
  });

  it('is none where nothing held, or nobody bought', () => {
    expect(proposeAdmission(steps, { kind: 'below', perSecond: 20, why: '' }, STAY)).toBeUndefined();
    expect(proposeAdmission([step(20, { orderMs: null, purchases: 0 })], found, STAY)).toBeUndefined();
  });
});
