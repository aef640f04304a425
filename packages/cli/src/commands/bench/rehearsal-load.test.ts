import type { SaleFigures, TimelineRow } from '@fest/loadtest/bench/result';
import { describe, expect, it } from 'vitest';
import { FixableError } from '../../errors.ts';
import { ENDPOINT, TOTALS } from '../../test-support/bench-facts.ts';
import { describeStep, rehearsalLoad } from './rehearsal-load.ts';
import { parseRehearsal } from './rehearse-options.ts';

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
  const facts = {
    perSecond: 40,
    pass: 1,
    timeline: [1, 20, 30, null, 40, 50, 3, 2].map(row),
    died: [],
    run: {
      totals: { ...TOTALS, unexpected: 2, refused: { overloaded: 3, sold_out: 9 } },
      endpoints: [
        { ...ENDPOINT, endpoint: 'poll' as const, p95Ms: 8 },
        { ...ENDPOINT, endpoint: 'hold' as const, p95Ms: 31 },
        { ...ENDPOINT, endpoint: 'festivals' as const, p95Ms: 900 },
      ],
      faults: [],
    },
  };

  it('counts failures and overload, the slowest endpoint of a purchase, and who is inside in its middle', () => {
    expect(describeStep(facts)).toEqual({
      perSecond: 40,
      pass: 1,
      arrivals: 200,
      dropped: 0,
      requests: 1_000,
      errors: 5,
      purchases: 90,
      p95Ms: 31,
      active: 40,
      broken: null,
      starved: null,
    });
  });

  it('is broken by a process that ended', () => {
    expect(describeStep({ ...facts, died: ['redis ended.'] }).broken).toBe('redis ended.');
    const faults = [{ code: 'k6', message: 'k6 crashed.' } as const];
    expect(describeStep({ ...facts, run: { ...facts.run, faults } }).broken).toBe('k6 crashed.');
  });
});

describe('the command line of a rehearsal', () => {
  it('needs nothing', () => {
    expect(parseRehearsal({})).toEqual({ from: 20, to: 500, seconds: 10, passes: 3, insideSeconds: undefined });
    expect(parseRehearsal({ from: '5', to: '9', seconds: '3', passes: '1', inside: '90' })).toEqual({
      from: 5,
      to: 9,
      seconds: 3,
      passes: 1,
      insideSeconds: 90,
    });
  });

  it.each([{ from: '0' }, { to: '9999' }, { seconds: 'x' }, { passes: '1.5' }, { inside: '' }, { from: '9', to: '8' }])(
    'refuses %j',
    (options) => {
      expect(() => parseRehearsal(options)).toThrow(FixableError);
    },
  );
});
