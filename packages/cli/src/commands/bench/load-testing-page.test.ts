/** What docs/load-testing.md says of scenarios, profiles and plans is what there is. */
import { readFileSync } from 'node:fs';
import {
  BENCH_PLAN_FORMAT,
  BENCH_PROFILES,
  BENCH_SCENARIOS,
  type BenchBehaviour,
  type BenchPlan,
} from '@fest/loadtest/bench/plan';
import { expect, test } from 'vitest';
import { isRecord } from '../../private-files.ts';
import { aFlag, anAmount, aText, listOf, oneOf, optional, type Rule, shapeOf } from './check-shape.ts';
import { aLoad } from './result-shape.ts';

const page = readFileSync(new URL('../../../../../docs/load-testing.md', import.meta.url), 'utf8');

/** What a k6 script reads. */
const aBenchPlan: Rule = shapeOf<BenchPlan>({
  format: aText,
  scenario: oneOf(BENCH_SCENARIOS),
  profile: oneOf(BENCH_PROFILES),
  baseUrls: listOf(aText),
  festivalId: anAmount,
  saleId: anAmount,
  otherSaleId: anAmount,
  capacity: anAmount,
  limitPerBuyer: anAmount,
  load: aLoad,
  behaviour: shapeOf<BenchBehaviour>({ neverHoldShare: anAmount, neverPayShare: anAmount }),
  seed: aText,
  files: shapeOf<BenchPlan['files']>({ buyers: aText, queueTokens: optional(aText), credentials: optional(aText) }),
  expiredToken: optional(aText),
  gatewayRefuses: optional(aFlag),
  operatorToken: aText,
  thresholdFactor: anAmount,
});

/** The first words in code of the rows of a section's table. */
function rowsOf(heading: string): readonly string[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [table = ''] = section.split('\n## ');
  return [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name = '']) => name);
}

test('every scenario and every profile is explained', () => {
  expect(rowsOf('Scenarios')).toEqual([...BENCH_SCENARIOS]);
  expect(rowsOf('Profiles')).toEqual([...BENCH_PROFILES]);
});

test('the plan in it is one that a k6 script reads', () => {
  const [, json = 'null'] = /^```json\n(.*?)^```$/ms.exec(page) ?? [];
  const plan: unknown = JSON.parse(json);
  expect(aBenchPlan(plan, '')).toBeUndefined();
  expect(isRecord(plan) && plan.format).toBe(BENCH_PLAN_FORMAT);
});

test('a plan without buyers is none', () => {
  expect(aBenchPlan({ format: BENCH_PLAN_FORMAT }, '')).toMatch(/^scenario is none of festival, /);
});
