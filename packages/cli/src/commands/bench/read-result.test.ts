import { describe, expect, test } from 'vitest';
import { benchResult } from '../../test-support/bench-result.ts';
import { parseResult, readResult } from './read-result.ts';

const whole = (): Record<string, unknown> => JSON.parse(JSON.stringify(benchResult()));

/** A result in which one thing, named by its path, is another. */
function changed(path: readonly string[], value: unknown): string {
  const result = whole();
  let place: Record<string, unknown> = result;
  for (const name of path.slice(0, -1)) place = place[name] as Record<string, unknown>;
  const last = path.at(-1) ?? '';
  if (value === undefined) delete place[last];
  else place[last] = value;
  return JSON.stringify(result);
}

const whyOf = (text: string): string => {
  const parsed = parseResult(text);
  return parsed.status === 'unreadable' ? parsed.why : 'it is a result';
};

test('what fest writes comes back as it was', () => {
  expect(parseResult(JSON.stringify(benchResult()))).toEqual({ status: 'result', result: whole() });
});

test.each([
  [['totals', 'requests'], 'many', 'totals.requests is no number'],
  [['totals', 'requests'], undefined, 'totals.requests is no number'],
  [['totals', 'latency', 'p99Ms'], -1, 'totals.latency.p99Ms is below zero'],
  [['timeline', '3', 'latency'], null, 'timeline[3].latency is no object'],
  [['timeline', '3', 'endpoints', 'poll', 'count'], '7', 'timeline[3].endpoints.poll.count is no number'],
  [['config', 'load', 'kind'], 'flood', 'config.load.kind is none of users, arrivals, closed'],
  [['config', 'load', 'stages', '0'], {}, 'config.load.stages[0].perSecond is no number'],
  [['startedAt'], 'yesterday', 'startedAt is no time'],
  [['interrupted'], 0, 'interrupted is neither true nor false'],
  [['verdict'], 'fine', 'verdict is none of passed, failed, partial'],
  [['faults'], {}, 'faults is no list'],
  [['cpu', 'processes', 'redis'], null, 'cpu.processes.redis is no number'],
])('%j as %j is found', (path, value, fault) => {
  expect(whyOf(changed(path, value))).toContain(fault);
});

test.each([
  [['target', 'sameMachine'], 'yes', 'target.sameMachine is neither true nor false'],
  [['config', 'gateway'], { latencyMs: 1 }, 'config.gateway.latencySigma is no number'],
  [['totals', 'timeToOrder'], 5, 'totals.timeToOrder is no object'],
])('%j may be missing, as in earlier results, but not be wrong', (path, value, fault) => {
  expect(whyOf(changed(path, undefined))).toBe('it is a result');
  expect(whyOf(changed(path, value))).toContain(fault);
});

describe('what is newer', () => {
  test('more fields, endpoints and codes do no harm', () => {
    expect(whyOf(changed(['totals', 'more'], 1))).toBe('it is a result');
    expect(whyOf(changed(['endpoints', '0', 'endpoint'], 'tomorrow'))).toBe('it is a result');
    expect(whyOf(changed(['faults'], [{ code: 'tomorrow', message: 'x' }]))).toBe('it is a result');
  });

  test('a newer format is said to be of a newer fest', () => {
    expect(parseResult(changed(['format'], 'fest.bench-result/2'))).toMatchObject({
      why: 'it has the format fest.bench-result/2, this fest knows fest.bench-result/1',
      fix: expect.stringContaining('newer fest'),
    });
  });
});

test.each([
  ['', 'it is not JSON'],
  ['{"format":', 'it is not JSON'],
  ['null', 'it is no result of a load test'],
  ['[]', 'it is no result of a load test'],
  ['{"format":"fest.audit/1"}', 'it is no result of a load test'],
])('%j is no result', (text, why) => {
  expect(whyOf(text)).toContain(why);
});

test('a file that is not there is named', () => {
  expect(() => readResult('/nonexistent/result.json')).toThrow(
    '/nonexistent/result.json cannot be read: there is no such file',
  );
});
