import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OrderLogRecord } from './records.ts';
import {
  framesOf,
  LOG_DIRECTORY,
  openWriter,
  paidOrder,
  paymentIntent,
  readAll,
  SimulatedDisk,
} from './test-support.ts';
import type { LogWriter } from './writer.ts';

function commit(writer: LogWriter, ...records: OrderLogRecord[]) {
  return writer.commit([framesOf(...records)]);
}

const lost = (): boolean => false;
const kept = (): boolean => true;

describe('committing a batch', () => {
  it('makes any number of records durable with one sync', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk, { segmentBytes: 64 * 1024 });
    const syncs = disk.syncs;
    const result = writer.commit([framesOf(paidOrder(1), paidOrder(2)), framesOf(paidOrder(3))]);
    expect(disk.syncs - syncs).toBe(1);
    expect(result).toEqual({ frames: 3, firstLsn: 1, durableLsn: 3, refusals: [] });
    disk.losePower(lost);
    expect(await readAll(disk)).toEqual([paidOrder(1), paidOrder(2), paidOrder(3)]);
  });

  it('leaves refused records out and goes on with the others', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk);
    const result = commit(writer, paidOrder(1), paidOrder(2, [1]), paidOrder(1), paidOrder(4));
    expect(result.durableLsn).toBe(2);
    expect(result.refusals).toMatchObject([
      { index: 1, reason: 'ticketAlreadySold', sameOrder: false },
      { index: 2, reason: 'ticketAlreadySold', sameOrder: true },
    ]);
    expect(await readAll(disk)).toEqual([paidOrder(1), paidOrder(4)]);
  });

  it('remembers sold tickets and cancellations over a restart', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk);
    const cancellation: OrderLogRecord = {
      type: 'orderCancelled',
      saleId: 7,
      epoch: 1,
      at: 1,
      orderId: 'order-2',
      ticketNumbers: [2],
    };
    commit(writer, paidOrder(1), paidOrder(2), cancellation);
    writer.close();
    const reopened = await openWriter(disk);
    const { refusals } = commit(reopened, paidOrder(3, [1]), paidOrder(4, [2]));
    expect(refusals).toMatchObject([{ index: 0, reason: 'ticketAlreadySold' }]);
  });

  it('rotates to a new segment when one is full, and reads on over the border', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk);
    const orders = Array.from({ length: 60 }, (_, n) => paidOrder(n + 1));
    for (let at = 0; at < orders.length; at += 7) {
      commit(writer, ...orders.slice(at, at + 7));
      writer.seal();
    }
    writer.close();
    expect(disk.list(LOG_DIRECTORY).length).toBeGreaterThan(4);
    expect(await readAll(disk)).toEqual(orders);
    const reopened = await openWriter(disk);
    expect(reopened.recovery).toMatchObject({ created: false, lastLsn: 60, records: 60, tornBytes: 0, conflicts: 0 });
  });
});

describe('a disk that fails', () => {
  it.each(['failNextSync', 'failNextWrite'] as const)('acknowledges nothing of the batch after %s', async (fault) => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk);
    commit(writer, paidOrder(1));
    disk[fault] = 'EIO';
    const failed = commit(writer, paidOrder(2), paidOrder(3), paidOrder(2));
    expect(failed.durableLsn).toBe(1);
    expect(failed.failure?.message).toContain('EIO');
    // "The same order is already there" would be a lie: its first record failed with this batch.
    expect(failed.refusals).toEqual([]);
    const later = commit(writer, paidOrder(4));
    expect(later).toMatchObject({ durableLsn: 1, failure: failed.failure });
    writer.close();
  });

  it('keeps what was durable before a failed sync', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk);
    commit(writer, paidOrder(1));
    disk.failNextSync = 'EIO';
    commit(writer, paidOrder(2));
    disk.losePower(lost);
    const reopened = await openWriter(disk);
    expect(reopened.durableLsn).toBe(1);
    expect(commit(reopened, paidOrder(2)).durableLsn).toBe(2);
  });

  it('does not trust the page cache after a failed sync: what a restart reads, it writes again', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk);
    commit(writer, paidOrder(1));
    disk.failNextSync = 'EIO';
    commit(writer, paidOrder(2));
    const reopened = await openWriter(disk);
    expect(reopened.durableLsn).toBe(2);
    disk.losePower(lost);
    expect(await readAll(disk)).toEqual([paidOrder(1), paidOrder(2)]);
  });

  it('stops when preallocating fails with anything but a full disk', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk);
    disk.failNextSync = 'EIO';
    writer.preallocate();
    expect(writer.failure?.message).toContain('EIO');
    expect(commit(writer, paidOrder(1)).durableLsn).toBe(0);
  });
});

