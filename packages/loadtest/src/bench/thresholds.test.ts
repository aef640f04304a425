import { describe, expect, test } from 'vitest';
import { ATTACK_NAMES, FLOODS } from './attacks.ts';
import { BENCH_SCENARIOS, type BenchScenario } from './plan.ts';
import { resolveLoad } from './profiles.ts';
import { boundedEndpoints, thresholdsOf } from './thresholds.ts';

function thresholds(scenario: BenchScenario, thresholdFactor = 1): Record<string, string[]> {
  const { load, sale } = resolveLoad(scenario, 'average');
  return thresholdsOf({ scenario, profile: 'average', load, capacity: sale.capacity, thresholdFactor });
}

const bound = (endpoint: string): string => `http_req_duration{name:${endpoint},expected_response:true}`;

describe.each(BENCH_SCENARIOS)('the thresholds of %s', (scenario) => {
  const found = thresholds(scenario);

  test('fail a run for one wrong answer, one ticket too many, one visit cut off and one dropped iteration', () => {
    expect(found).toMatchObject({
      unexpected_answers: ['count==0'],
      tickets_oversold: ['count==0'],
      stock_mismatch: ['count==0'],
      visits_cut_off: ['count==0'],
      dropped_iterations: ['count==0'],
    });
  });

  test('bound the 95th and the 99th percentile of the answers of each endpoint it asks', () => {
    expect(boundedEndpoints(scenario).length).toBeGreaterThan(0);
    for (const endpoint of boundedEndpoints(scenario)) {
      const [p95 = '', p99 = ''] = found[bound(endpoint)] ?? [];
      const [lower, upper] = [p95.replace('p(95)<', ''), p99.replace('p(99)<', '')].map(Number);
      expect(lower).toBeGreaterThan(0);
      expect(upper).toBeGreaterThan(lower ?? Number.POSITIVE_INFINITY);
    }
  });

  test('say something of who was served', () => {
    const said = Object.keys(found).filter((metric) => /^(visits\{|http_req_failed\{)/.test(metric));
    expect(said.length).toBeGreaterThan(0);
  });
});

test('a factor multiplies latencies and loosens shares, and leaves what is counted as wrong', () => {
  const [normal, slow] = [thresholds('waiting'), thresholds('waiting', 2.5)];
  expect(normal[bound('poll')]).toEqual(['p(95)<150', 'p(99)<400']);
  expect(slow[bound('poll')]).toEqual(['p(95)<375', 'p(99)<1000']);
  expect(slow['http_req_failed{name:poll}']).toEqual(['rate<=0.025']);
  expect(slow.unexpected_answers).toEqual(normal.unexpected_answers);
});

test('where people come by themselves the wait for a connection is bounded, too', () => {
  expect(thresholds('onsale', 2).http_req_blocked).toEqual(['p(99)<2000']);
  expect(thresholds('funnel').http_req_blocked).toBeUndefined();
});

test('each attack has to have been refused, but for floods and the one that needs a token that is not always at hand', () => {
  const metrics = Object.keys(thresholds('abuse'));
  const of = (metric: string) => ATTACK_NAMES.filter((attack) => metrics.includes(`${metric}{attack:${attack}}`));
  expect(of('attack_tries')).toEqual(FLOODS);
  expect(of('attack_refusals')).toEqual(
    ATTACK_NAMES.filter((attack) => attack !== 'expiredAccessToken' && !FLOODS.includes(attack)),
  );
});

test('where tickets are sold, none sold is a failure', () => {
  expect(thresholds('onsale').purchases).toEqual(['count>0']);
  expect(thresholds('waiting').purchases).toBeUndefined();
});
