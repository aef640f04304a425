import type { SaleFigures, TimelineRow } from '@fest/loadtest/bench/result';
import { describe, expect, it } from 'vitest';
import { ENDPOINT, LATENCIES, TOTALS } from '../../test-support/bench-facts.ts';
import { describeStep, rehearsalLoad, type StepFacts } from './rehearsal-load.ts';

describe('a step of a rehearsal', () => {
  it('has a ticket for everybody who comes, and lets everybody in at once', () => {
    const { load, sale, buyers, behaviour } = rehearsalLoad(40, 10);
    expect(load).toMatchObject({ kind: 'arrivals', startPerSecond: 40, stages: [{ perSecond: 40, seconds: 10 }] });
    expect(buyers).toBe(400);
    expect(sale.capacity).toBeGreaterThanOrEqual(buyers * sale.limitPerBuyer);
    expect(sale.admission).toEqual({ mode: 'fixed', perSecond: 10_000, maxActive: 1_000_000 });
    expect(behaviour).toEqual({ neverHoldShare: 0.2, neverPayShare: 0.2 });
  });

  const row = (active: number | null): TimelineRow =>
    ({ seconds: 1, cpu: null, sale: active === null ? null : ({ active } as SaleFigures) }) as TimelineRow;
  const sale = { capacity: 500, stock: { available: 400, held: 0, sold: 100 }, liveTickets: 100 };
  const facts: StepFacts = {
    perSecond: 40,
    part: 'search',
    due: 203,
    timeline: [1, 20, 30, null, 40, 50, 3, 2].map(row),
    died: [],
    run: {
      totals: {
        ...TOTALS,
        unexpected: 2,
        refused: { overloaded: 3, sold_out: 9 },
        timeToOrder: { ...LATENCIES, meanMs: 1_500 },
        outcomes: { bought: 90, neverHeld: 50, neverPaid: 40, declined: 12, gaveUp: 5, failed: 3 },
      },
      endpoints: [
        { ...ENDPOINT, endpoint: 'poll' as const, p95Ms: 8 },
        { ...ENDPOINT, endpoint: 'hold' as const, p95Ms: 31 },
        { ...ENDPOINT, endpoint: 'pay' as const, p95Ms: 12, meanMs: 7 },
        { ...ENDPOINT, endpoint: 'festivals' as const, p95Ms: 900 },
      ],
      thresholds: [],
      faults: [],
    },
    afterwards: { audit: { status: 'clean', reasons: [] }, sale },
  };

  it('counts failures and overload, visits that came to nothing, latencies of a purchase, and who is inside in its middle', () => {
    expect(describeStep(facts)).toEqual({
      perSecond: 40,
      due: 203,
      part: 'search',
      arrivals: 200,
      dropped: 0,
      // That ended otherwise than meant; three that were due never began, as k6 has it on a busy machine.
      lost: 8,
      requests: 1_000,
      errors: 5,
      purchases: 90,
      p95Ms: { poll: 8, hold: 31, pay: 12 },
      orderMs: 1_507,
      active: 40,
      faults: [],
      starved: null,
    });
  });

  it('counts visits that k6 cut off when it says that there were some', () => {
    const thresholds = [{ metric: 'visits_cut_off', expression: 'count==0', passed: false }];
    const { lost, faults } = describeStep({ ...facts, run: { ...facts.run, thresholds } });
    expect([lost, faults]).toEqual([11, []]);
  });

  const codesOf = (change: Partial<StepFacts>): readonly string[] =>
    describeStep({ ...facts, ...change }).faults.map(({ code }) => code);

  it('is at fault when a process ended, or k6 did: that is no question of speed', () => {
    expect(describeStep({ ...facts, died: ['redis ended.'] }).faults).toEqual([
      { code: 'serverDied', message: 'redis ended.' },
    ]);
    expect(codesOf({ run: { ...facts.run, faults: [{ code: 'k6', message: 'k6 crashed.' }] } })).toEqual(['k6']);
  });

  it('is at fault when buyers saw a ticket twice, or more were sold than there are', () => {
    const totals = { ...facts.run.totals, oversold: 1 };
    expect(codesOf({ run: { ...facts.run, totals } })).toEqual(['oversold']);
    const many = { ...sale, capacity: 99, stock: { available: 0, held: 0, sold: 100 } };
    expect(codesOf({ afterwards: { ...facts.afterwards, sale: many } })).toEqual(['oversold', 'stock']);
  });

  it('is at fault when the stock does not add up, buyers were told of what is not sold, or the audit differs', () => {
    const odd = { ...sale, stock: { available: 399, held: 0, sold: 100 } };
    expect(codesOf({ afterwards: { ...facts.afterwards, sale: odd } })).toEqual(['stock']);
    const fewer = { capacity: 500, stock: { available: 401, held: 0, sold: 99 }, liveTickets: 99 };
    expect(codesOf({ afterwards: { ...facts.afterwards, sale: fewer } })).toEqual(['stock', 'stock']);
    const audit = { status: 'differs', reasons: ['I1: twice.'] } as const;
    expect(codesOf({ afterwards: { audit, sale } })).toEqual(['audit']);
  });

  it('is at fault when the script saw a stock that does not add up', () => {
    const thresholds = [{ metric: 'stock_mismatch', expression: 'count==0', passed: false }];
    expect(codesOf({ run: { ...facts.run, thresholds } })).toEqual(['stock']);
  });

  it('is not at fault because it is slow, refuses or drops, or nobody got as far as buying', () => {
    const totals = { ...facts.run.totals, dropped: 20, unexpected: 30, purchases: 0 };
    const thresholds = [
      { metric: 'purchases', expression: 'count>0', passed: false },
      { metric: 'visits{outcome:gaveUp}', expression: 'count<=2', passed: false },
      { metric: 'http_req_duration{name:poll}', expression: 'p(95)<150', passed: false },
    ];
    expect(codesOf({ run: { ...facts.run, totals, thresholds } })).toEqual([]);
  });
});
