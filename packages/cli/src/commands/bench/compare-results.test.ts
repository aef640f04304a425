import type { BenchResult } from '@fest/loadtest/bench/result';
import { expect, test } from 'vitest';
import { benchResult, NO_LATENCIES } from '../../test-support/bench-result.ts';
import { type ComparedFigure, compareResults } from './compare-results.ts';
import { renderComparison } from './render-comparison.ts';

const base = benchResult();

/** A run of a revision with so many requests in the same time, and latencies so many times as long. */
function run(id: string, revision: string, requests: number, slower = 1): BenchResult {
  const { totals } = base;
  const latency = { ...totals.latency, p50Ms: 2 * slower, p99Ms: 10 * slower };
  return benchResult({
    id,
    fest: { version: '0.1.0', revision, dirty: false },
    totals: { ...totals, requests, requestsPerSecond: requests / totals.seconds, latency },
  });
}

function named(figures: readonly ComparedFigure[], name: string): ComparedFigure {
  const found = figures.find((figure) => figure.name === name);
  if (found === undefined) throw new Error(`${name} is not among ${figures.map((figure) => figure.name).join(', ')}`);
  return found;
}

test('ratios are of B to A: rates, latencies by endpoint, processor time for a request', () => {
  const comparison = compareResults(run('a', 'x', 120_000), run('b', 'y', 60_000, 3), []);
  expect(named(comparison.rates, 'requests')).toMatchObject({
    a: 1_000,
    b: 500,
    ratio: 0.5,
    noise: null,
    withinNoise: null,
  });
  expect(named(comparison.latencies, 'all p99')).toMatchObject({ a: 10, b: 30, ratio: 3 });
  expect(named(comparison.latencies, 'poll p50').ratio).toBe(1);
  const cpu = named(comparison.cpu, 'redis');
  expect(cpu.a).toBeCloseTo((base.cpu.processes.redis ?? 0) * 1_000);
  expect(cpu.ratio).toBeCloseTo(2);
  expect(comparison.noiseRuns).toBe(0);
  expect(renderComparison(comparison, false)).toContain(
    'One pair of runs is no interval: how far equal runs are apart is not known.',
  );
});

test('latencies are left out when one run claims none, with the reason', () => {
  const silent = { ...run('b', 'y', 60_000), noLatencyClaim: '7 visits were dropped.' };
  const comparison = compareResults(run('a', 'x', 120_000), silent, []);
  expect(comparison.latencies).toEqual([]);
  expect(comparison.latenciesLeftOut).toBe('B claims none: 7 visits were dropped.');
  const text = renderComparison(comparison, false);
  expect(text).toContain('Latencies are left out. B claims none: 7 visits were dropped.');
  expect(text).not.toContain('p99');
});

test('noise is told by equal runs of either revision: a ratio inside it is said to be nothing', () => {
  const others = [run('a2', 'x', 118_000), run('a3', 'x', 108_000), run('c', 'z', 10_000)];
  const inside = compareResults(run('a', 'x', 120_000), run('b', 'y', 114_000), others);
  expect(inside.noiseRuns).toBe(3);
  expect(named(inside.rates, 'requests')).toMatchObject({ noise: 120 / 108, withinNoise: true });
  const outside = compareResults(run('a', 'x', 120_000), run('b', 'y', 60_000), others);
  expect(named(outside.rates, 'requests').withinNoise).toBe(false);
  expect(renderComparison(inside, false)).toContain('within noise');
});

test('runs with uncommitted changes or another load tell no noise', () => {
  const dirty = { ...run('a2', 'x', 60_000), fest: { version: '0.1.0', revision: 'x', dirty: true } };
  const other = { ...run('a3', 'x', 60_000), config: { ...base.config, capacity: 7 } };
  const comparison = compareResults(run('a', 'x', 120_000), run('b', 'y', 60_000), [
    dirty,
    other,
    { ...run('a4', 'x', 60_000), interrupted: true },
  ]);
  expect(comparison.noiseRuns).toBe(0);
});

test('two runs of one revision are noise, and said to be', () => {
  const comparison = compareResults(run('a', 'x', 120_000), run('b', 'x', 100_000), []);
  expect(comparison.noiseRuns).toBe(2);
  expect(named(comparison.rates, 'requests').withinNoise).toBe(true);
  expect(comparison.notes).toContain('Both are of revision x: what differs is noise, or the machine.');
});

test('servers elsewhere may be of any build: runs against them are no equal runs, and no revision is told of them', () => {
  const target = { ...base.target, local: false, sameMachine: false, baseUrls: ['https://tickets.example'] };
  const remote = (id: string, requests: number): BenchResult => ({ ...run(id, 'x', requests), target });
  const comparison = compareResults(remote('a', 120_000), remote('b', 60_000), [remote('c', 100_000)]);
  expect(comparison.noiseRuns).toBe(0);
  expect(named(comparison.rates, 'requests').withinNoise).toBeNull();
  expect(comparison.notes.join('\n')).not.toContain('Both are of revision');
  expect(comparison.notes).toContain(
    'Revisions are those of fest bench: of which build the servers were is not known.',
  );
});

test('latencies that are worth less than they look are said to be: of smoke runs, and of a closed load', () => {
  const notes = (change: Partial<BenchResult>): string =>
    compareResults(benchResult({ id: 'a', ...change }), benchResult({ id: 'b', ...change }), []).notes.join('\n');
  expect(notes({ profile: 'smoke' })).toContain('Smoke runs are too short');
  expect(notes({ config: { ...base.config, load: { kind: 'closed', users: 10, seconds: 60 } } })).toContain(
    'compare the rates',
  );
  expect(notes({})).not.toMatch(/Smoke|closed|starved/);
});

test('what is not known of one of both has no ratio', () => {
  const { totals } = base;
  const silent = benchResult({ id: 'b', totals: { ...totals, latency: NO_LATENCIES, purchasesPerSecond: 0 } });
  const comparison = compareResults(benchResult({ id: 'a' }), silent, []);
  expect(named(comparison.latencies, 'all p99')).toMatchObject({ b: null, ratio: null });
  expect(named(comparison.rates, 'purchases').ratio).toBe(0);
  expect(comparison.latencies.some(({ name }) => name.startsWith('live messages'))).toBe(false);
  expect(renderComparison(comparison, false)).not.toMatch(/NaN|Infinity|null/);
});

test('what may be the reason is told: other versions, a verdict that is not passed, a load that was given', () => {
  const b = benchResult({
    ...{ id: 'b', verdict: 'failed', faults: [{ code: 'latency', message: 'poll was slow.' }] },
    target: { ...base.target, redis: '8.0.0' },
    notes: ['The gateway takes 300 ms.'],
  });
  expect(compareResults(benchResult({ id: 'a' }), b, []).notes).toEqual(
    expect.arrayContaining([
      'The load was given, not taken: equal rates only say that both kept up with it.',
      'They differ in Redis: A 7.4.1, B 8.0.0.',
      'Of B: The gateway takes 300 ms.',
      'B has not passed: poll was slow.',
    ]),
  );
});
