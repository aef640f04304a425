/** A Redis that is lost takes all sales with it: all of them are back soon, those that sell first, whoever does the work. */
import { randomUUID } from 'node:crypto';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { buy, eventually } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

const SALES = Number(process.env.FEST_TEST_LOST_SALES ?? 400);
const OPEN_EVERY = 20;
const HOUR_MS = 3_600_000;

integration(`${SALES} sales whose states are lost at once`, () => {
  let first: TestApp;
  let second: TestApp;
  beforeAll(async () => {
    first = await buildTestApp();
    second = await buildTestApp({ besides: first });
  });
  afterAll(async () => {
    await second?.close();
    await first?.close();
  });

  /** Rows only; both servers follow them, and Redis has no state of any. */
  async function insertLostSales(festivalId: number): Promise<ReadonlyMap<number, boolean>> {
    const { mysql, clock } = first.services;
    const nowMs = clock.nowMs();
    const marker = randomUUID();
    const rows = Array.from({ length: SALES }, (_, index) => {
      const opensAtMs = index % OPEN_EVERY === 0 ? nowMs - HOUR_MS : nowMs + 100 * HOUR_MS;
      return [
        ...[
          festivalId,
          marker,
          5_000,
          'EUR',
          10,
          4,
          opensAtMs,
          opensAtMs + 1_000 * HOUR_MS,
          opensAtMs,
          'keep',
          300,
          120,
        ],
        ...[50, 500, nowMs],
      ];
    });
    await changeRows(
      mysql,
      `INSERT INTO sales (festival_id, name, price, currency, capacity, limit_per_buyer, opens_at_ms, closes_at_ms,
         refund_until_ms, rejoin, hold_seconds, admission_seconds, per_second, max_active, created_at_ms) VALUES ?`,
      [rows],
    );
    const inserted = await selectRows<{ id: number; opens: number }>(
      mysql,
      'SELECT id, opens_at_ms AS opens FROM sales WHERE name = ?',
      [marker],
    );
    return new Map(inserted.map(({ id, opens }) => [id, opens < nowMs]));
  }

  it('are all back soon, the open ones first, each built once, and the rest of the API goes on', async () => {
    const present = await first.createSale({ capacity: 20 });
    const sales = await insertLostSales(present.festivalId);
    const backAtMs = new Map<number, number>();
    const startedAtMs = performance.now();
    for (const id of sales.keys()) for (const { core } of [first, second]) core.live.follow(id);
    const watch = setInterval(() => {
      for (const id of sales.keys()) {
        if (!backAtMs.has(id) && first.core.live.get(id) !== undefined) backAtMs.set(id, performance.now());
      }
    }, 20);
    // Whoever buys elsewhere notices nothing.
    const bought = [];
    for (const server of [first, second, first])
      bought.push(await buy(server, await first.createAccount(), present.id));
    await eventually(async () => backAtMs.size === sales.size, 'all sales are back', 150_000);
    clearInterval(watch);
    const tookMs = performance.now() - startedAtMs;
    const rebuilt = [first, second].map(({ core }) => core.rebuilds.counts.finished);
    const open = [...sales].flatMap(([id, isOpen]) => (isOpen ? [backAtMs.get(id) ?? 0] : []));
    const openMs = Math.max(...open) - startedAtMs;
    process.stderr.write(
      `${SALES} sales lost: the ${open.length} open ones are back after ${Math.round(openMs)} ms, all after ` +
        `${Math.round(tookMs)} ms; built by the servers: ${rebuilt.join(' and ')}\n`,
    );

    expect(bought).toHaveLength(3);
    await eventually(
      async () => [...sales.keys()].every((id) => second.core.live.get(id) !== undefined),
      'both see them',
    );
    const ids = [...sales.keys()];
    expect(new Set(ids.map((id) => first.core.live.get(id)?.snapshot.epoch))).toEqual(new Set([2]));
    expect(await selectRows(first.services.mysql, 'SELECT sale_id FROM rebuilds')).toEqual([]);
    expect(rebuilt.reduce((sum, count) => sum + count, 0)).toBe(SALES);
    // Neither server has done nearly everything.
    expect(Math.min(...rebuilt)).toBeGreaterThan(SALES / 10);
    // Were they built in any order, one of them would be among the last.
    expect(openMs).toBeLessThan(0.8 * tookMs);
  }, 180_000);
});
