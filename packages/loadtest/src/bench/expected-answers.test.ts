import { expect, test } from 'vitest';
import { BUSY, expectedRefusals, isAnswered, kindOf } from './expected-answers.ts';
import { BENCH_SCENARIOS } from './plan.ts';

test('a busy server may say so anywhere', () => {
  for (const scenario of BENCH_SCENARIOS) {
    const expected = expectedRefusals(scenario, 'poll');
    expect(kindOf(503, 'overloaded', expected)).toBe('refused');
    expect(kindOf(429, 'rate_limited', expected)).toBe('refused');
  }
});

test('tickets may be gone in an onsale, and not where there is one for everybody', () => {
  expect(kindOf(409, 'sold_out', expectedRefusals('onsale', 'hold'))).toBe('refused');
  expect(kindOf(409, 'sold_out', expectedRefusals('festival', 'hold'))).toBe('unexpected');
});

test.each([
  [0, undefined],
  [500, 'internal_error'],
  [503, 'store_unavailable'],
  [503, 'sale_recovering'],
  [401, 'unauthenticated'],
  [404, undefined],
])('%s %s is an answer that nobody may get', (status, code) => {
  expect(kindOf(status, code, expectedRefusals('onsale', 'hold'))).toBe('unexpected');
});

test('a 503 without the code of a problem is of something that stands before the servers', () => {
  expect(kindOf(503, undefined, BUSY)).toBe('unexpected');
  expect(kindOf(429, undefined, BUSY)).toBe('unexpected');
  expect(kindOf(204, undefined, BUSY)).toBe('good');
});

test('who was sent away has not been answered, who was told that all is sold has', () => {
  expect([0, 429, 503].filter(isAnswered)).toEqual([]);
  expect([101, 200, 304, 401, 409, 410, 500, 502, 504].filter((status) => !isAnswered(status))).toEqual([]);
});
