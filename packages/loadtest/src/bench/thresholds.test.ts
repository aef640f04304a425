import { describe, expect, test } from 'vitest';
import { ATTACK_NAMES } from './attacks.ts';
import { BENCH_SCENARIOS } from './plan.ts';
import { boundedEndpoints, thresholdsOf } from './thresholds.ts';

describe.each(BENCH_SCENARIOS)('the thresholds of %s', (scenario) => {
  const thresholds = thresholdsOf(scenario, 1);

  test('fail a run for one wrong answer, one ticket too many and one dropped iteration', () => {
    expect(thresholds).toMatchObject({
      unexpected_answers: ['count==0'],
      tickets_oversold: ['count==0'],
      dropped_iterations: ['count==0'],
    });
  });

  test('bound the 95th and the 99th percentile of each endpoint it asks', () => {
    expect(boundedEndpoints(scenario).length).toBeGreaterThan(0);
    for (const endpoint of boundedEndpoints(scenario)) {
      const [p95 = '', p99 = ''] = thresholds[`http_req_duration{name:${endpoint}}`] ?? [];
      const [lower, upper] = [p95.replace('p(95)<', ''), p99.replace('p(99)<', '')].map(Number);
      expect(lower).toBeGreaterThan(0);
      expect(upper).toBeGreaterThan(lower ?? Number.POSITIVE_INFINITY);
    }
  });
});

test('a factor multiplies latencies and nothing else', () => {
  const [normal, slow] = [thresholdsOf('waiting', 1), thresholdsOf('waiting', 2.5)];
  expect(normal['http_req_duration{name:poll}']).toEqual(['p(95)<150', 'p(99)<400']);
  expect(slow['http_req_duration{name:poll}']).toEqual(['p(95)<375', 'p(99)<1000']);
  expect(slow.unexpected_answers).toEqual(normal.unexpected_answers);
});

test('where people come by themselves the wait for a connection is bounded, too', () => {
  expect(thresholdsOf('onsale', 2).http_req_blocked).toEqual(['p(99)<2000']);
  expect(thresholdsOf('funnel', 1).http_req_blocked).toBeUndefined();
});

test('each attack has to have been tried, but for the one that needs a token that is not always at hand', () => {
  const tried = Object.keys(thresholdsOf('abuse', 1)).filter((metric) => metric.startsWith('attack_tries{'));
  expect(tried).toEqual(
    ATTACK_NAMES.filter((attack) => attack !== 'expiredAccessToken').map((attack) => `attack_tries{attack:${attack}}`),
  );
});

test('where tickets are sold, none sold is a failure', () => {
  expect(thresholdsOf('onsale', 1).purchases).toEqual(['count>0']);
  expect(thresholdsOf('waiting', 1).purchases).toBeUndefined();
});
