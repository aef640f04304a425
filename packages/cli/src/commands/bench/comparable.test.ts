import type { BenchResult } from '@fest/loadtest/bench/result';
import { expect, test } from 'vitest';
import { benchResult } from '../../test-support/bench-result.ts';
import { majorOf, obstaclesOf } from './comparable.ts';

const a = benchResult({ id: 'a' });
const { config, machine, target, totals } = a;
const GATEWAY = { latencyMs: 200, latencySigma: 0, declineShare: 0.05, timeoutShare: 0, unknownShare: 0 };

test('two runs of the same may be compared, whatever they found', () => {
  const b = benchResult({
    ...{ id: 'b', verdict: 'failed', faults: [{ code: 'latency', message: 'slow' }] },
    config: { ...config, thresholdFactor: 2, seed: 'other' },
    machine: { ...machine, memoryGiB: machine.memoryGiB * 1.01, node: 'v24.9.9', system: 'Linux 6.9.0 x64' },
    fest: { version: '0.2.0', revision: 'other', dirty: true },
    k6: { version: 'v2.9.1', path: '/usr/bin/k6', origin: 'PATH' },
    target: { ...target, baseUrls: ['http://127.0.0.1:9', 'http://127.0.0.1:10'], redis: '8.0.0' },
  });
  expect(obstaclesOf(a, b)).toEqual([]);
});

const CASES: readonly (readonly [what: string, change: Partial<BenchResult>, obstacle: RegExp])[] = [
  ['another scenario', { scenario: 'funnel' }, /^The scenario differs: A onsale, B funnel\.$/],
  ['another profile', { profile: 'spike' }, /^The profile differs/],
  [
    'another load',
    { config: { ...config, load: { kind: 'closed', users: 64, seconds: 60 } } },
    /^The load differs: A arrivals .*, B 64 users without a pause/,
  ],
  ['another capacity', { config: { ...config, capacity: 5 } }, /^The capacity of the sale differs: A 1000, B 5\.$/],
  ['another limit', { config: { ...config, limitPerBuyer: 5 } }, /^The limit per buyer differs/],
  [
    'another admission',
    { config: { ...config, admission: { ...config.admission, perSecond: 30 } } },
    /^The admission differs: A maxActive 500, mode auto, perSecond 50, B .*30\.$/,
  ],
  ['other behaviour', { config: { ...config, neverHoldShare: 0.5 } }, /^The share that never holds differs/],
  ['other payers', { config: { ...config, neverPayShare: 0.5 } }, /^The share that never pays differs/],
  [
    'another line beforehand',
    { config: { ...config, waitersBeforehand: 9 } },
    /^The number of those who wait beforehand differs/,
  ],
  [
    'another gateway',
    { config: { ...config, gatewayMs: null } },
    /^The time a payment takes, ms differs: A 200, B not known\.$/,
  ],
  [
    'a setting of a later version',
    { config: { ...config, ...{ later: 1 } } },
    /^The later differs: A not known, B 1\.$/,
  ],
  ['fewer servers', { target: { ...target, servers: 1 } }, /^The number of servers differs: A 2, B 1\.$/],
  ['servers elsewhere', { target: { ...target, local: false, sameMachine: false } }, /^The place differs/],
  [
    'servers of this machine that are not the stack of the folder',
    { target: { ...target, local: false } },
    /^The place differs: A on the machine of k6, B on the machine of k6, not the stack of the folder\.$/,
  ],
  [
    'a gateway that declines more',
    { config: { ...config, gateway: { ...GATEWAY, declineShare: 0.5 } } },
    /^The payment gateway differs: A declineShare 0\.05, .*B declineShare 0\.5, /,
  ],
  ['more processors', { machine: { ...machine, processors: 8 } }, /^The number of processors differs/],
  ['another processor', { machine: { ...machine, processor: 'Other' } }, /^The processor differs/],
  ['more memory', { machine: { ...machine, memoryGiB: 16 } }, /^The memory, GiB, differs/],
  ['another file system', { machine: { ...machine, fileSystem: 'tmpfs' } }, /^The file system differs/],
  [
    'another major version of k6',
    { k6: { ...a.k6, version: 'v3.0.0' } },
    /^The major version of k6 differs: A 2, B 3\.$/,
  ],
  ['another format', { format: 'fest.bench-result/2' as BenchResult['format'] }, /^The format differs/],
  ['an interrupted run', { interrupted: true }, /^B was interrupted/],
  ['a run that broke', { faults: [{ code: 'serverDied', message: 'server-2 ended.' }] }, /^B broke: server-2 ended\.$/],
  ['a run without requests', { totals: { ...totals, requests: 0 } }, /^B has no requests\.$/],
];

test.each(CASES)('%s is refused', (_, change, obstacle) => {
  expect(obstaclesOf(a, benchResult({ id: 'b', ...change }))).toEqual([expect.stringMatching(obstacle)]);
});

test('servers elsewhere are known by their addresses alone; those of this machine get other ports each time', () => {
  const elsewhere = (...baseUrls: readonly string[]) => ({ ...target, baseUrls, local: false, sameMachine: false });
  const before = benchResult({ id: 'a', target: elsewhere('https://a.example', 'https://b.example') });
  const same = benchResult({ id: 'b', target: elsewhere('https://b.example', 'https://a.example') });
  expect(obstaclesOf(before, same)).toEqual([]);
  const other = benchResult({ id: 'b', target: elsewhere('https://a.example', 'https://c.example') });
  expect(obstaclesOf(before, other)).toEqual([
    'The addresses of the servers differ: A https://a.example, https://b.example, B https://a.example, https://c.example.',
  ]);
});

test('results of before the gateway was told are compared by its latency alone', () => {
  const { gateway: _, ...earlier } = config;
  expect(obstaclesOf(benchResult({ id: 'a', config: earlier }), benchResult({ id: 'b', config: earlier }))).toEqual([]);
});

test('a run is not compared with itself', () => {
  expect(obstaclesOf(a, benchResult({ id: 'a' }))).toEqual(['A and B are the same run, a.']);
});

test('every reason is said at once', () => {
  const all = CASES.map(([, change]) => change);
  const b = benchResult(Object.assign({ id: 'b' }, ...all));
  expect(obstaclesOf({ ...a, interrupted: true }, b).length).toBeGreaterThan(7);
});

test.each([
  ['v2.2.0', '2'],
  ['k6 v2.2.0 (go1.24)', '2'],
  ['12.0', '12'],
  ['unknown', 'unknown'],
])('the major version of %s is %s', (version, major) => {
  expect(majorOf(version)).toBe(major);
});
