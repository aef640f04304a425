/** Checkpoints and logs that do not fit together: torn, damaged, of another log or another time. */
import { describe, expect, it } from 'vitest';
import { OrderLogCorruptError } from './errors.ts';
import { SEGMENT_HEADER_BYTES } from './format.ts';
import { framesOf, LOG_DIRECTORY, openWriter, paidOrder, paidOrders, SimulatedDisk } from './test-support.ts';
import {
  ALWAYS,
  CHECKPOINT_1,
  CHECKPOINT_2,
  closedLog,
  commit,
  finishMaintenance,
  lost,
  NEVER,
  namesOn,
  SEGMENT_1,
  usedLength,
} from './test-support-checkpoints.ts';

describe('a torn end behind a checkpoint', () => {
  /** Two records that a checkpoint knows, and one batch behind it. */
  async function tornLog(): Promise<{ disk: SimulatedDisk; intact: Buffer; start: number; end: number }> {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk, ALWAYS);
    commit(writer, paidOrder(1), paidOrder(2));
    finishMaintenance(writer);
    const start = usedLength(disk.snapshot(SEGMENT_1));
    commit(writer, paidOrder(3), paidOrder(4));
    const intact = disk.snapshot(SEGMENT_1);
    return { disk, intact, start, end: usedLength(intact) };
  }

  it('is cut off wherever it was torn', async () => {
    const { disk, intact, start, end } = await tornLog();
    const second = start + framesOf(paidOrder(3)).length;
    for (const filler of [0x00, 0xfe]) {
      for (let tear = start; tear < end; tear += 1) {
        disk.restore(SEGMENT_1, Buffer.from(intact).fill(filler, tear, end));
        const writer = await openWriter(disk, NEVER);
        expect(writer.recovery).toMatchObject({ checkpointLsn: 2, lastLsn: tear < second ? 2 : 3 });
        expect(commit(writer, paidOrder(5)).refusals).toEqual([]);
      }
    }
  });

  it('is not torn but corrupt when the checkpoint knows what is missing', async () => {
    const { disk, intact, start, end } = await tornLog();
    for (let tear = SEGMENT_HEADER_BYTES; tear < start; tear += 1) {
      const content = Buffer.from(intact).fill(0, tear, end);
      disk.restore(SEGMENT_1, content);
      const error: unknown = await openWriter(disk).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(OrderLogCorruptError);
      expect(error).toMatchObject({
        file: SEGMENT_1,
        lsn: tear < SEGMENT_HEADER_BYTES + framesOf(paidOrder(1)).length ? 1 : 2,
      });
      expect(disk.snapshot(SEGMENT_1)).toEqual(content);
    }
  });
});