describe('a disk that is full', () => {
  it('starts no payments once there is no room for another segment, but still takes what was started', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk);
    disk.capacityBytes = 4096;
    writer.preallocate();
    expect(writer.stats().outOfSpace).toBe(true);
    const { refusals, durableLsn } = commit(writer, paymentIntent(1), paidOrder(2));
    expect(refusals).toMatchObject([{ index: 0, reason: 'full' }]);
    expect(durableLsn).toBe(1);
  });

  it('refuses everything, without failing, when the segment is full too, and goes on when space is back', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk);
    disk.capacityBytes = 4096;
    const orders = Array.from({ length: 30 }, (_, n) => paidOrder(n + 1));
    const { refusals, durableLsn, failure } = commit(writer, ...orders);
    expect(failure).toBeUndefined();
    expect(durableLsn).toBeGreaterThan(5);
    expect(refusals.map(({ reason }) => reason)).toEqual(Array(30 - durableLsn).fill('full'));
    expect(await readAll(disk)).toEqual(orders.slice(0, durableLsn));
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    // What was refused as full has not taken its tickets.
    expect(commit(writer, ...orders.slice(durableLsn))).toMatchObject({ durableLsn: 30, refusals: [] });
    expect(writer.stats().outOfSpace).toBe(false);
    expect(await readAll(disk)).toEqual(orders);
  });

  it('says so when there is no room for the first segment', async () => {
    const disk = new SimulatedDisk();
    disk.capacityBytes = 100;
    await expect(openWriter(disk)).rejects.toMatchObject({ code: 'full' });
    expect(disk.list(LOG_DIRECTORY)).toEqual([]);
  });

  it('does not ask a full disk again at every append', async () => {
    const disk = new SimulatedDisk();
    let now = 0;
    const writer = await openWriter(disk, { preallocateRetryMs: 1000, now: () => now });
    disk.capacityBytes = 4096;
    writer.preallocate();
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    now = 999;
    writer.preallocate();
    expect(writer.stats().outOfSpace).toBe(true);
    now = 1000;
    writer.preallocate();
    expect(writer.stats().outOfSpace).toBe(false);
  });
});

describe('being killed, and losing power later', () => {
  it('keeps the name of a segment whose directory was not synced by the killed process', async () => {
    for (let operations = 0; operations < 8; operations += 1) {
      const disk = new SimulatedDisk();
      disk.operationsLeft = operations;
      await openWriter(disk).catch(() => {});
      disk.killProcess();
      const writer = await openWriter(disk);
      expect(commit(writer, paidOrder(1)).durableLsn).toBe(1);
      disk.losePower(lost);
      expect(await readAll(disk)).toEqual([paidOrder(1)]);
    }
  });

  it('syncs the seal of a killed process before a new segment continues the chain behind it', async () => {
    const disk = new SimulatedDisk();
    const killed = await openWriter(disk);
    // As many as fill the first segment; the next one goes to the second.
    const count = Math.floor((4096 - 128) / framesOf(paidOrder(10)).length);
    const orders = Array.from({ length: count }, (_, n) => paidOrder(n + 1));
    commit(killed, ...orders);
    killed.seal();
    const writer = await openWriter(disk);
    const next = paidOrder(count + 1);
    expect(commit(writer, next).durableLsn).toBe(count + 1);
    expect(disk.list(LOG_DIRECTORY)).toContain('00000002.seg');
    disk.losePower(lost);
    expect(await readAll(disk)).toEqual([...orders, next]);
  });

  it('lets no seal reach the disk before what it vouches for, wherever recovery is interrupted', async () => {
    for (let operations = 0; operations < 12; operations += 1) {
      const disk = new SimulatedDisk();
      const killed = await openWriter(disk);
      commit(killed, paidOrder(1));
      const end = disk.snapshot(`${LOG_DIRECTORY}/00000001.seg`).findLastIndex((byte) => byte !== 0) + 1;
      disk.operationsLeft = 1;
      commit(killed, paidOrder(2), paidOrder(3), paidOrder(4));
      disk.killProcess();
      disk.operationsLeft = operations;
      await openWriter(disk).catch(() => {});
      // Of all that was written, only what lies behind the unsynced batch survives: a seal, if there is one already.
      const batchEnd = end + framesOf(paidOrder(2), paidOrder(3), paidOrder(4)).length;
      disk.losePower((position) => position >= batchEnd);
      const found = await readAll(disk);
      expect(found).toEqual([1, 2, 3, 4].map((n) => paidOrder(n)).slice(0, found.length));
      expect(found.length).toBeGreaterThanOrEqual(1);
    }
  });
});

