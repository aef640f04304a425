/** The digest that others compare sees every change of data, and nothing that servers do by themselves. */
import { reportAlive } from '@fest/server/features/archive/log-positions';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { ARCHIVE_WANTED_KEY } from '@fest/server/redis/keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { digestOfStores } from '../support/store-digest.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

let fest: TestApp;

beforeAll(async () => {
  fest = await buildTestApp({ started: false });
  await fest.createSale();
});
afterAll(() => fest?.close());

integration('the digest of the stores', () => {
  test('is the same while servers say that they live and that orders are waited for', async () => {
    const { mysql, redis } = fest.services;
    await changeRows(mysql, 'UPDATE applier_positions SET seen_at_s = seen_at_s - 5', []);
    const before = await digestOfStores(fest);
    const seen = () => selectRows(mysql, 'SELECT seen_at_s FROM applier_positions');
    const seenBefore = await seen();
    await reportAlive(mysql, fest.core.log.logId);
    expect(await seen()).not.toEqual(seenBefore);
    await redis.set(ARCHIVE_WANTED_KEY, '1');
    expect(await digestOfStores(fest)).toBe(before);
  });

  test.for([
    'UPDATE applier_positions SET lsn = lsn + 1',
    'UPDATE applier_positions SET retired_at_ms = 1',
    "UPDATE sales SET name = CONCAT(name, '!')",
  ])('is another one after %s', async (sql) => {
    const before = await digestOfStores(fest);
    const { affectedRows } = await changeRows(fest.services.mysql, sql, []);
    expect(affectedRows).toBeGreaterThan(0);
    expect(await digestOfStores(fest)).not.toBe(before);
  });

  test('is another one with another key or value in Redis', async () => {
    const { redis } = fest.services;
    const before = await digestOfStores(fest);
    await redis.set('fest:surprise', '1');
    const first = await digestOfStores(fest);
    await redis.set('fest:surprise', '2');
    expect(new Set([before, first, await digestOfStores(fest)]).size).toBe(3);
  });
});
