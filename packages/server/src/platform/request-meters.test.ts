import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from './latency-histogram.ts';
import { LATENCY_BUCKETS, RequestMeters } from './request-meters.ts';

it('counts answers by route, method and status, and puts each time into one bucket', () => {
  const meters = new RequestMeters();
  const route = {};
  meters.count(route, '/sales', 'GET', 200, 0.0001);
  meters.count(route, '/sales', 'GET', 200, 0.001);
  meters.count(route, '/sales', 'GET', 404, 0.3);
  meters.count(route, '/sales', 'GET', 503, 60);
  const [meter, ...others] = [...meters.all()];
  expect(others).toEqual([]);
  expect(meter).toMatchObject({ route: '/sales', method: 'GET' });
  expect([...(meter?.statuses ?? [])]).toEqual([
    [200, 2],
    [404, 1],
    [503, 1],
  ]);
  const filled = [...(meter?.buckets ?? [])].map((count, index) => [LATENCY_BUCKETS[index] ?? '+Inf', count]);
  expect(filled.filter(([, count]) => count !== 0)).toEqual([
    [0.001, 2],
    [0.5, 1],
    ['+Inf', 1],
  ]);
  expect(meter?.sumSeconds).toBeCloseTo(60.3011);
});

it('counts a route that two objects stand for once', () => {
  const meters = new RequestMeters();
  meters.count({}, '/sales', 'GET', 200, 0);
  meters.count({}, '/sales', 'GET', 200, 0);
  expect([...meters.all()].map(({ statuses }) => statuses.get(200))).toEqual([2]);
});

it('has one meter per method for all paths that nobody knows', () => {
  const meters = new RequestMeters();
  const nowhere = {};
  for (const method of ['GET', 'GET', 'POST']) meters.count(nowhere, undefined, method, 404, 0);
  expect([...meters.all()].map(({ route, method, statuses }) => [route, method, statuses.get(404)])).toEqual([
    ['unknown', 'GET', 2],
    ['unknown', 'POST', 1],
  ]);
});

describe('the window of operators', () => {
  const WAIT = '/api/v1/sales/:saleId/queue';

  it('has what came since it was last looked at, by class', () => {
    const meters = new RequestMeters();
    const route = {};
    for (let count = 0; count < 3; count += 1) meters.count(route, WAIT, 'GET', 200, 0.001);
    meters.count({}, WAIT, 'POST', 200, 0.002);
    const first = meters.takeWindow();
    expect(first.answers).toBe(4);
    expect(Object.keys(first.classes).sort()).toEqual(['join', 'wait']);
    const waits = new LatencyHistogram();
    expect([waits.addEncoded(first.classes.wait?.latency ?? ''), waits.count]).toEqual([true, 3]);
    expect([first.classes.wait?.answers, first.classes.join?.answers]).toEqual([3, 1]);
    expect(meters.takeWindow()).toEqual({ answers: 0, refused: {}, classes: {} });
    meters.count(route, WAIT, 'GET', 200, 0.001);
    expect(meters.takeWindow().answers).toBe(1);
  });

  it('has refusals by code, and faults apart from overload', () => {
    const meters = new RequestMeters();
    const route = {};
    meters.count(route, WAIT, 'GET', 429, 0, 'rate_limited');
    meters.count(route, WAIT, 'GET', 503, 0, 'overloaded');
    meters.count(route, WAIT, 'GET', 503, 0, 'store_unavailable');
    meters.count(route, WAIT, 'GET', 500, 0, 'internal_error');
    const { refused, classes } = meters.takeWindow();
    expect(refused).toEqual({ rate_limited: 1, overloaded: 1, store_unavailable: 1 });
    expect(classes.wait?.errors).toBe(2);
  });

  it('counts what was shed, and says nothing of how long that took', () => {
    const meters = new RequestMeters();
    meters.countRefused(0.5);
    expect(meters.takeWindow()).toEqual({ answers: 1, refused: { overloaded: 1 }, classes: {} });
  });
});
