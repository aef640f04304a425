import { describe, expect, it } from 'vitest';
import { OrderLogCorruptError } from './errors.ts';
import { encodeSegmentHeader, RECORD_HEADER_BYTES, RECORD_MAGIC_BYTES, SEGMENT_HEADER_BYTES } from './format.ts';
import type { OrderLogRecord } from './records.ts';
import {
  framesOf,
  handmadeSegment,
  LOG_DIRECTORY,
  openWriter,
  paidOrder,
  readAll,
  SECTOR_BYTES,
  SimulatedDisk,
} from './test-support.ts';

const SEGMENT_1 = `${LOG_DIRECTORY}/00000001.seg`;
const SEGMENT_2 = `${LOG_DIRECTORY}/00000002.seg`;

/** A disk with a log of these batches; the last one is sealed when the writer was closed. */
async function diskWith(batches: OrderLogRecord[][], options: { closed: boolean }): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const writer = await openWriter(disk);
  for (const batch of batches) writer.commit([framesOf(...batch)]);
  if (options.closed) writer.close();
  return disk;
}

/** Offset behind the last byte that is not zero. */
function usedLength(content: Buffer): number {
  return content.findLastIndex((byte) => byte !== 0) + 1;
}

describe('a torn end', () => {
  it('is cut off wherever the last record was torn, be there zeros or garbage behind it', async () => {
    const disk = await diskWith([[paidOrder(1)], [paidOrder(2)]], { closed: false });
    const intact = disk.snapshot(SEGMENT_1);
    const end = usedLength(intact);
    const start = end - framesOf(paidOrder(2)).length;
    for (const filler of [0x00, 0xfe, 0x7b]) {
      for (let tear = start; tear < end; tear += 1) {
        const torn = Buffer.from(intact);
        torn.fill(filler, tear, end);
        // The last byte of a payload is a brace, which 0x7b is not, so every tear damages something.
        disk.restore(SEGMENT_1, torn);
        const writer = await openWriter(disk);
        expect(writer.recovery.lastLsn).toBe(1);
        const tornBytes = usedLength(torn) - start;
        expect(writer.recovery.tornBytes).toBe(Math.max(0, tornBytes));
        if (tornBytes > 0) expect(writer.recovery.tornAt).toEqual({ file: SEGMENT_1, offset: start });
        expect(writer.commit([framesOf(paidOrder(3))]).durableLsn).toBe(2);
      }
    }
    expect(await readAll(disk)).toEqual([paidOrder(1), paidOrder(3)]);
  });

  it('is cut off as well when the file itself ends there', async () => {
    const disk = await diskWith([[paidOrder(1)], [paidOrder(2)]], { closed: false });
    const intact = disk.snapshot(SEGMENT_1);
    const end = usedLength(intact);
    for (let length = end - framesOf(paidOrder(2)).length; length < end; length += 1) {
      disk.restore(SEGMENT_1, intact.subarray(0, length));
      const writer = await openWriter(disk);
      expect(writer.recovery.lastLsn).toBe(1);
      expect(writer.commit([framesOf(paidOrder(3))]).durableLsn).toBe(2);
      expect(await readAll(disk)).toEqual([paidOrder(1), paidOrder(3)]);
      disk.remove(SEGMENT_2);
    }
  });

  it('may have valid records behind it when power was lost in the middle of one large batch', async () => {
    const disk = await diskWith([[paidOrder(1)]], { closed: true });
    const writer = await openWriter(disk);
    disk.failNextSync = 'EIO';
    // The sync never returned, and of six sectors the third one did not make it.
    writer.commit([framesOf(...Array.from({ length: 8 }, (_, n) => paidOrder(n + 2)))]);
    const content = disk.snapshot(SEGMENT_1);
    expect(usedLength(content)).toBeGreaterThan(5 * SECTOR_BYTES - 100);
    content.fill(0, 2 * SECTOR_BYTES, 3 * SECTOR_BYTES);
    disk.restore(SEGMENT_1, content);
    const reopened = await openWriter(disk);
    expect(reopened.recovery.lastLsn).toBeGreaterThanOrEqual(1);
    expect(reopened.recovery.tornBytes).toBeGreaterThan(SECTOR_BYTES);
    expect(usedLength(disk.snapshot(SEGMENT_1))).toBeLessThan(3 * SECTOR_BYTES);
  });

  it('may be the header of a segment that was just begun', async () => {
    const disk = await diskWith([[paidOrder(1)]], { closed: true });
    const header = encodeSegmentHeader({
      logId: '00'.repeat(16),
      segmentNumber: 2,
      chainStart: 1,
      firstLsn: 2,
      writtenAt: 0,
    });
    disk.restore(SEGMENT_2, Buffer.concat([header.subarray(0, 40), Buffer.alloc(4096 - 40)]));
    const writer = await openWriter(disk);
    expect(writer.recovery).toMatchObject({ lastLsn: 1, tornAt: { file: SEGMENT_2, offset: 0 } });
    expect(usedLength(disk.snapshot(SEGMENT_2))).toBe(0);
  });

  it('never comes back: a second restart finds nothing to cut', async () => {
    const disk = await diskWith([[paidOrder(1)], [paidOrder(2)]], { closed: false });
    disk.edit(SEGMENT_1, (content) => content.fill(0xff, usedLength(content) - 5, usedLength(content)));
    expect((await openWriter(disk)).recovery.tornBytes).toBeGreaterThan(0);
    disk.losePower(() => false);
    expect((await openWriter(disk)).recovery).toMatchObject({ lastLsn: 1, tornBytes: 0 });
  });
});