describe('losing power', () => {
  it('keeps the seal behind what it vouches for', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk);
    commit(writer, paidOrder(1));
    writer.seal();
    disk.losePower(kept);
    const reopened = await openWriter(disk);
    expect(reopened.recovery).toMatchObject({ lastLsn: 1, tornBytes: 0 });
  });

  type Command =
    | { readonly kind: 'commit'; readonly sizes: number[] }
    | { readonly kind: 'seal' }
    | { readonly kind: 'preallocate' }
    | { readonly kind: 'maintain' };
  const command: fc.Arbitrary<Command> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('commit' as const),
        sizes: fc.array(fc.nat(700), { minLength: 1, maxLength: 6 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('seal' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('preallocate' as const) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('maintain' as const) }) },
  );
  const life = fc.record({
    commands: fc.array(command, { maxLength: 20 }),
    operations: fc.nat(80),
    /** How often checkpoints are written: all the time, now and then, never. */
    checkpointLogBytes: fc.constantFrom(1, 2000, Number.POSITIVE_INFINITY),
    /** How it ends: with the power, or (kill -9) only with the process, which leaves the page cache as it is. */
    powerIsLost: fc.boolean(),
    survivors: fc.infiniteStream(fc.boolean()),
  });

  interface Life {
    readonly commands: Command[];
    readonly checkpointLogBytes: number;
  }

  /** What was sent to a log over several lives of its writer, and how much of that was acknowledged. */
  class Ledger {
    sent: OrderLogRecord[] = [];
    acknowledged = 0;
    #nextOrder = 1;

    opened(writer: LogWriter): void {
      this.acknowledged = Math.max(this.acknowledged, writer.durableLsn);
      this.sent = this.sent.slice(0, writer.durableLsn);
    }

    run(writer: LogWriter, step: Command): void {
      if (step.kind === 'seal') writer.seal();
      else if (step.kind === 'preallocate') writer.preallocate();
      else if (step.kind === 'maintain') writer.maintain();
      else {
        const records = step.sizes.map((size) => ({ ...paidOrder(this.#nextOrder++), currency: 'E'.repeat(size) }));
        this.sent.push(...records);
        this.acknowledged = commit(writer, ...records).durableLsn;
      }
    }
  }

  async function liveUntilTheEnd(
    disk: SimulatedDisk,
    ledger: Ledger,
    { commands, checkpointLogBytes }: Pick<Life, 'commands' | 'checkpointLogBytes'>,
  ): Promise<void> {
    try {
      const writer = await openWriter(disk, { segmentBytes: 8192, checkpointLogBytes });
      ledger.opened(writer);
      for (const step of commands) {
        if (writer.failure !== undefined) return;
        ledger.run(writer, step);
      }
    } catch (error) {
      // The power went while opening; anything but that is a fault of the log.
      if (!(error instanceof Error && error.message.includes('EIO'))) throw error;
    }
  }

  it('never loses an acknowledged record, whatever reached the disk of the rest, over several crashes and kills', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4 }), async (lives) => {
        const disk = new SimulatedDisk();
        const ledger = new Ledger();
        for (const { operations, powerIsLost, survivors, ...end } of lives) {
          disk.operationsLeft = operations;
          await liveUntilTheEnd(disk, ledger, end);
          if (powerIsLost) disk.losePower(() => survivors.next().value === true);
          else disk.killProcess();
          const found = await readAll(disk);
          expect(found.length).toBeGreaterThanOrEqual(ledger.acknowledged);
          expect(found).toEqual(ledger.sent.slice(0, found.length));
        }
        const writer = await openWriter(disk, { segmentBytes: 8192 });
        expect(writer.recovery.conflicts).toBe(0);
      }),
      { numRuns: 1000 },
    );
  }, 60_000);
});
