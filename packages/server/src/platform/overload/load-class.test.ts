import { describe, expect, it, test } from 'vitest';
import { API_PREFIX, ROUTES, SERVICE_PATHS } from '../../contract/paths.ts';
import { type LoadClass, loadClassOf } from './load-class.ts';

const SIGNED_IN = { authorization: 'Bearer x' };
const ADMITTED = { ...SIGNED_IN, 'queue-token': 'x' };

/** Every path of the API with every method it takes: a new route has to be put somewhere before this compiles. */
const CLASSES: Readonly<Record<keyof typeof ROUTES, Readonly<Record<string, LoadClass>>>> = {
  accounts: { POST: 'browse' },
  sessions: { POST: 'browse', DELETE: 'browse' },
  sessionsRefresh: { POST: 'join' },
  me: { GET: 'browse', DELETE: 'browse' },
  myOrders: { GET: 'purchase' },
  festivals: { GET: 'browse', POST: 'service' },
  festival: { GET: 'browse', PATCH: 'service', DELETE: 'service' },
  festivalSales: { POST: 'service' },
  festivalAttendees: { GET: 'service' },
  sale: { GET: 'browse', PATCH: 'service' },
  saleOpen: { POST: 'service' },
  salePause: { POST: 'service' },
  saleResume: { POST: 'service' },
  saleClose: { POST: 'service' },
  saleRebuild: { POST: 'service' },
  saleAdmission: { GET: 'service', PUT: 'service' },
  saleReadiness: { GET: 'service' },
  saleHistory: { GET: 'service' },
  saleReport: { GET: 'service' },
  saleState: { GET: 'join' },
  saleLive: { GET: 'join' },
  saleQueue: { POST: 'join', GET: 'poll', DELETE: 'purchase' },
  saleHolds: { POST: 'hold' },
  saleOrders: { GET: 'service' },
  hold: { GET: 'purchase', DELETE: 'purchase' },
  holdPayments: { POST: 'purchase' },
  payment: { GET: 'purchase' },
  order: { GET: 'purchase' },
  orderCancel: { POST: 'purchase' },
  checkIns: { POST: 'service' },
  operationsLive: { GET: 'service' },
};

const rows = Object.entries(CLASSES).flatMap(([name, methods]) =>
  Object.entries(methods).map(([method, loadClass]) => ({ name: name as keyof typeof ROUTES, method, loadClass })),
);

describe('the class of a request', () => {
  test.each(rows)('$method $name is $loadClass, with a query too', ({ name, method, loadClass }) => {
    const url = API_PREFIX + ROUTES[name].replace(/:\w+/g, '17');
    expect(loadClassOf({ method, url, headers: ADMITTED })).toBe(loadClass);
    expect(loadClassOf({ method, url: `${url}?limit=3`, headers: ADMITTED })).toBe(loadClass);
  });

  test.each(rows.filter(({ loadClass }) => ['hold', 'purchase', 'service'].includes(loadClass)))(
    'nobody gets in front with $method $name without an access token',
    ({ name, method }) => {
      const url = API_PREFIX + ROUTES[name].replace(/:\w+/g, '17');
      expect(loadClassOf({ method, url, headers: { 'queue-token': 'x' } })).toBe('browse');
    },
  );

  it('a hold without a queue token is refused anyway', () => {
    expect(loadClassOf({ method: 'POST', url: '/api/v1/sales/17/holds', headers: SIGNED_IN })).toBe('browse');
  });

  test.each([SERVICE_PATHS.live, SERVICE_PATHS.ready, SERVICE_PATHS.metrics])('%s needs no token', (url) => {
    expect(loadClassOf({ method: 'GET', url, headers: {} })).toBe('service');
  });

  test.each([
    '',
    '/',
    '*',
    '/docs',
    '/openapi.json',
    '/api/v1',
    '/api/v2/sales/1/holds',
    '/metrics/all',
    '//health/live',
  ])('whatever else there is, as "%s", goes last', (url) => {
    expect(loadClassOf({ method: 'GET', url, headers: ADMITTED })).toBe('browse');
  });
});