describe('losing power while a checkpoint is written', () => {
  it('leaves the checkpoint before or the new one, and always the log, wherever it happens', async () => {
    const found = new Set<number>();
    for (let operations = 0; operations < 16; operations += 1) {
      for (const survives of [lost, () => true, (position: number) => position % 1024 < 512]) {
        const disk = await closedLog(8);
        const writer = await openWriter(disk, ALWAYS);
        while (writer.preallocate());
        commit(writer, paidOrder(9));
        writer.seal();
        disk.operationsLeft = operations;
        finishMaintenance(writer);
        disk.losePower(survives);
        const reopened = await openWriter(disk, NEVER);
        expect(reopened.recovery).toMatchObject({ lastLsn: 9, conflicts: 0, ignoredCheckpoints: [] });
        found.add(reopened.recovery.checkpointLsn ?? 0);
        expect(commit(reopened, paidOrder(10, [9])).refusals).toMatchObject([{ reason: 'ticketAlreadySold' }]);
        expect(namesOn(disk).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
      }
    }
    expect([...found].sort()).toEqual([8, 9]);
  });
});

describe('a checkpoint that does not fit', () => {
  it('is ignored and reported when any of its bytes is damaged', async () => {
    const disk = await closedLog(8);
    const intact = disk.snapshot(CHECKPOINT_1);
    // Each byte of the header and the contents, some of the page, each of the checksum.
    const places = Array.from(intact.keys()).filter((at) => at < 400 || at % 997 === 0 || at >= intact.length - 4);
    for (const at of places) {
      const damaged = Buffer.from(intact);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0x20, at);
      disk.restore(CHECKPOINT_1, damaged);
      const { recovery } = await openWriter(disk, NEVER);
      expect(recovery).toMatchObject({ scannedRecords: 8, ignoredCheckpoints: [{ file: CHECKPOINT_1 }] });
      expect(recovery.checkpointLsn).toBeUndefined();
    }
  });

  it('is ignored when it is cut off anywhere, or longer than it should be', async () => {
    const disk = await closedLog(8);
    const intact = disk.snapshot(CHECKPOINT_1);
    for (const length of [0, 1, 50, 96, 200, intact.length - 5, intact.length - 1, intact.length + 1]) {
      const content = length > intact.length ? Buffer.concat([intact, Buffer.alloc(1)]) : intact.subarray(0, length);
      disk.restore(CHECKPOINT_1, content);
      expect((await openWriter(disk, NEVER)).recovery.ignoredCheckpoints).toMatchObject([{ file: CHECKPOINT_1 }]);
    }
  });

  it('makes room for the one before, and goes when there is a new one', async () => {
    const disk = await closedLog(8);
    const writer = await openWriter(disk, ALWAYS);
    commit(writer, ...paidOrders(9, 12));
    writer.close();
    disk.edit(CHECKPOINT_2, (content) => content.fill(0xff, 20_000, 20_001));
    const reopened = await openWriter(disk, ALWAYS);
    expect(reopened.recovery).toMatchObject({ checkpointLsn: 8, ignoredCheckpoints: [{ file: CHECKPOINT_2 }] });
    reopened.close();
    expect(namesOn(disk).filter((name) => name.endsWith('.checkpoint'))).toEqual([
      '00000001.checkpoint',
      '00000003.checkpoint',
    ]);
  });

  it('is ignored when it belongs to another log', async () => {
    const other = new SimulatedDisk();
    const writer = await openWriter(other, { ...ALWAYS, newLogId: () => 'ee'.repeat(16) });
    commit(writer, ...paidOrders(1, 20));
    writer.close();
    const disk = await closedLog(8, NEVER);
    disk.restore(CHECKPOINT_1, other.snapshot(CHECKPOINT_1));
    const { recovery } = await openWriter(disk, NEVER);
    expect(recovery).toMatchObject({ scannedRecords: 8, lastLsn: 8 });
    expect(recovery.ignoredCheckpoints).toEqual([{ file: CHECKPOINT_1, why: `it belongs to log ${'ee'.repeat(16)}` }]);
  });

  it('keeps an older copy of the log from being opened: its lost records had been promised', async () => {
    const disk = await closedLog(8, NEVER);
    const older = disk.copy();
    const writer = await openWriter(disk, ALWAYS);
    commit(writer, ...paidOrders(9, 40));
    writer.close();
    const checkpoint = disk.snapshot(CHECKPOINT_1);
    disk.putBack(older);
    disk.restore(CHECKPOINT_1, checkpoint);
    const error: unknown = await openWriter(disk).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OrderLogCorruptError);
    expect(error).toMatchObject({ lsn: 9 });
    expect(String(error)).toContain(CHECKPOINT_1);
    expect(String(error)).toContain('everything up to record 40 had been on disk');
    expect(String(error)).toContain(`fest log replay --dir ${LOG_DIRECTORY} --retire`);
    // Nothing was changed: without the checkpoint it is what it was.
    disk.remove(CHECKPOINT_1);
    expect((await openWriter(disk, NEVER)).recovery.lastLsn).toBe(8);
  });

  it('keeps a log with another history from being opened', async () => {
    const disk = await closedLog(4, NEVER);
    const common = disk.copy();
    const writer = await openWriter(disk, ALWAYS);
    commit(writer, ...paidOrders(5, 12));
    writer.close();
    const checkpoint = disk.snapshot(CHECKPOINT_1);
    disk.putBack(common);
    const fork = await openWriter(disk, NEVER);
    // As many records of the same lengths: only the chain tells them from the others.
    commit(fork, ...paidOrders(5, 12).map((order) => ({ ...order, accountId: order.accountId + 1 })));
    fork.close();
    disk.restore(CHECKPOINT_1, checkpoint);
    const error: unknown = await openWriter(disk).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'corrupt', lsn: 12 });
    expect(String(error)).toContain('others than those that had been here');
    // And going on does not make it right.
    disk.remove(CHECKPOINT_1);
    const further = await openWriter(disk, NEVER);
    commit(further, ...paidOrders(20, 30));
    further.close();
    disk.restore(CHECKPOINT_1, checkpoint);
    await expect(openWriter(disk)).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('keeps a log without any segment from being created anew', async () => {
    const disk = await closedLog(60);
    for (const name of namesOn(disk)) if (name.endsWith('.seg')) disk.remove(`${LOG_DIRECTORY}/${name}`);
    await expect(openWriter(disk)).rejects.toMatchObject({ code: 'corrupt', lsn: 1 });
    expect(namesOn(disk).filter((name) => name.endsWith('.seg'))).toEqual([]);
  });

  it('does not hide that a segment before its place is missing', async () => {
    for (const missing of ['00000001.seg', '00000003.seg']) {
      const disk = await closedLog(60);
      expect((await openWriter(disk)).recovery.checkpointLsn).toBe(60);
      disk.remove(`${LOG_DIRECTORY}/${missing}`);
      await expect(openWriter(disk)).rejects.toMatchObject({ code: 'corrupt', file: `${LOG_DIRECTORY}/${missing}` });
    }
  });
});
