import { expect, test } from 'vitest';
import { findMysqlFault } from '../local-stack/probe-mysql.ts';
import { findRedisFault } from '../local-stack/probe-redis.ts';
import { isHealthy, runCheck } from './check.ts';
import { checkNode } from './machine-checks.ts';
import { judgeSkew } from './service-checks.ts';

test.each([
  ['24.21.0', 'ok'],
  ['25.0.0', 'ok'],
  ['22.9.0', 'fail'],
])('Node %s is %s', (version, status) => {
  expect(checkNode(version).status).toBe(status);
});

test.each([
  ['the same second, read as its beginning', 10_000, 1_000, 'ok'],
  ['a second late', 9_000, 0, 'ok'],
  ['more than a second late', 8_900, 0, 'fail'],
  ['late by less than the other clock tells', 8_100, 1_000, 'ok'],
  ['more than a second early', 11_200, 0, 'fail'],
])('a clock that is %s', (_, readMs, granularityMs, status) => {
  expect(judgeSkew('It', { beforeMs: 10_000, afterMs: 10_050 }, readMs, granularityMs).status).toBe(status);
});

test.each([
  ['7.0.15', 'noeviction', undefined],
  ['8.2.1', 'noeviction', undefined],
  ['6.2.6', 'noeviction', 'version'],
  ['7.4.0', 'allkeys-lru', 'maxmemory-policy'],
])('Redis %s with %s', (version, maxmemoryPolicy, fault) => {
  const found = findRedisFault({ version, maxmemoryPolicy, timeMs: 0 });
  if (fault === undefined) expect(found).toBeUndefined();
  else expect(found?.why).toContain(fault);
});

test.each([
  ['mysql', '8.4.0', true],
  ['mysql', '9.6.0', true],
  ['mysql', '8.0.40', false],
  ['mariadb', '10.6.1-MariaDB', true],
  ['mariadb', '11.4.2-MariaDB', true],
  ['mariadb', '10.5.9-MariaDB', false],
] as const)('%s %s will do: %s', (flavour, version, good) => {
  expect(findMysqlFault({ flavour, version }) === undefined).toBe(good);
});

test('a check that throws has failed, and doctor goes on', async () => {
  const check = await runCheck('disk', async () => {
    throw new Error('gone');
  });
  expect(check).toEqual({ name: 'disk', status: 'fail', detail: 'gone' });
  expect(isHealthy([check])).toBe(false);
  expect(isHealthy([{ name: 'x', status: 'warn', detail: '' }])).toBe(true);
});
