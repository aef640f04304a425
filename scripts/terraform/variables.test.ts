/** Every variable of every module and environment says what it is and refuses what makes no sense, and every refusal has come once. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parseTestRuns } from './assertions.ts';
import { listConfigurations } from './terraform.ts';

const ROOT = resolve(import.meta.dirname, '../../infra/terraform');
const CONFIGURATIONS = listConfigurations(ROOT);

interface Variable {
  readonly name: string;
  readonly described: boolean;
  readonly type: string;
  readonly validations: number;
}

/** As `terraform fmt` lays them out: a block ends with a bracket at the beginning of a line. */
function variablesOf(configuration: string): readonly Variable[] {
  const path = join(ROOT, configuration, 'variables.tf');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return [...text.matchAll(/^variable "(\w+)" \{\n(.*?)^\}/gms)].map(([, name = '', body = '']) => ({
    name,
    described: /^ {2}description = ".{10,}"$/m.test(body),
    type: /^ {2}type\s+= (.*)$/m.exec(body)?.[1] ?? '',
    validations: [...body.matchAll(/^ {2}validation \{$/gm)].length,
  }));
}

/** How many runs expect that a variable is refused. */
function refusalsOf(configuration: string): ReadonlyMap<string, number> {
  const folder = join(ROOT, configuration, 'tests');
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  const counts = new Map<string, number>();
  for (const text of texts) {
    expect(parseTestRuns(text).length).toBeGreaterThan(0);
    for (const [, list = ''] of text.matchAll(/expect_failures = \[([^\]]*)\]/g))
      for (const [, name = ''] of list.matchAll(/var\.(\w+)/g)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

test.each(CONFIGURATIONS)(
  'every variable of %s is described, and validated unless any value of its type will do',
  (configuration) => {
    const variables = variablesOf(configuration);
    expect(variables.length).toBeGreaterThan(2);
    expect(variables.filter(({ described }) => !described).map(({ name }) => name)).toEqual([]);
    expect(
      variables.filter(({ type, validations }) => validations === 0 && type !== 'bool').map(({ name }) => name),
    ).toEqual([]);
  },
);

test.each(CONFIGURATIONS)('every validation of %s has its failing twin', (configuration) => {
  const refusals = refusalsOf(configuration);
  const without = variablesOf(configuration).filter(({ name, validations }) => (refusals.get(name) ?? 0) < validations);
  expect(without.map(({ name }) => name)).toEqual([]);
});

test.each(CONFIGURATIONS)('every output of %s is described', (configuration) => {
  const text = readFileSync(join(ROOT, configuration, 'outputs.tf'), 'utf8');
  const outputs = [...text.matchAll(/^output "(\w+)" \{\n(.*?)^\}/gms)];
  expect(outputs.length).toBeGreaterThan(0);
  expect(
    outputs.filter(([, , body = '']) => !/^ {2}description = ".{10,}"$/m.test(body)).map(([, name]) => name),
  ).toEqual([]);
});

test('the costs of a month in the README add up', () => {
  const rows = readFileSync(join(ROOT, 'README.md'), 'utf8').split('\n');
  const start = rows.findIndex((row) => row.startsWith('| | unit price |'));
  const end = rows.findIndex((row, index) => index > start && row.startsWith('| **together** |'));
  const sums = [3, 4].map((column) =>
    rows.slice(start + 2, end).reduce((sum, row) => sum + Number(row.split('|')[column]), 0),
  );
  expect(end).toBeGreaterThan(start + 8);
  const told = [...(rows[end] ?? '').matchAll(/\*\*(\d+)\*\*/g)].map(([, total]) => Number(total));
  expect(told).toEqual(sums.map(Math.round));
});

/** Whoever adds a third one to an example without the first two takes those away. */
test.each(['production', 'staging'])('the example of %s has all servers that there are without it', (environment) => {
  const fileOf = (name: string): string => readFileSync(join(ROOT, 'environments', environment, name), 'utf8');
  const pairs = (text = ''): readonly string[] => [...text.matchAll(/[\w-]+ = "[\w-]+"/g)].map(([pair]) => pair);
  const [, defaults] = /^variable "servers" \{\n.*?^ {2}default {5}= \{(.*?)\}$/ms.exec(fileOf('variables.tf')) ?? [];
  const [, example] = /^servers = \{\n(.*?)^\}$/ms.exec(fileOf('terraform.tfvars.example')) ?? [];
  expect(pairs(defaults).length).toBeGreaterThanOrEqual(2);
  expect(pairs(example)).toEqual(pairs(defaults));
});
