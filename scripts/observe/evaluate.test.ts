import { describe, expect, it } from 'vitest';
import { Evaluation, lineOf, withoutData } from './evaluate.ts';
import { parseExposition } from './exposition.ts';
import { type QueryResult, withShortWaits } from './prometheus.ts';
import { legendOf } from './render-dashboard.ts';

const ONE: readonly QueryResult[] = [{ metric: { instance: 'a' }, value: 1 }];

describe('an evaluation of everything', () => {
  it('finds nothing silent when all answers have data', async () => {
    const evaluation = new Evaluation({ query: async () => ONE });
    await evaluation.round();
    expect(withoutData(evaluation, true)).toEqual([]);
  });

  it('names each query without data, and each alert that looks at nothing; those of workers only where there are some', async () => {
    const isSilent = (expr: string): boolean => /fest_gateway_requests_total|fest_worker_up/.test(expr);
    const evaluation = new Evaluation({ query: async (expr) => (isSilent(expr) ? [] : ONE) });
    await evaluation.round();
    const silent = withoutData(evaluation, false);
    expect(silent).toContain('FestGatewayFailing: fest_gateway_requests_total');
    expect(silent.some((what) => what.startsWith('stores.json, Answers a second: '))).toBe(true);
    expect(silent.some((what) => what.includes('fest_worker_up'))).toBe(false);
    expect(withoutData(evaluation, true)).toContain('FestWorkerAway: fest_worker_up');
  });

  it('remembers the last data of a query that has none any more, and takes no NaN for data', async () => {
    let answer: readonly QueryResult[] = [{ metric: {}, value: Number.NaN }];
    const evaluation = new Evaluation({ query: async () => answer });
    await evaluation.round();
    expect(evaluation.queries[0]?.answer).toEqual([]);
    answer = ONE;
    await evaluation.round();
    answer = [];
    await evaluation.round();
    expect(evaluation.queries[0]?.answer).toEqual(ONE);
  });
});

it('a line says the expression and three values, without what all have', () => {
  const answer = [1.23456, 2, 3, 4].map((value) => ({ metric: { __name__: 'x', job: 'fest', state: 'held' }, value }));
  expect(lineOf({ place: 'p', expr: 'a\n  + b', answer })).toBe(
    'p\n    a + b\n    → {state=held} 1.235, {state=held} 2, {state=held} 3, and 1 more',
  );
  expect(lineOf({ place: 'p', expr: 'a', answer: [] })).toContain('→ nothing');
});

it('alerts wait some seconds at most, and nothing else of the rules is changed', () => {
  const rules = '      - alert: A\n        expr: rate(x[5m]) > 1\n        for: 2m\n      - alert: B\n        for: 3s\n';
  expect(withShortWaits(rules)).toBe(rules.replace('for: 2m', 'for: 5s'));
});

it('samples of the text format are read with their labels, also values that are no number', () => {
  expect(parseExposition('# HELP a b\na{x="1",y="a\\"b"} 2\nb NaN\n')).toEqual([
    { name: 'a', labels: { x: '1', y: 'a\\"b' }, value: 2 },
    { name: 'b', labels: {}, value: Number.NaN },
  ]);
});

it('a legend has the values of the labels', () => {
  expect(legendOf('{{store}}, {{instance}}{{none}}', { store: 'redis', instance: 'a' })).toBe('redis, a');
});
