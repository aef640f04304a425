/** An operator's pause outlives the server that took it and the Redis that knew it. */

import { PhaseReconciler, type PhaseReconcilerOptions } from '@fest/server/features/operations/phase-reconciler';
import { changePhase } from '@fest/server/features/operations/store';
import { selectRows } from '@fest/server/platform/mysql-statements';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { eventually } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

integration('a change of phase', () => {
  let server: TestApp;
  let reconciler: PhaseReconciler;
  let isBehind = false;
  beforeAll(async () => {
    server = await buildTestApp();
    const { core, services } = server;
    await core.phaseReconciler.stop();
    const record: PhaseReconcilerOptions['record'] = (change) => core.log.append(change);
    reconciler = new PhaseReconciler({ ...services, live: core.live, record, isBehind: () => isBehind });
  });
  afterAll(() => server?.close());

  /** The server died before it wrote what the script had done. */
  async function pauseWithoutRecord(saleId: number): Promise<void> {
    const { core, services } = server;
    const epoch = core.live.get(saleId)?.snapshot.epoch ?? 0;
    const result = await changePhase(services.redis, saleId, epoch, 'pause', services.clock.nowMs());
    expect(result.status).toBe('changed');
    await core.live.refresh(saleId);
  }

  const archivedPhase = async (saleId: number) => {
    await server.core.applier.drain(5_000);
    const sql = 'SELECT phase FROM sales WHERE id = ?';
    const [row] = await selectRows<{ phase: string }>(server.services.mysql, sql, [saleId]);
    return row?.phase;
  };

  it('that the log never heard of is written when two rounds have found it, once, and is there after a rebuild', async () => {
    const { id: saleId } = await server.createSale();
    expect(await archivedPhase(saleId)).toBe('open');
    await pauseWithoutRecord(saleId);
    expect(await reconciler.compareAll()).toBe(0);
    expect(await archivedPhase(saleId)).toBe('open');
    expect(await reconciler.compareAll()).toBe(1);
    expect(await archivedPhase(saleId)).toBe('paused');
    expect([await reconciler.compareAll(), await reconciler.compareAll()]).toEqual([0, 0]);

    const { core, services } = server;
    await services.redis.flushdb();
    await eventually(async () => (core.live.get(saleId)?.snapshot.epoch ?? 0) > 1, 'the sale is built anew');
    expect(core.live.get(saleId)?.phase).toBe('paused');
  });

  it('that is in the log already is left alone, however late MySQL hears of it', async () => {
    const { id: saleId } = await server.createSale();
    await archivedPhase(saleId);
    expect([await reconciler.compareAll(), await reconciler.compareAll()]).toEqual([0, 0]);
    await pauseWithoutRecord(saleId);
    isBehind = true;
    for (let round = 0; round < 3; round += 1) expect(await reconciler.compareAll()).toBe(0);
    isBehind = false;
    expect([await reconciler.compareAll(), await reconciler.compareAll()]).toEqual([0, 1]);
  });
});