describe('damage to what had been durable', () => {
  it('is refused with the file, the offset, the record and what to do', async () => {
    const disk = await diskWith([[paidOrder(1)], [paidOrder(2)], [paidOrder(3)]], { closed: true });
    const offset = SEGMENT_HEADER_BYTES + framesOf(paidOrder(1)).length;
    disk.edit(SEGMENT_1, (content) => {
      content.fill('#', offset + RECORD_HEADER_BYTES + 10, offset + RECORD_HEADER_BYTES + 11);
      return content;
    });
    const before = disk.snapshot(SEGMENT_1);
    const error: unknown = await openWriter(disk).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OrderLogCorruptError);
    expect(error).toMatchObject({ code: 'corrupt', file: SEGMENT_1, offset, lsn: 2 });
    expect(String(error)).toContain(`${SEGMENT_1}, offset ${offset}, record 2`);
    expect(String(error)).toContain('fest log verify');
    expect(disk.snapshot(SEGMENT_1)).toEqual(before);
  });

  it('is noticed at every byte: a closed log opens with all its records or not at all', async () => {
    const orders = [[paidOrder(1), paidOrder(2)], [paidOrder(3)]];
    const disk = await diskWith(orders, { closed: true });
    const intact = disk.snapshot(SEGMENT_1);
    const end = usedLength(intact);
    let refused = 0;
    for (let at = 0; at < end; at += 1) {
      const damaged = Buffer.from(intact);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0x40, at);
      disk.restore(SEGMENT_1, damaged);
      const outcome = await openWriter(disk).catch((error: unknown) => error);
      if (outcome instanceof OrderLogCorruptError) refused += 1;
      else expect(outcome).toMatchObject({ recovery: { lastLsn: 3 } });
    }
    // All but the seal at the very end, which says nothing that the records do not say themselves.
    expect(refused).toBe(end - RECORD_HEADER_BYTES);
  });

  it('is noticed when a hole of zeros is all that is left', async () => {
    const disk = await diskWith([[paidOrder(1)], [paidOrder(2)], [paidOrder(3)]], { closed: false });
    const length = framesOf(paidOrder(1)).length;
    disk.edit(SEGMENT_1, (content) =>
      content.fill(0, SEGMENT_HEADER_BYTES + length, SEGMENT_HEADER_BYTES + 2 * length),
    );
    await expect(openWriter(disk)).rejects.toMatchObject({ code: 'corrupt', lsn: 2 });
  });

  it('is noticed when a whole segment is missing', async () => {
    const orders = Array.from({ length: 40 }, (_, n) => [paidOrder(n + 1)]);
    for (const missing of ['00000001.seg', '00000002.seg']) {
      const disk = await diskWith(orders, { closed: true });
      disk.remove(`${LOG_DIRECTORY}/${missing}`);
      await expect(openWriter(disk)).rejects.toMatchObject({ code: 'corrupt' });
    }
  });

  it('is not cured by a segment of another log', async () => {
    const disk = await diskWith([[paidOrder(1)]], { closed: true });
    const header = encodeSegmentHeader({
      logId: 'ff'.repeat(16),
      segmentNumber: 2,
      chainStart: 0,
      firstLsn: 2,
      writtenAt: 0,
    });
    disk.restore(SEGMENT_2, Buffer.concat([header, Buffer.alloc(4000)]));
    await expect(openWriter(disk)).rejects.toThrow(`${SEGMENT_2} belongs to log ffff`);
  });

  it('does not take a magic number in a payload for a record', async () => {
    const forged = { ...paidOrder(1), currency: RECORD_MAGIC_BYTES.toString('latin1').repeat(20) };
    const disk = await diskWith([[forged], [paidOrder(2)]], { closed: false });
    expect(await readAll(disk)).toEqual([forged, paidOrder(2)]);
    expect(disk.snapshot(SEGMENT_1).indexOf(RECORD_MAGIC_BYTES, SEGMENT_HEADER_BYTES + 1)).toBe(
      SEGMENT_HEADER_BYTES + framesOf(forged).length,
    );
  });
});

