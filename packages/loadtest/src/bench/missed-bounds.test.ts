import { expect, test } from 'vitest';
import { faultOfBound, isOfWholeRun } from './missed-bounds.ts';
import { BENCH_SCENARIOS } from './plan.ts';
import { resolveLoad } from './profiles.ts';
import { servedThresholds } from './served.ts';

const FIGURES = {
  totals: { outcomes: { gaveUp: 4_999, bought: 1 } },
  endpoints: [{ endpoint: 'poll', statuses: { '200': 950, '429': 20, '503': 30 } }],
} as const;

const told = (name: string, tags: Readonly<Record<string, string>>, expression: string) =>
  faultOfBound({ name, tags }, expression, FIGURES);

test('a sentence says how visits ended', () => {
  expect(told('visits', { outcome: 'gaveUp' }, 'count==0')).toEqual({
    code: 'notServed',
    message: '4,999 of 5,000 visitors gave up when their time was over.',
  });
  expect(told('visits', { outcome: 'bought', scenario: 'honest' }, 'count>=5000')?.message).toBe(
    '1 of 5,000 visitors bought, and 5,000 should have.',
  );
  expect(told('visits', { outcome: 'gaveUp' }, 'count<=50')?.message).toBe(
    '4,999 of 5,000 visitors gave up when their time was over, and 50 may.',
  );
});

test('a sentence says how many were sent away', () => {
  expect(told('http_req_failed', { name: 'poll' }, 'rate<=0.01')).toEqual({
    code: 'notServed',
    message: 'poll: 50 of 1,000 requests (5 %) were sent away or not answered, and 1 % may be.',
  });
  expect(told('live_changes_heard', {}, 'rate>=0.95')?.message).toMatch(/fewer than 95 % of the changes/);
});

test('stock that does not add up is a fault of the stock, and what was not decided none of the servers', () => {
  expect(told('stock_mismatch', {}, 'count==0')?.code).toBe('stock');
  expect(told('attack_refusals', { attack: 'hoarding' }, 'count>0')).toMatchObject({
    code: 'k6',
    message: expect.stringMatching(/^hoarding was never refused/),
  });
  expect(told('http_req_duration', { name: 'poll' }, 'p(95)<5')).toBeUndefined();
  expect(told('toString', {}, 'count==0')).toBeUndefined();
});

test('every bound of who is served is explained', () => {
  for (const scenario of BENCH_SCENARIOS) {
    const { load, sale } = resolveLoad(scenario, 'average');
    const { capacity } = sale;
    const bounds = servedThresholds({
      scenario,
      profile: 'average',
      load,
      capacity,
      thresholdFactor: 1,
      gatewayRefuses: false,
    });
    for (const [metric, expressions] of Object.entries(bounds)) {
      const [name = ''] = metric.split('{');
      for (const expression of expressions) expect(told(name, {}, expression)?.code, metric).toBe('notServed');
    }
  }
});

test('a run that was interrupted need not have reached what a whole one has to', () => {
  expect(isOfWholeRun({ name: 'visits', tags: {} }, 'count>=5000')).toBe(true);
  expect(isOfWholeRun({ name: 'visits_cut_off', tags: {} }, 'count==0')).toBe(true);
  expect(isOfWholeRun({ name: 'visits', tags: {} }, 'count==0')).toBe(false);
});
