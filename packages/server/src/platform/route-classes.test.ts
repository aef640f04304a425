import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { ROUTE_CLASSES } from '../contract/operations.ts';
import { API_PREFIX } from '../contract/paths.ts';
import { routeClassOf } from './route-classes.ts';

/** Made of the registered routes; a test holds it against them. */
const DOCUMENT = new URL('../../../../docs/openapi.json', import.meta.url);

function registeredRoutes(): readonly (readonly [string, string])[] {
  const { paths }: { readonly paths: Record<string, object> } = JSON.parse(readFileSync(DOCUMENT, 'utf8'));
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => [method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ':$1')] as const),
  );
}

describe('every route of the server', () => {
  test.each(registeredRoutes())('%s %s has a class', (method, route) => {
    const isOfApi = route.startsWith(API_PREFIX);
    expect(routeClassOf(method, route) !== 'other').toBe(isOfApi);
  });

  it('together they use all classes', () => {
    const used = new Set(registeredRoutes().map(([method, route]) => routeClassOf(method, route)));
    expect(ROUTE_CLASSES.filter((name) => !used.has(name))).toEqual([]);
  });
});

test.each([
  ['GET', '/sales/:saleId/queue', 'wait'],
  ['POST', '/sales/:saleId/queue', 'join'],
  ['GET', '/sales/:saleId/state', 'wait'],
  ['POST', '/sales/:saleId/holds', 'hold'],
  ['POST', '/holds/:holdId/payments', 'pay'],
  ['GET', '/payments/:paymentId', 'pay'],
  ['GET', '/festivals', 'browse'],
  ['HEAD', '/festivals', 'browse'],
  ['POST', '/festivals', 'operate'],
])('%s %s is of the class %3$s', (method, route, name) => {
  expect(routeClassOf(method, API_PREFIX + route)).toBe(name);
});

test('what is no route is of the class other', () => {
  expect([routeClassOf('GET', ''), routeClassOf('GET', '/metrics')]).toEqual(['other', 'other']);
});
