import { describe, expect, test } from 'vitest';
import { admissionState } from '../../test-support/admission-state.ts';
import { forecast, observedStaySeconds, planAdmission, planPhase } from './plan.ts';

const state = admissionState();
const fixed = (perSecond: number, maxActive = 1_000) => ({ mode: 'fixed', perSecond, maxActive }) as const;

const AUTO = { mode: 'auto', perSecond: 10_000, maxActive: 100_000 } as const;
const estimate = ([low, likely, high]: readonly [number, number | null, number]) => ({ low, likely, high });

describe('how the line moves', () => {
  test.each([
    [
      'as places come free so far, at best by the rate, at worst by places that are kept',
      {},
      fixed(500),
      [2.5, 250, 500],
      [12, 24, 2_400],
    ],
    ['likely at the rate while there are places', {}, fixed(100), [2.5, 100, 100], [60, 60, 2_400]],
    [
      'who knows how while nobody is inside',
      { active: 0, outflowPerSecond: 0 },
      fixed(1_000),
      [2.5, null, 1_000],
      [6, null, 2_400],
    ],
    ['steadily where there are places for all', {}, fixed(50, 1_000_000), [50, 50, 50], [120, 120, 120]],
    ['in auto likely as the servers let it now', { ratePerSecond: 20 }, AUTO, [20, 20, 10_000], [0.6, 300, 300]],
    [
      'in auto by its bound before anything was decided',
      { ratePerSecond: 0 },
      AUTO,
      [250, 10_000, 10_000],
      [0.6, 0.6, 24],
    ],
    ['at worst no slower than buyers did so far', { active: 30_000 }, fixed(50), [2.5, 2.5, 50], [120, 2_400, 2_400]],
    ['at once when nobody waits', { waiting: 0 }, fixed(50), [2.5, 50, 50], [0, 0, 0]],
  ] as const)('%s', (_, differs, admission, rate, drain) => {
    const { admittedPerSecond, drainSeconds } = forecast({ ...state, ...differs }, 'open', admission);
    expect(admittedPerSecond).toEqual(estimate(rate));
    expect(drainSeconds).toEqual(estimate(drain));
  });

  test.each([
    ['paused', state, fixed(50)],
    ['closed', state, fixed(50)],
    ['scheduled', state, fixed(50)],
    ['open', { ...state, available: 0 }, fixed(50)],
    ['open', state, fixed(0)],
  ] as const)('stands while the sale is %s (%#)', (phase, given, admission) => {
    expect(forecast(given, phase, admission)).toMatchObject({ drainSeconds: null, holdsPerSecond: { high: 0 } });
  });

  test('sells out only when those who wait can take what is left', () => {
    expect(forecast(state, 'open', fixed(50)).sellOutSeconds).toEqual(estimate([5, null, 400]));
    expect(forecast({ ...state, waiting: 249 }, 'open', fixed(50)).sellOutSeconds).toBeNull();
  });
});

test('how long buyers stay is what is inside by what comes in, once anybody is', () => {
  expect(observedStaySeconds(state)).toBe(4);
  expect(observedStaySeconds({ ...state, active: 0 })).toBeUndefined();
  expect(observedStaySeconds({ ...state, outflowPerSecond: 0 })).toBeUndefined();
});

describe('a plan', () => {
  test('for a rate says both sides, and the load beside what is admitted now', () => {
    const plan = planAdmission(state, fixed(100));
    expect(plan).toMatchObject({
      from: fixed(50),
      to: fixed(100),
      before: { drainSeconds: { likely: 120 }, holdsPerSecond: { likely: 40 } },
      after: { drainSeconds: { likely: 60 }, holdsPerSecond: { likely: 80 }, paymentsPerSecond: { likely: 80 } },
      loadShare: estimate([0.05, 2, 2]),
      unknown: ['who joins or leaves the line meanwhile, and how many tickets each buyer takes'],
    });
  });

  test('names what it does not know', () => {
    const blind = { ...state, active: 0, outflowPerSecond: 0, showRate: null };
    const { unknown, loadShare } = planAdmission(blind, { ...fixed(100), mode: 'auto' });
    expect(unknown).toHaveLength(4);
    expect(loadShare).toBeNull();
  });

  test('for a pause stands still and loads nothing', () => {
    const plan = planPhase(state, 'paused');
    expect(plan).toMatchObject({ from: { phase: 'open' }, to: { phase: 'paused' }, loadShare: { likely: 0, high: 0 } });
    expect(plan.after.drainSeconds).toBeNull();
    expect(plan.unknown).toEqual([]);
  });

  test('for a resume goes on as the admission allows', () => {
    const plan = planPhase({ ...state, phase: 'paused' }, 'open');
    expect(plan.before.drainSeconds).toBeNull();
    expect(plan.after.drainSeconds).toEqual(estimate([120, 120, 2_400]));
  });
});
