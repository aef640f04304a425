/** `fest bench list` and `fest bench compare` on folders of results. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchResult } from '@fest/loadtest/bench/result';
import { beforeEach, expect, test } from 'vitest';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import { benchResult } from '../../test-support/bench-result.ts';
import { createFakeContext } from '../../test-support/fake-context.ts';
import { createTemporaryFolder } from '../../test-support/temporary-folder.ts';
import { runBenchCompare } from './compare.ts';
import { runBenchList } from './list.ts';

let directory: string;

beforeEach(() => {
  directory = createTemporaryFolder();
});

function put(id: string, change: Partial<BenchResult> = {}): string {
  const folder = join(directory, '.fest/bench', id);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'result.json');
  writeFileSync(path, JSON.stringify(benchResult({ id, ...change })));
  return path;
}

const A = '20260701-120000-onsale-average';
const B = '20260701-130000-onsale-average';
const C = '20260701-140000-funnel-smoke';

test('a list has the newest first, and names what is broken without failing', async () => {
  put(A);
  put(C, { scenario: 'funnel', profile: 'smoke', verdict: 'failed', noLatencyClaim: 'dropped.' });
  mkdirSync(join(directory, '.fest/bench', B), { recursive: true });
  writeFileSync(join(directory, '.fest/bench', B, 'result.json'), '{"format":"fest.bench-result/9"}');
  const context = createFakeContext();
  expect(await runBenchList(context, { dir: directory })).toBe(EXIT.done);
  const lines = context.text('stdout').trimEnd().split('\n');
  expect(lines[0]).toMatch(/^ID +WHEN +SCENARIO +PROFILE +VERDICT +REQUESTS\/S +P95 +PURCHASES\/S +DROPPED$/);
  expect(lines[1]).toMatch(new RegExp(`^${C} .* funnel +smoke +failed .* no claim +8\\.3 +0$`));
  expect(lines[2]).toMatch(new RegExp(`^${A} .* onsale +average +passed .* 4\\.7 ms +8\\.3 +0$`));
  expect(context.text('stderr')).toContain(`${B} cannot be read: it has the format fest.bench-result/9`);
});

test('a latency that is not to be quoted stands in brackets: of a smoke run, and of a closed load', async () => {
  put(A, { profile: 'smoke' });
  const { config } = benchResult();
  put(B, { config: { ...config, load: { kind: 'closed', users: 10, seconds: 60 } } });
  const context = createFakeContext();
  expect(await runBenchList(context, { dir: directory })).toBe(EXIT.done);
  expect(context.text('stdout').match(/ \(4\.7 ms\) /g)).toHaveLength(2);
});

test('the same as a document', async () => {
  put(A, { noLatencyClaim: 'dropped.' });
  mkdirSync(join(directory, '.fest/bench', B), { recursive: true });
  const context = createFakeContext();
  expect(await runBenchList(context, { dir: directory, json: true })).toBe(EXIT.done);
  expect(JSON.parse(context.text('stdout'))).toMatchObject({
    schema: 'fest.bench-list/1',
    items: [{ id: A, scenario: 'onsale', verdict: 'passed', p95Ms: null, noLatencyClaim: 'dropped.' }],
    broken: [{ id: B, why: 'there is no such file' }],
  });
});

test('a folder without results has an empty list', async () => {
  const context = createFakeContext();
  expect(await runBenchList(context, { dir: directory })).toBe(EXIT.done);
  expect(context.text('stderr')).toContain('There are no results yet.');
});

test.each([
  ['ids', A, B],
  ['words', 'previous', 'last'],
  ['folders', `.fest/bench/${A}`, `.fest/bench/${B}/`],
  ['files', `.fest/bench/${A}/result.json`, `./.fest/bench/${B}/result.json`],
])('two runs are found by their %s', async (_, a, b) => {
  put(A);
  put(B);
  // A run that goes on has no result yet.
  mkdirSync(join(directory, '.fest/bench/20260701-150000-onsale-average'), { recursive: true });
  const context = createFakeContext({ cwd: directory });
  expect(await runBenchCompare(context, a, b, { json: true })).toBe(EXIT.done);
  expect(JSON.parse(context.text('stdout'))).toMatchObject({
    schema: 'fest.bench-compare/1',
    a: { id: A },
    b: { id: B },
  });
});

test('for people it is a table of ratios, and what they are worth', async () => {
  put(A);
  put(B);
  const context = createFakeContext({ cwd: directory });
  expect(await runBenchCompare(context, 'previous', 'last', {})).toBe(EXIT.done);
  const text = context.text('stdout');
  expect(text).toMatch(/^requests +\/s +[\d,.]+ +[\d,.]+ +1\.00 +× 1\.00 +within noise$/m);
  expect(text).toMatch(/^poll p99 +ms /m);
  expect(text).toMatch(/^server-1 +µs\/request /m);
  expect(text).toContain('One pair of runs is no interval.');
});

test('runs that are not comparable are refused with every reason, as a failed check', async () => {
  put(A);
  put(C, { scenario: 'funnel', profile: 'smoke', interrupted: true });
  const error = await runBenchCompare(createFakeContext({ cwd: directory }), A, C, {}).catch(
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof FixableError)) throw error;
  expect(error.exitCode).toBe(EXIT.checkFailed);
  expect(error.details.why).toMatch(/scenario differs.*\n.*profile differs.*\nB was interrupted/);
});

test.each([
  ['previous', 'There is no previous result'],
  ['20990101-000000-onsale-average', 'There is no result “20990101-000000-onsale-average”'],
])('%s is a wrong name where there is no such run, and the newest are named', async (name, what) => {
  put(A);
  const error = await runBenchCompare(createFakeContext({ cwd: directory }), 'last', name, {}).catch(
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof FixableError)) throw error;
  expect(error.exitCode).toBe(EXIT.usage);
  expect(error.details.what).toBe(what);
  expect(error.details.why).toContain(A);
});