describe('opening a log', () => {
  it('keeps its id for life', async () => {
    const disk = await diskWith([[paidOrder(1)]], { closed: true });
    const reopened = await openWriter(disk, { newLogId: () => 'ee'.repeat(16) });
    expect(reopened.logId).toBe('00112233445566778899aabbccddeeff');
  });

  it('removes what a crash left of a segment that was being zeroed', async () => {
    const disk = await diskWith([[paidOrder(1)]], { closed: true });
    disk.restore(`${SEGMENT_2}.unfinished`, Buffer.alloc(100));
    await openWriter(disk);
    expect(disk.list(LOG_DIRECTORY)).toEqual(['00000001.seg']);
  });

  it('reports tickets that the log itself has sold twice', async () => {
    const disk = new SimulatedDisk();
    disk.restore(SEGMENT_1, handmadeSegment(paidOrder(1, [5]), paidOrder(2, [5])));
    const { recovery } = await openWriter(disk);
    expect(recovery).toMatchObject({ records: 2, conflicts: 1 });
    expect(recovery.conflictSamples[0]).toContain('record 2: Ticket 5 of sale 7');
  });

  it('refuses a log in a format of a newer release', async () => {
    const disk = await diskWith([[paidOrder(1)]], { closed: true });
    const { crc32 } = await import('node:zlib');
    disk.edit(SEGMENT_1, (content) => {
      content.writeUInt32LE(2, 4);
      content.writeUInt32LE(crc32(content.subarray(0, 60)), 60);
      return content;
    });
    await expect(openWriter(disk)).rejects.toThrow('format 2');
  });
});

describe('a seal that never reached the disk', () => {
  it('does not make a hole before a batch that was recovered', async () => {
    const disk = new SimulatedDisk();
    const first = await openWriter(disk);
    first.commit([framesOf(paidOrder(1))]);
    first.seal();
    disk.failNextSync = 'EIO';
    expect(first.commit([framesOf(paidOrder(2))]).failure).toBeDefined();
    first.close();
    // Both are in the page cache and count as clean: the next opening sees them.
    const second = await openWriter(disk);
    expect(second.durableLsn).toBe(2);
    disk.losePower(() => false);
    const third = await openWriter(disk);
    expect(third.durableLsn).toBe(2);
  });

  it('does not make a hole before records that were acknowledged after it', async () => {
    const disk = new SimulatedDisk();
    const first = await openWriter(disk);
    first.commit([framesOf(paidOrder(1))]);
    first.seal();
    disk.failNextSync = 'EIO';
    first.close();
    const second = await openWriter(disk);
    expect(second.commit([framesOf(paidOrder(2))])).toMatchObject({ durableLsn: 2 });
    disk.losePower(() => false);
    const third = await openWriter(disk);
    expect(third.durableLsn).toBe(2);
  });
});
