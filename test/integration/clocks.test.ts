/** Servers that start while the clock of a store, or their own, is wrong by an hour. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClockReaders } from '@fest/server/platform/clock-sources';
import { createMysqlPool } from '@fest/server/platform/mysql';
import { selectRows } from '@fest/server/platform/mysql-statements';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { hold } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

const HOUR_MS = 3_600_000;
/** Several rounds of the sweeper and, should the lease change hands, of the ticker. */
const SEVERAL_ROUNDS_MS = 3_000;

integration('a server that starts with a clock an hour off', () => {
  let one: TestApp;
  beforeEach(async () => {
    one = await buildTestApp();
  });
  afterEach(() => one?.close());

  const cases = [
    { source: 'redis', aheadMs: HOUR_MS },
    { source: 'redis', aheadMs: -HOUR_MS },
    { source: 'mysql', aheadMs: HOUR_MS },
    { source: 'system', aheadMs: HOUR_MS },
  ] as const;

  it.for(cases)(
    '($source by $aheadMs ms) ends no hold and no sale, and lets buyers in',
    async ({ source, aheadMs }) => {
      const { services } = one;
      const closesAt = new Date(services.clock.nowMs() + HOUR_MS / 2).toISOString();
      const opensAt = new Date(services.clock.nowMs() + HOUR_MS / 4).toISOString();
      const sale = await one.createSale({ opensAt, closesAt });
      const buyer = await one.createAccount();
      const { holdId } = await hold(one, buyer, sale.id, 2);
      const right = createClockReaders(services);
      const clockReaders = { [source]: async () => (await right[source]()) + aheadMs };
      const two = await buildTestApp({ besides: one, clockReaders });
      try {
        await two.core.live.refresh(sale.id);
        two.core.live.follow(sale.id);
        await one.core.ticker.stop();
        await sleep(SEVERAL_ROUNDS_MS);
        const state = (await two.core.live.refresh(sale.id))?.snapshot;
        expect(state).toMatchObject({ held: 2, storedPhase: 'open' });
        expect((await hold(two, await one.createAccount(), sale.id)).holdId).not.toBe(holdId);
        expect(await offsetOf(two, source)).toBeCloseTo(aheadMs / 1000, 0);
      } finally {
        await two.close();
      }
    },
  );

  it('reads the same time from all three, whatever the time zone of MySQL', async () => {
    const pool = createMysqlPool(one.stores.mysqlUrl, 1);
    try {
      for (const zone of ['+00:00', '+05:30', '-11:00']) {
        await pool.query('SET time_zone = ?', [zone]);
        const [row] = await selectRows<{ zone: string }>(pool, 'SELECT @@session.time_zone AS zone');
        expect(row?.zone).toBe(zone);
        const { redis, mysql, system } = createClockReaders({ redis: one.services.redis, mysql: pool });
        const nowMs = Date.now();
        for (const read of [redis, mysql, system]) expect(Math.abs((await read()) - nowMs)).toBeLessThan(1_000);
      }
    } finally {
      await pool.end();
    }
  });
});

async function offsetOf(server: TestApp, source: string): Promise<number> {
  const { body } = await server.app.inject({ method: 'GET', url: '/metrics' });
  return Number(new RegExp(`^fest_clock_offset_seconds\\{source="${source}"\\} (\\S+)$`, 'm').exec(body)?.[1]);
}
