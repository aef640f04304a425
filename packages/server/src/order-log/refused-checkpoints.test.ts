/** A disk that has no room for a checkpoint, or fails while one is written: the log goes on. */
import { describe, expect, it } from 'vitest';
import { openWriter, paidOrder, SimulatedDisk } from './test-support.ts';
import { ALWAYS, commit, finishMaintenance, namesOn } from './test-support-checkpoints.ts';

describe('a disk that refuses a checkpoint', () => {
  it('goes on without when it is full, and tries again after as much log once more', async () => {
    const disk = new SimulatedDisk();
    const options = { segmentBytes: 64 * 1024, checkpointLogBytes: 4096 };
    const writer = await openWriter(disk, options);
    while (writer.preallocate());
    disk.capacityBytes = 2 * 64 * 1024 + 10_000;
    for (let n = 1; writer.stats().checkpointFailures === 0; n += 1) {
      commit(writer, paidOrder(n));
      finishMaintenance(writer);
    }
    const { checkpointError, outOfSpace } = writer.stats();
    expect(checkpointError).toContain('ENOSPC');
    expect(outOfSpace).toBe(false);
    expect(writer.failure).toBeUndefined();
    expect(namesOn(disk)).toEqual(['00000001.seg', '00000002.seg']);
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    const { durableLsn } = writer;
    finishMaintenance(writer);
    expect(writer.stats().checkpoints).toBe(0);
    for (let n = durableLsn + 1; writer.stats().checkpoints === 0; n += 1) {
      expect(n).toBeLessThan(durableLsn + 30);
      commit(writer, paidOrder(n));
      finishMaintenance(writer);
    }
    expect(writer.stats()).toMatchObject({ checkpointFailures: 1, checkpointLsn: writer.durableLsn });
    expect(writer.stats().checkpointError).toBeUndefined();
  });

  it.each(['failNextWrite', 'failNextSync'] as const)('goes on without after an EIO (%s)', async (fault) => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk, ALWAYS);
    commit(writer, paidOrder(1));
    while (writer.preallocate());
    disk[fault] = 'EIO';
    finishMaintenance(writer);
    expect(writer.failure).toBeUndefined();
    expect(writer.stats()).toMatchObject({ checkpoints: 0, checkpointFailures: 1 });
    expect(writer.stats().checkpointError).toContain('EIO');
    expect(commit(writer, paidOrder(2)).durableLsn).toBe(2);
    expect(namesOn(disk).filter((name) => name.includes('checkpoint'))).toEqual([]);
  });

  it('stops when it is the log itself that cannot be synced before', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk, ALWAYS);
    commit(writer, paidOrder(1));
    writer.seal();
    while (writer.preallocate());
    disk.failNextSync = 'EIO';
    finishMaintenance(writer);
    expect(writer.failure?.message).toContain('EIO');
    expect(commit(writer, paidOrder(2)).durableLsn).toBe(1);
    expect(namesOn(disk).filter((name) => name.includes('checkpoint'))).toEqual([]);
  });

  it('leaves the last room of a full disk to segments', async () => {
    const disk = new SimulatedDisk();
    const segmentBytes = 256 * 1024;
    const writer = await openWriter(disk, { ...ALWAYS, segmentBytes });
    commit(writer, paidOrder(1));
    // Room enough for a checkpoint, not for the next segment.
    disk.capacityBytes = 2 * segmentBytes - 1;
    finishMaintenance(writer);
    expect(writer.stats()).toMatchObject({ outOfSpace: true, checkpoints: 0, checkpointFailures: 0 });
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    finishMaintenance(writer);
    expect(writer.stats()).toMatchObject({ outOfSpace: false, checkpoints: 1 });
  });

  it('does not let the next segment wait for it', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk, { ...ALWAYS, segmentBytes: 1024 * 1024 });
    commit(writer, paidOrder(1));
    writer.maintain();
    expect(namesOn(disk)).toEqual(['00000001.seg', '00000002.seg.unfinished']);
  });
});
