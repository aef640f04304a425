/** Redis sells by the settings that MySQL has committed, whatever a failed change left behind. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sale } from '@fest/server/contract/schemas';
import { createCatalogueChanges } from '@fest/server/features/catalogue/catalogue-changes';
import { SettingsReconciler } from '@fest/server/features/catalogue/settings-reconciler';
import { findSale } from '@fest/server/features/catalogue/store';
import type { SaleStates } from '@fest/server/features/stock/sale-states';
import { saleKeys } from '@fest/server/redis/keys';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { admit, ask, buy, eventually, hold } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

integration('the settings Redis sells by', () => {
  let server: TestApp;
  let reconciler: SettingsReconciler;
  let logged: { readonly level: number; readonly saleId?: number }[] = [];
  beforeAll(async () => {
    server = await buildTestApp();
    // The server's own would put right what the tests plant, before they have looked.
    await server.core.settingsReconciler.stop();
  });
  afterEach(() => reconciler?.stop());
  afterAll(() => server?.close());

  function create(intervalMs = 100): SettingsReconciler {
    logged = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => logged.push(JSON.parse(line)) });
    const { live } = server.core;
    reconciler = new SettingsReconciler({ mysql: server.services.mysql, live, saleStates: live, logger, intervalMs });
    return reconciler;
  }

  const inRedis = async (saleId: number) => (await server.core.live.refresh(saleId))?.snapshot;
  const inMysql = (saleId: number) => findSale(server.services.mysql, saleId);

  /** As if a change had reached Redis and nothing else. */
  async function plant(saleId: number, versionStep: number, { capacity, price }: { capacity: number; price: number }) {
    const found = await inRedis(saleId);
    if (found === undefined) throw new Error('Redis has no state');
    const available = found.available + capacity - found.capacity;
    const version = found.version + versionStep;
    await server.services.redis.hset(saleKeys.sale(saleId), { version, capacity, price, available });
    await inRedis(saleId);
  }

  async function expectHealed({ id, capacity, price }: Pick<Sale, 'id' | 'capacity' | 'price'>): Promise<void> {
    const healed = async () => {
      const [found, row] = [await inRedis(id), await inMysql(id)];
      return found?.capacity === capacity && found.price === price && found.version === row?.version;
    };
    await eventually(healed, 'Redis has the committed settings');
    expect(await inMysql(id)).toMatchObject({ capacity, price });
  }

  /** The change is made by these states instead of the server's own. */
  function changesWith(configure: SaleStates['configure']) {
    const { mysql, clock } = server.services;
    const { live } = server.core;
    const saleStates: SaleStates = {
      find: (sale) => live.find(sale),
      create: (sale) => live.create(sale),
      configure,
    };
    return createCatalogueChanges({
      mysql,
      clock,
      saleStates,
      announce: async () => undefined,
      reconcileSoon: (saleId) => reconciler.soon(saleId),
    });
  }

  it('are the committed ones again after a change that reached Redis and failed then, and the next change counts', async () => {
    // No rounds: the failed change itself has to see to it.
    create(3_600_000);
    const sale = await server.createSale({ capacity: 100, opened: false });
    const lost = changesWith(async (changed) => {
      await server.core.live.configure(changed);
      throw new Error('the connection broke before the answer');
    });
    await expect(lost.changeSale(undefined, sale.id, { capacity: 200, price: 1 })).rejects.toThrow('broke');
    await expectHealed(sale);

    const working = changesWith((changed) => server.core.live.configure(changed));
    await working.changeSale(undefined, sale.id, { capacity: 150 });
    await working.changeSale(undefined, sale.id, { capacity: 151 });
    await expectHealed({ ...sale, capacity: 151 });
  });

  it('are the committed ones soon after a change that reached Redis long after it was answered', async () => {
    create().start();
    const sale = await server.createSale({ capacity: 100, opened: false });
    const { promise: applied, resolve } = Promise.withResolvers<void>();
    const slow = changesWith(async (changed) => {
      await sleep(3_500);
      return server.core.live.configure(changed).finally(resolve);
    });
    expect(await slow.changeSale(undefined, sale.id, { capacity: 200 })).toEqual({ status: 'recovering' });
    await applied;
    await expectHealed(sale);
  });

  it('are replaced within a round when they differ, so that no more is sold than the capacity, at its price', async () => {
    const sale = await server.createSale({ capacity: 3, price: 5_000 });
    await plant(sale.id, 1, { capacity: 8, price: 1 });
    create().start();
    await expectHealed(sale);
    for (let ticket = 0; ticket < 3; ticket += 1) {
      const order = await buy(server, await server.createAccount(), sale.id, 1);
      expect(order.amount).toBe(5_000);
    }
    const late = await server.createAccount();
    const joined = await ask(server, late, 'POST', `/sales/${sale.id}/queue`);
    const answer =
      joined.status === 200
        ? await ask(server, late, 'POST', `/sales/${sale.id}/holds`, {
            body: { quantity: 1 },
            headers: { 'queue-token': await admit(server, late, sale.id) },
          })
        : joined;
    expect(answer).toMatchObject({ status: 409, body: { code: 'sold_out' } });
    expect(await inRedis(sale.id)).toMatchObject({ capacity: 3, available: 0, held: 0, sold: 3 });
  });

  it('are replaced also when they have the version of the committed ones, or an older one', async () => {
    const sales = [await server.createSale({ capacity: 5 }), await server.createSale({ capacity: 5 })];
    const [same, older] = sales;
    if (same === undefined || older === undefined) throw new Error('no sales');
    await plant(same.id, 0, { capacity: 6, price: 5_000 });
    await plant(older.id, -1, { capacity: 5, price: 4_000 });
    create();
    await reconciler.compareAll();
    for (const sale of sales) await expectHealed(sale);
    expect(logged.map(({ saleId }) => saleId)).toEqual([same.id, older.id]);
  });

  it('stop the sale at what was given out also when some of that came back meanwhile', async () => {
    const sale = await server.createSale({ capacity: 2 });
    await plant(sale.id, 1, { capacity: 10, price: 5_000 });
    const [buyer, other] = [await server.createAccount(), await server.createAccount()];
    const { holdId } = await hold(server, buyer, sale.id, 3);
    await buy(server, other, sale.id, 1);
    await ask(server, buyer, 'DELETE', `/holds/${holdId}`);
    await inRedis(sale.id);
    create();
    for (let round = 0; round < 3; round += 1) await reconciler.compareAll();
    expect(await inRedis(sale.id)).toMatchObject({ capacity: 4, available: 3, held: 0, sold: 1 });
    const version = (await inMysql(sale.id))?.version;
    await reconciler.compareAll();
    expect((await inMysql(sale.id))?.version).toBe(version);
    const organizer = changesWith((changed) => server.core.live.configure(changed));
    expect(await organizer.changeSale(undefined, sale.id, { capacity: 4 })).toMatchObject({ status: 'done' });
  });

  it('stop the sale at what was given out when that is more than the capacity, and raise one alarm', async () => {
    const sale = await server.createSale({ capacity: 2 });
    await plant(sale.id, 1, { capacity: 10, price: 5_000 });
    const buyer = await server.createAccount();
    await buy(server, buyer, sale.id, 3);
    create();
    for (let round = 0; round < 3; round += 1) await reconciler.compareAll();
    expect(await inRedis(sale.id)).toMatchObject({ capacity: 3, available: 0, sold: 3, price: 5_000 });
    expect(await inMysql(sale.id)).toMatchObject({ capacity: 2 });
    expect(logged.filter(({ level }) => level >= 50).length).toBe(1);
    // There is nothing left to be put right, so the version stays.
    const version = (await inMysql(sale.id))?.version;
    for (let round = 0; round < 3; round += 1) await reconciler.compareAll();
    expect((await inMysql(sale.id))?.version).toBe(version);
    expect((await inRedis(sale.id))?.version).toBe(version);

    const organizer = changesWith((changed) => server.core.live.configure(changed));
    expect(await organizer.changeSale(undefined, sale.id, { capacity: 3 })).toMatchObject({ status: 'done' });
    await reconciler.compareAll();
    await expectHealed({ ...sale, capacity: 3 });
  });

  it('are left alone while changes go well', async () => {
    create(20).start();
    const sale = await server.createSale({ capacity: 100, opened: false });
    const changes = changesWith((changed) => server.core.live.configure(changed));
    for (let capacity = 101; capacity <= 130; capacity += 1) {
      expect(await changes.changeSale(undefined, sale.id, { capacity })).toMatchObject({ status: 'done' });
    }
    await expectHealed({ ...sale, capacity: 130 });
    expect(logged).toEqual([]);
  });
});

integration('a server', () => {
  it('puts right by itself what Redis sells by', async () => {
    const server = await buildTestApp();
    try {
      const sale = await server.createSale({ capacity: 5 });
      await server.services.redis.hset(saleKeys.sale(sale.id), { capacity: 9, available: 9, price: 1 });
      await eventually(async () => {
        const found = (await server.core.live.refresh(sale.id))?.snapshot;
        return found?.capacity === 5 && found.available === 5 && found.price === sale.price;
      }, 'Redis has the committed settings');
    } finally {
      await server.close();
    }
  });
});
