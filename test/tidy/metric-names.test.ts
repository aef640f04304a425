/** A metric that is asked for under a name that no server tells is a panel, an alert, a command or a test about nothing. */
import { lexer, type Tokens } from 'marked';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readRecordings } from '../../scripts/observe/assets.ts';
import { parseExposition } from '../../scripts/observe/exposition.ts';
import { fullExposition } from '../../scripts/observe/test-support/full-registry.ts';
import { listFiles, read } from './repository.ts';

const SELF = 'test/tidy/metric-names.test.ts';
/** Makes metrics of its own. */
const OF_REGISTRIES = 'packages/server/src/workers/group-metrics.test.ts';
const ADAPTER = 'infra/kubernetes/prometheus-adapter/rules.yaml';
const FILES = listFiles(
  (path) =>
    path !== SELF &&
    path !== OF_REGISTRIES &&
    (path === 'README.md' ||
      /^(docs|infra|demo|\.ci)\/.*\.(md|ya?ml|json|tf|hcl|tftpl|sh|cfg)$/.test(path) ||
      /^(test|scripts|packages)\/.*\.tsx?$/.test(path)),
);

/** What begins so and is no metric. */
const NO_METRICS: Readonly<Record<string, string>> = {
  fest_profile: 'an output of Terraform',
  fest_test: 'a name that Terraform is to refuse',
  fest_test_: 'databases of tests',
  fest_migrate_: 'databases of tests',
  fest_simulated_: 'databases of tests',
  fest_season_: 'databases of the fault harness',
  fest_restored: 'the new database of a restore',
  fest_server: 'the user of servers in MySQL',
  fest_user_: 'users of tests in MySQL',
  fest_live_: 'several metrics by their beginning',
  fest_a: 'an example of PromQL',
  fest_b: 'an example of PromQL',
  fest_c: 'an example of PromQL',
  fest_nothing: 'what no server tells, on purpose',
};

/** With what a recording rule puts before and behind it; `^` before it: what begins so. */
const NAMES = /(?:\^|\b[a-z_]+:)?\bfest_[a-z0-9_]+(?::[a-z0-9_]+)?/g;

const samples = new Set(parseExposition(await fullExposition()).map(({ name }) => name));
const baseOf = (name: string): string => {
  const base = name.replace(/_(bucket|sum|count)$/, '');
  return samples.has(`${base}_bucket`) ? base : name;
};
const metrics = new Set([...samples].map(baseOf));
const { rules } = parse(read(ADAPTER)) as { readonly rules: readonly { readonly name: { readonly as: string } }[] };
const told = new Set([
  ...samples,
  ...metrics,
  ...readRecordings().map(({ record }) => record),
  ...rules.map(({ name }) => name.as),
]);

function isTold(name: string): boolean {
  if (!name.startsWith('^')) return told.has(name);
  return [...samples, ...metrics].some((metric) => metric.startsWith(name.slice(1)));
}

const found = FILES.flatMap((path) => [...new Set(read(path).match(NAMES) ?? [])].map((name) => ({ path, name })));

test('every metric of fest that a document, a rule, a panel or a test names is one that servers tell or rules record', () => {
  expect(found.filter(({ name }) => told.has(name)).length).toBeGreaterThan(300);
  const strange = found.filter(({ name }) => !isTold(name) && !(name in NO_METRICS));
  expect(strange.map(({ path, name }) => `${path}: ${name}`)).toEqual([]);
});

test('there is no exception that is not needed any more', () => {
  const names = new Set(found.map(({ name }) => name));
  expect(Object.keys(NO_METRICS).filter((name) => !names.has(name) || told.has(name))).toEqual([]);
});

test('docs/observability.md lists every metric of fest, and no others', () => {
  const [, section = ''] = /^## What a server tells$(.*?)^## /ms.exec(read('docs/observability.md')) ?? [];
  const table = lexer(section).find((token): token is Tokens.Table => token.type === 'table');
  const listed = (table?.rows ?? [])
    .map((cells) => cells[1]?.text ?? '')
    .flatMap((cell) =>
      [...cell.matchAll(/`([a-z]+(?:_[a-z0-9_]+)?)(?:\{[a-z,]+\})?`/g)].map(([, name]) => `fest_${name}`),
    );
  const ours = [...metrics].filter((name) => name.startsWith('fest_'));
  expect(listed.toSorted()).toEqual(ours.toSorted());
});
