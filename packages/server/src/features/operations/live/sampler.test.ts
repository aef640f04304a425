import { expect, test } from 'vitest';
import { LIMITS } from '../../../limits.ts';
import { parseFigures } from './process-figures.ts';
import { type FigureSources, Sampler } from './sampler.ts';

const UP = { read: () => ({ status: 'up', latencyMs: 1 }) as const };
const IDENTITY = { id: 'a', server: 'server-1', worker: null, startedAtMs: 1 };

function samplerOf(change: Partial<FigureSources> = {}): Sampler {
  const sources: FigureSources = {
    requests: () => ({ answers: 0, refused: {}, classes: {} }),
    orders: () => new Map(),
    tallies: () => ({}),
    admissions: () => new Map(),
    webSockets: () => 0,
    logLagRecords: () => 0,
    failedRecords: () => 0,
    logOutOfSpace: () => false,
    paymentsInFlight: () => 0,
    isLeaving: () => false,
    ...change,
  };
  return new Sampler({ identity: IDENTITY, sources, redis: UP, mysql: UP });
}

test('a report is understood by who reads it, as it was made', () => {
  const admission = { limitedBy: 'rate', showRate: 0.9, ratePerSecond: 12.5, other: 'not told' };
  const classes = { join: { answers: 2, latency: 'BwEHAQ', errors: 0 } };
  const made = samplerOf({
    requests: () => ({ answers: 3, refused: { sold_out: 1 }, classes }),
    orders: () => new Map([[7, 2]]),
    admissions: () => new Map([[7, admission]]),
  }).take(60_000.4);
  expect(parseFigures(JSON.stringify(made))).toEqual(made);
  expect(made).toMatchObject({
    ...IDENTITY,
    atMs: 60_000,
    beat: 1,
    orders: { 7: 2 },
    admissions: { 7: { limitedBy: 'rate', showRate: 0.9, ratePerSecond: 12.5 } },
  });
});

test('each report has the next number, and the last one says that it is', () => {
  const sampler = samplerOf();
  const reports = [sampler.take(1), sampler.take(2), sampler.take(3, true)];
  expect(reports.map(({ beat, leaving }) => [beat, leaving])).toEqual([
    [1, false],
    [2, false],
    [3, true],
  ]);
});

test('of very many sales that a process admits to, those are told to which somebody wants to be admitted', () => {
  const admission = (limitedBy: string) => ({ limitedBy, showRate: 1, ratePerSecond: 1 });
  const idle = Array.from({ length: 2 * LIMITS.fleetSales }, (_, index) => [index, admission('nobodyWaits')] as const);
  const { admissions } = samplerOf({ admissions: () => new Map([...idle, [9_999, admission('slots')]]) }).take(1);
  expect(Object.keys(admissions)).toHaveLength(LIMITS.fleetSales);
  expect(admissions[9_999]?.limitedBy).toBe('slots');
});

test('what is no report is not taken for one', () => {
  for (const text of ['', 'null', '{}', JSON.stringify({ ...samplerOf().take(1), answers: -1 })]) {
    expect(parseFigures(text)).toBeUndefined();
  }
});
