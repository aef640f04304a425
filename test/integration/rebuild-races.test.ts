/** Moments between two steps of a rebuild: what another server sees then, and what a start or a stop may miss. */
import { LiveSales } from '@fest/server/features/stock/live-sales';
import { createRebuildStore, type RebuildStore } from '@fest/server/features/stock/rebuild-store';
import { Rebuilds } from '@fest/server/features/stock/rebuilds';
import { LIMITS } from '@fest/server/limits';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { eventually } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

integration('rebuilds step by step', () => {
  let server: TestApp;
  let real: RebuildStore;
  const running: Array<{ stop(): unknown }> = [];

  beforeAll(async () => {
    // Its own rebuilds do not run: the test has others in their place.
    server = await buildTestApp({ started: false });
    real = createRebuildStore(server.services.mysql);
  });
  afterAll(async () => {
    for (const part of running) await part.stop();
    await server?.close();
  });

  /** As another server has them, with its own memory of the sales, on the same log. */
  function newRebuilds(store: Partial<RebuildStore> = {}): { readonly rebuilds: Rebuilds; readonly live: LiveSales } {
    const { redis, clock, logger } = server.services;
    const onSuspect = (saleId: number, reason: string): void => rebuilds.suspect(saleId, reason);
    const live = new LiveSales({ redis, clock, logger, onSuspect });
    const rebuilds = new Rebuilds({
      redis,
      clock,
      logger,
      live,
      store: { ...real, ...store },
      log: server.core.log,
    });
    running.push(rebuilds, live);
    return { rebuilds, live };
  }

  const epochOf = async (saleId: number) => (await real.readSale(saleId))?.epoch;

  it('do not begin again because a new epoch is committed and not in place yet', async () => {
    const sale = await server.createSale({ capacity: 5 });
    const [committed, mayGoOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { rebuilds: slow } = newRebuilds({
      async commit(saleId, epoch) {
        const isFirst = await real.commit(saleId, epoch);
        committed.resolve();
        await mayGoOn.promise;
        return isFirst;
      },
    });
    const { rebuilds: watching, live } = newRebuilds({ listRequests: async () => [] });
    await slow.start();
    await watching.start();
    await live.refresh(sale.id);

    await slow.request(sale.id, 'the test says so');
    await committed.promise;
    await server.services.redis.del(saleKeys.sale(sale.id));
    // Both the one who is at it and one who looks on ask Redis now, and find nothing.
    for (let look = 0; look < 3; look += 1) {
      slow.suspect(sale.id, 'nothing there');
      watching.suspect(sale.id, 'nothing there');
      await sleep(LIMITS.rebuildRetryMs / 2);
    }
    expect(await real.findRequest(sale.id)).toBeUndefined();
    // However long it takes, whoever is at it does not take it for lost.
    await sleep(LIMITS.rebuildSettleMs);
    slow.suspect(sale.id, 'nothing there');
    await sleep(LIMITS.rebuildRetryMs);
    expect(await real.findRequest(sale.id)).toBeUndefined();
    mayGoOn.resolve();
    await eventually(async () => (await live.read(sale.id)).status === 'sound', 'the state is in place');
    expect(live.newestEpoch(sale.id)).toBe(2);
    await sleep(LIMITS.rebuildSettleMs);
    expect(await epochOf(sale.id)).toBe(2);
    await slow.stop();
    await watching.stop();
  });

  it('begin again when whoever committed the epoch never puts it in place', async () => {
    const sale = await server.createSale({ capacity: 5 });
    const { rebuilds, live } = newRebuilds();
    await rebuilds.start();
    live.start();
    await live.refresh(sale.id);
    // What a server leaves that dies right after its commit.
    await real.commit(sale.id, 2);
    await server.services.redis.del(saleKeys.sale(sale.id));
    const goneAtMs = performance.now();
    await eventually(async () => live.get(sale.id)?.snapshot.epoch === 3, 'the sale is built anew');
    expect(performance.now() - goneAtMs).toBeGreaterThan(LIMITS.rebuildSettleMs / 2);
    await rebuilds.stop();
    live.stop();
  });

  it('that are committed while a server starts are not missed by it', async () => {
    const sale = await server.createSale({ capacity: 5 });
    let asked = 0;
    /** Between its two questions, whatever their order. */
    const commitInBetween = async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
      const result = await answer;
      asked += 1;
      if (asked === 1) await real.commit(sale.id, 2);
      return result;
    };
    const epochs = { observed: 1, highestSeen: 1 };
    await real.request({ saleIds: [sale.id], reason: 'the test says so', requestedAtMs: 0 }, epochs);
    const { rebuilds, live } = newRebuilds({
      listRequests: () => commitInBetween(real.listRequests()),
      readEpochs: () => commitInBetween(real.readEpochs()),
    });
    await rebuilds.start();
    expect(asked).toBe(2);
    expect(live.floor(sale.id)).toBe(2);
    // So the state of the first epoch, which is in Redis still, is not sold from.
    expect((await live.read(sale.id)).status).toBe('doubtful');
    await rebuilds.stop();
  });

  it('stop between two sales, and finish the one that is being put in place', async () => {
    const sales = [];
    for (let count = 0; count < 4 * LIMITS.rebuildsAtOnce; count += 1) sales.push(await server.createSale());
    let begun = 0;
    let read = 0;
    const mayGoOn = Promise.withResolvers<void>();
    const { rebuilds } = newRebuilds({
      readSold(saleId) {
        read += 1;
        return real.readSold(saleId);
      },
      async commit(saleId, epoch) {
        begun += 1;
        await mayGoOn.promise;
        return real.commit(saleId, epoch);
      },
    });
    await rebuilds.start();
    const saleIds = sales.map(({ id }) => id);
    const epochs = { observed: 1, highestSeen: 1 };
    await real.request({ saleIds, reason: 'the test says so', requestedAtMs: 0 }, epochs);
    await eventually(async () => begun === LIMITS.rebuildsAtOnce, 'as many as allowed are at the commit');
    const stopped = rebuilds.stop();
    mayGoOn.resolve();
    await stopped;
    expect([read, begun]).toEqual([LIMITS.rebuildsAtOnce, LIMITS.rebuildsAtOnce]);
    const { redis } = server.services;
    const stored = await Promise.all(saleIds.map((id) => redis.hget(saleKeys.sale(id), 'epoch')));
    const epochsNow = await Promise.all(saleIds.map(epochOf));
    expect(epochsNow.filter((epoch) => epoch === 2)).toHaveLength(LIMITS.rebuildsAtOnce);
    expect(stored.map((text) => Number.parseInt(text ?? '', 10))).toEqual(epochsNow);
  });
});
