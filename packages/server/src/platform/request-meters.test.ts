import { expect, it } from 'vitest';
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
