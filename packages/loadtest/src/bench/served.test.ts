import { expect, test } from 'vitest';
import { arrivalsOf } from './load-sums.ts';
import type { BenchScenario } from './plan.ts';
import { resolveLoad } from './profiles.ts';
import { servedThresholds, type ThresholdPlan } from './served.ts';

function served(scenario: BenchScenario, change: Partial<ThresholdPlan> = {}) {
  const profile = change.profile ?? 'average';
  const { load, sale } = resolveLoad(scenario, profile);
  return servedThresholds({ scenario, profile, load, capacity: sale.capacity, thresholdFactor: 1, ...change });
}

test('of a festival nobody may leave in vain, and where the gateway declines nobody all have to buy', () => {
  const thresholds = served('festival', { gatewayRefuses: false });
  for (const outcome of ['gaveUp', 'failed', 'soldOut', 'holdExpired', 'admissionExpired', 'refunded', 'declined']) {
    expect(thresholds[`visits{outcome:${outcome}}`]).toEqual(['count==0']);
  }
  expect(thresholds['visits{outcome:bought}']).toEqual(['count>=5000']);
});

test('a gateway that declines now and then leaves most with a ticket', () => {
  for (const gatewayRefuses of [true, undefined]) {
    const thresholds = served('festival', gatewayRefuses === undefined ? {} : { gatewayRefuses });
    expect(thresholds['visits{outcome:bought}']).toEqual(['count>=4000']);
    expect(thresholds['visits{outcome:declined}']).toBeUndefined();
    expect(thresholds['visits{outcome:gaveUp}']).toEqual(['count==0']);
  }
});

test.each([
  ['waiting', ['poll']],
  ['mix', ['poll', 'hold', 'pay', 'payment']],
  ['onsale', ['join', 'poll']],
] as const)(
  'in %s one of a hundred may be sent away, unless more is asked for than there is',
  (scenario, endpoints) => {
    for (const endpoint of endpoints) {
      expect(served(scenario)[`http_req_failed{name:${endpoint}}`]).toEqual(['rate<=0.01']);
      expect(served(scenario, { thresholdFactor: 50 })[`http_req_failed{name:${endpoint}}`]).toEqual(['rate<=0.5']);
      expect(served(scenario, { profile: 'stress' })[`http_req_failed{name:${endpoint}}`]).toBeUndefined();
    }
  },
);

test('of an onsale few may give up, and most of the tickets have to be sold', () => {
  const { load, sale } = resolveLoad('onsale', 'average');
  expect(served('onsale')).toMatchObject({
    'visits{outcome:gaveUp}': [`count<=${Math.floor(arrivalsOf(load) / 100)}`],
    'visits{outcome:bought}': [`count>=${sale.capacity / 2}`],
  });
  // There are tickets for everybody: what is sold is not what it is about.
  expect(served('onsale', { capacity: arrivalsOf(load) })['visits{outcome:bought}']).toBeUndefined();
  expect(served('onsale', { profile: 'stress' })).toEqual({});
});

test('the orders of the mix that are due have to come, one of the shortest run as well', () => {
  const [, due] =
    /^count>=(\d+)$/.exec(served('mix', { gatewayRefuses: false })['visits{outcome:bought}']?.[0] ?? '') ?? [];
  expect(Number(due)).toBeGreaterThan(40);
  expect(served('mix', { profile: 'smoke', gatewayRefuses: false })['visits{outcome:bought}']).toEqual(['count>=1']);
});

test('the honest beside attackers, and the buyers beside a storm of logins, have to get their tickets', () => {
  expect(served('abuse')).toMatchObject({
    'visits{scenario:honest,outcome:bought}': ['count>=144'],
    'purchases{scenario:honest}': ['count>0'],
    'visits{outcome:gaveUp}': ['count==0'],
  });
  expect(served('seedstorm')).toMatchObject({
    'visits{outcome:loggedIn}': ['count>0'],
    'visits{scenario:buyers,outcome:bought}': [expect.stringMatching(/^count>=\d{2,}$/)],
    'visits{outcome:gaveUp}': ['count==0'],
  });
});

test('everybody who watches has to be told nearly every change', () => {
  expect(served('websocket')).toMatchObject({
    live_changes_heard: ['rate>=0.95'],
    'visits{scenario:websocket,outcome:watched}': ['count>=2000'],
  });
});
