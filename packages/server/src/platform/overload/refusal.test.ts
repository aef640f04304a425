import { Value } from 'typebox/value';
import { expect, it, test } from 'vitest';
import { ProblemBody } from '../../contract/schemas.ts';
import { overloadRefusal } from './refusal.ts';

it('is the problem document that everything else would give', () => {
  const { status, headers, body } = overloadRefusal('/api/v1/sales/7/queue', 12);
  const pairs = Array.from({ length: headers.length / 2 }, (_, index) => headers.slice(2 * index, 2 * index + 2));
  expect(status).toBe(503);
  expect(Object.fromEntries(pairs)).toEqual({
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    'Retry-After': '12',
    'Content-Length': String(Buffer.byteLength(body ?? '')),
  });
  const problem: unknown = JSON.parse(String(body));
  expect(Value.Check(ProblemBody, problem)).toBe(true);
  expect(problem).toMatchObject({
    type: '/docs/problems/overloaded',
    code: 'overloaded',
    instance: '/api/v1/sales/7/queue',
    retryAfterMs: 12_000,
  });
});

test.each(['/"},"x":{"', '/a b', '/\\', '/caf\u00e9', `/${'x'.repeat(5_000)}`, '*', ''])(
  'does not repeat a path that would have to be escaped, or is none: %j',
  (path) => {
    expect(JSON.parse(String(overloadRefusal(path, 1).body)).instance).toBe('');
  },
);
