/** When the applier waits for more records, and when it hurries. */
import { setTimeout as sleep } from 'node:timers/promises';
import { wantArchive } from '@fest/server/features/archive/archive-wanted';
import { LIMITS } from '@fest/server/limits';
import { describe, expect, it } from 'vitest';
import { applierScene, ordersOf } from '../support/applier-scene.ts';
import { orderOf } from '../support/archive.ts';
import { integration } from '../support/integration.ts';
import { until } from '../support/visitor.ts';

integration('the pace of the applier', () => {
  const scene = applierScene();

  describe('waits for more records before a small batch', () => {
    /** The shortest of some tries: what a busy machine adds says nothing. Who lingers is never shorter than that. */
    async function shortest(measure: (round: number) => Promise<unknown>): Promise<number> {
      let best = Number.POSITIVE_INFINITY;
      for (let round = 1; round <= 6; round += 1) {
        const begin = performance.now();
        await measure(round);
        best = Math.min(best, performance.now() - begin);
        await sleep(20);
      }
      return best;
    }
    const applied = (lsn: number) =>
      until(
        async () => scene.applier.appliedLsn,
        (at) => at >= lsn,
      );

    it('as long as nobody waits for it', async () => {
      expect(await shortest(async (n) => applied(await scene.log.append(orderOf(n))))).toBeGreaterThan(
        LIMITS.applierLingerMs - 20,
      );
    });

    it('but not when somebody does', async () => {
      const took = await shortest(async (n) => {
        await scene.log.append(orderOf(n));
        await scene.applier.drain(5_000);
      });
      expect(took).toBeLessThan(LIMITS.applierLingerMs);
      const lateComer = await shortest(async (n) => {
        await scene.log.append(orderOf(100 + n));
        // It lingers already.
        await sleep(60);
        await scene.applier.drain(5_000);
      });
      expect(lateComer).toBeLessThan(LIMITS.applierLingerMs);
    });

    it('and not when the acknowledgement of an epoch is among them', async () => {
      const took = await shortest(async (epoch) => {
        await scene.log.append(orderOf(epoch));
        const lsn = await scene.log.append({
          type: 'epochStarted',
          saleId: 7 + epoch,
          epoch: 2,
          at: 1,
          queueHighWater: 0,
          reason: 'test',
        });
        await applied(lsn);
      });
      expect(took).toBeLessThan(LIMITS.applierLingerMs);
    });
  });

  describe('waits for larger batches while records come fast', () => {
    const STEP_MS = 10;
    /** Some times as many as it takes: a busy machine stumbles. */
    const PER_SECOND = (2.5 * 1_000 * LIMITS.applierBusyRecords) / LIMITS.applierLingerMs;
    /** The shortest of these counts, or the longest: what a busy machine adds or interrupts says nothing. */
    const ROUNDS = 2;

    /** Appends orders fast until told to stop. */
    function orderFast(): { stop(): Promise<void> } {
      const sent: Array<Promise<number>> = [];
      const beganAtMs = performance.now();
      const first = scene.log.durableLsn + 1;
      let next = first;
      const timer = setInterval(() => {
        const due = first + ((performance.now() - beganAtMs) / 1_000) * PER_SECOND;
        for (; next <= due; next += 1) sent.push(scene.log.append({ ...orderOf(next), capacity: 1_000_000 }));
      }, STEP_MS);
      return {
        async stop() {
          clearInterval(timer);
          await Promise.all(sent);
        },
      };
    }

    /** How long the applier's next batch is in coming, milliseconds. */
    async function nextBatch(): Promise<number> {
      const [lsn, begin] = [scene.applier.appliedLsn, performance.now()];
      await until(
        async () => scene.applier.appliedLsn,
        (at) => at > lsn,
        20_000,
      );
      return performance.now() - begin;
    }

    it('but goes on applying', async () => {
      const sending = orderFast();
      try {
        const took: number[] = [];
        for (let batch = 0; batch <= ROUNDS; batch += 1) took.push(await nextBatch());
        expect(Math.max(...took)).toBeGreaterThan(2 * LIMITS.applierLingerMs);
      } finally {
        await sending.stop();
      }
    }, 60_000);

    it('but not when somebody at another server waits', async () => {
      const sending = orderFast();
      try {
        const took: number[] = [];
        for (let round = 0; round < ROUNDS; round += 1) {
          await nextBatch();
          await wantArchive(scene.redis);
          took.push(await nextBatch());
        }
        expect(Math.min(...took)).toBeLessThan(LIMITS.applierLingerMaxMs / 2);
      } finally {
        await sending.stop();
      }
    }, 60_000);

    it('and no longer when they have ceased to come', async () => {
      const took: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const sending = orderFast();
        await nextBatch();
        await sleep(LIMITS.applierLingerMs);
        await sending.stop();
        const begin = performance.now();
        await until(
          async () => scene.applier.lag,
          (lag) => lag === 0,
        );
        took.push(performance.now() - begin);
      }
      expect(Math.min(...took)).toBeLessThan(LIMITS.applierLingerMaxMs / 2);
    }, 60_000);
  });

  it('catches up with many records without lingering between them', async () => {
    await scene.applier.stop();
    await scene.append(...ordersOf(1, 5_000).map((order) => ({ ...order, capacity: 10_000 })));
    const begin = performance.now();
    await scene.startApplier();
    await until(
      async () => scene.applier.lag,
      (lag) => lag === 0,
    );
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(await scene.archivedOrders()).toHaveLength(5_000);
  });
});
