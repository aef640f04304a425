import type { BenchPlan } from '@fest/loadtest/bench/plan';
import { resolveLoad } from '@fest/loadtest/bench/profiles';
import type { CpuUse } from '@fest/loadtest/bench/result';
import { describe, expect, it } from 'vitest';
import { RUN_FACTS } from '../../test-support/bench-facts.ts';
import { composeResult, type ResultFacts } from './compose-result.ts';
import { parseResult } from './read-result.ts';
import type { Observation } from './timeline.ts';

const BEGAN_MS = Date.parse('2026-07-01T12:00:00Z');
const resolved = resolveLoad('funnel', 'smoke');

const plan: BenchPlan = {
  format: 'fest.bench-plan/1',
  scenario: 'funnel',
  profile: 'smoke',
  baseUrls: ['http://127.0.0.1:8080'],
  festivalId: 1,
  saleId: 2,
  otherSaleId: 3,
  capacity: 100,
  limitPerBuyer: 1,
  load: resolved.load,
  behaviour: resolved.behaviour,
  seed: 'fest',
  files: { buyers: 'buyers.json' },
  operatorToken: 'secret',
  thresholdFactor: 1,
};

const cpu = (generator: number): CpuUse => ({
  processors: 2,
  generator,
  observer: 0.1,
  processes: { 'server-1': 0.5 },
  others: 0.2,
  stolen: 0,
});
const seen = (second: number, generator: number): Observation => ({
  atMs: BEGAN_MS + second * 1_000,
  cpu: cpu(generator),
  server: null,
  sale: null,
});

const FACTS: ResultFacts = {
  id: '20260701-120000-funnel-smoke',
  plan,
  resolved,
  admission: { mode: 'fixed', perSecond: 30, maxActive: 100 },
  gatewayMs: 0,
  gateway: null,
  run: {
    exitCode: 0,
    interrupted: false,
    startedAtMs: BEGAN_MS,
    endedAtMs: BEGAN_MS + 10_000,
    rows: [],
    totals: RUN_FACTS.totals,
    endpoints: RUN_FACTS.endpoints,
    thresholds: RUN_FACTS.thresholds,
    attacks: [],
    faults: [],
  },
  beganAtMs: BEGAN_MS - 500,
  endedAtMs: BEGAN_MS + 10_500,
  observations: [seen(-5, 9), seen(1, 0.2), seen(2, 0.4), seen(11, 9)],
  died: [],
  afterwards: { audit: RUN_FACTS.audit, sale: RUN_FACTS.sale },
  notes: ['The gateway takes 300 ms.'],
  k6: { kind: 'binary', path: '/bin/k6', version: 'v2.2.0', origin: 'PATH', environment: {} },
  fest: { version: '0.1.0', revision: null, dirty: null },
  machine: { processors: 2, processor: 'x', memoryGiB: 8, system: 'Linux', node: 'v24', fileSystem: 'ext4' },
  target: { baseUrls: plan.baseUrls, local: true, servers: 1, redis: '7.0', mysql: '11.4' },
};

describe('the result of a load test', () => {
  it('is one that can be read again, and has no token', () => {
    const text = JSON.stringify(composeResult(FACTS));
    expect(parseResult(text)).toMatchObject({
      status: 'result',
      result: {
        verdict: 'passed',
        startedAt: '2026-07-01T12:00:00.000Z',
        notes: FACTS.notes,
        config: { admission: { mode: 'fixed', perSecond: 30, maxActive: 100 }, gatewayMs: 0 },
      },
    });
    expect(text).not.toContain('secret');
  });

  it('has the processor time of the load, not of what was before and after it', () => {
    expect(composeResult(FACTS).cpu.generator).toBeCloseTo(0.3);
  });

  it('tells of processes that ended', () => {
    const { verdict, faults } = composeResult({ ...FACTS, died: ['redis ended.'] });
    expect(verdict).toBe('failed');
    expect(faults).toEqual([{ code: 'serverDied', message: 'redis ended.' }]);
  });

  it('has a time and processors even when k6 did nothing', () => {
    const run = { ...FACTS.run, startedAtMs: 0, endedAtMs: 0 };
    const result = composeResult({ ...FACTS, run, observations: [] });
    expect(result).toMatchObject({ startedAt: '2026-07-01T11:59:59.500Z', endedAt: '2026-07-01T12:00:10.500Z' });
    expect(result.cpu).toMatchObject({ processors: 2, generator: null, processes: {} });
  });
});
