import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderLogCorruptError } from './errors.ts';
import { RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES } from './format.ts';
import type { Gate } from './gate.ts';
import { CHECKPOINT_STEP_BYTES } from './limits.ts';
import type { EpochStarted, OrderLogRecord } from './records.ts';
import { recoverLog } from './recovery.ts';
import {
  framesOf,
  handmadeSegment,
  LOG_DIRECTORY,
  openWriter,
  paidOrder,
  readAll,
  SimulatedDisk,
} from './test-support.ts';
import { TICKETS_PER_PAGE } from './ticket-tables.ts';
import type { LogWriter, WriterOptions } from './writer.ts';

const SEGMENT_1 = `${LOG_DIRECTORY}/00000001.seg`;
const CHECKPOINT_1 = `${LOG_DIRECTORY}/00000001.checkpoint`;
const CHECKPOINT_2 = `${LOG_DIRECTORY}/00000002.checkpoint`;
const NEVER: Partial<WriterOptions> = { checkpointLogBytes: Number.POSITIVE_INFINITY };
/** Between any two batches, and at every close. */
const ALWAYS: Partial<WriterOptions> = { checkpointLogBytes: 1 };
const lost = (): boolean => false;

function commit(writer: LogWriter, ...records: OrderLogRecord[]) {
  return writer.commit([framesOf(...records)]);
}

function finishMaintenance(writer: LogWriter): void {
  while (writer.maintain());
}

function orders(from: number, to: number) {
  return Array.from({ length: to - from + 1 }, (_, index) => paidOrder(from + index));
}

function epochStarted(epoch: number): EpochStarted {
  return { type: 'epochStarted', saleId: 7, epoch, at: 1, queueHighWater: 0, reason: 'stateMissing' };
}

function namesOn(disk: SimulatedDisk): string[] {
  return disk.list(LOG_DIRECTORY).sort();
}

function usedLength(content: Buffer): number {
  return content.findLastIndex((byte) => byte !== 0) + 1;
}

/** A log of these orders, in batches of four, closed with a checkpoint at its end. */
async function closedLog(count: number, options: Partial<WriterOptions> = {}): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const writer = await openWriter(disk, { ...ALWAYS, ...options });
  for (let n = 1; n <= count; n += 4) commit(writer, ...orders(n, Math.min(n + 3, count)));
  writer.close();
  return disk;
}

describe('opening with a checkpoint', () => {
  it('replays only what follows, and knows what came before', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk, ALWAYS);
    commit(writer, ...orders(1, 3), epochStarted(2), { ...paidOrder(4), epoch: 2 });
    finishMaintenance(writer);
    commit(writer, { ...paidOrder(5), epoch: 2 }, { ...paidOrder(6), epoch: 2 });
    const reopened = await openWriter(disk, NEVER);
    expect(reopened.recovery).toMatchObject({ checkpointLsn: 5, records: 7, lastLsn: 7, ignoredCheckpoints: [] });
    const again = [1, 2, 3].map((n) => paidOrder(n));
    const { refusals, durableLsn } = commit(
      reopened,
      ...again,
      { ...paidOrder(7, [4]), epoch: 2 },
      { ...paidOrder(8, [6]), epoch: 2 },
      { ...paidOrder(9), epoch: 2 },
    );
    expect(refusals).toMatchObject([
      { index: 0, reason: 'staleEpoch', sameOrder: true },
      { index: 1, reason: 'staleEpoch', sameOrder: true },
      { index: 2, reason: 'staleEpoch', sameOrder: true },
      { index: 3, reason: 'ticketAlreadySold', sameOrder: false },
      { index: 4, reason: 'ticketAlreadySold', sameOrder: false },
    ]);
    expect(durableLsn).toBe(8);
  });

  it('reads nothing of the segments before the one it goes on in', async () => {
    const disk = await closedLog(100);
    const segments = namesOn(disk).filter((name) => name.endsWith('.seg')).length;
    expect(segments).toBeGreaterThan(6);
    const { recovery } = await openWriter(disk);
    expect(recovery).toMatchObject({ checkpointLsn: 100, records: 100, lastLsn: 100, conflicts: 0 });
    expect(recovery.scannedRecords).toBeLessThan(16);
  });

  it('works with a checkpoint that is several segments old', async () => {
    const disk = await closedLog(40);
    const writer = await openWriter(disk, NEVER);
    for (const order of orders(41, 120)) commit(writer, order);
    const { recovery } = await openWriter(disk, NEVER);
    expect(recovery).toMatchObject({ checkpointLsn: 40, records: 120, lastLsn: 120 });
    expect(recovery.scannedRecords).toBeGreaterThanOrEqual(80);
    expect(recovery.scannedRecords).toBeLessThan(100);
    expect(await readAll(disk)).toEqual(orders(1, 120));
  });

  it('keeps in mind what a scan found wrong before', async () => {
    const disk = new SimulatedDisk();
    disk.restore(SEGMENT_1, handmadeSegment(paidOrder(1, [5]), paidOrder(2, [5])));
    (await openWriter(disk, { ...ALWAYS, segmentBytes: 8192 })).close();
    const { recovery } = await openWriter(disk, { segmentBytes: 8192 });
    expect(recovery).toMatchObject({ checkpointLsn: 2, conflicts: 1 });
    expect(recovery.conflictSamples[0]).toContain('record 2: Ticket 5 of sale 7');
  });

  it('is a matter of one checkpoint for every so much log, at most two of which are kept', async () => {
    const disk = new SimulatedDisk();
    // Smaller than the checkpoint itself, whose size then decides: one page of tickets.
    const writer = await openWriter(disk, { checkpointLogBytes: 1, segmentBytes: 1024 * 1024 });
    let bytes = 0;
    for (let n = 1; bytes < 200_000; n += 1) {
      bytes += framesOf(paidOrder(n)).length;
      commit(writer, paidOrder(n));
      finishMaintenance(writer);
    }
    const { checkpoints } = writer.stats();
    const pageBytes = 8 * TICKETS_PER_PAGE;
    expect(checkpoints).toBeGreaterThan(1);
    expect(checkpoints).toBeLessThanOrEqual(1 + Math.floor(bytes / pageBytes));
    expect(namesOn(disk).filter((name) => name.endsWith('.checkpoint')).length).toBe(2);
  });

  it('is not prepared for at close when there is little to replay', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk);
    commit(writer, ...orders(1, 8));
    writer.close();
    expect(namesOn(disk)).toEqual(['00000001.seg']);
  });

  it('is prepared for by an opening that had to read a lot', async () => {
    const disk = await closedLog(40, NEVER);
    const writer = await openWriter(disk, { checkpointLogBytes: 4096 });
    finishMaintenance(writer);
    expect(writer.stats()).toMatchObject({ checkpoints: 1, checkpointLsn: 40 });
    expect((await openWriter(disk)).recovery).toMatchObject({ checkpointLsn: 40 });
  });
});

describe('a checkpoint beside appends', () => {
  /** What the gate knows, in an order of its own. */
  function knowledge(gate: Gate) {
    const { sales, epochs } = gate.snapshot();
    const sold = sales.flatMap(({ saleId, pages }) =>
      pages.flatMap(([pageNumber, page]) =>
        [...page].flatMap((order, index) =>
          order === 0 ? [] : [[saleId, pageNumber * TICKETS_PER_PAGE + index, order]],
        ),
      ),
    );
    return { sold: sold.map(String).sort(), epochs: epochs.map(String).sort() };
  }

  const sale = fc.integer({ min: 1, max: 2 });
  const n = fc.integer({ min: 1, max: 30 });
  const tickets = fc.uniqueArray(fc.constantFrom(1, 2, 3, 4095, 4096, 4097, 9000), { minLength: 1, maxLength: 3 });
  const epoch = fc.integer({ min: 1, max: 3 });
  const record: fc.Arbitrary<OrderLogRecord> = fc.oneof(
    fc.record({ n, saleId: sale, tickets, epoch }).map((each) => ({
      ...paidOrder(each.n, each.tickets),
      saleId: each.saleId,
      epoch: each.epoch,
    })),
    fc
      .record({
        n,
        saleId: sale,
        tickets,
        type: fc.constantFrom('orderCancelled' as const, 'ticketsReleased' as const),
      })
      .map((each) => ({
        type: each.type,
        saleId: each.saleId,
        epoch: 1,
        at: 1,
        orderId: `order-${each.n}`,
        ticketNumbers: each.tickets,
      })),
    fc.record({ saleId: sale, epoch }).map((each) => ({ ...epochStarted(each.epoch), saleId: each.saleId })),
  );
  type Step = { readonly records: OrderLogRecord[] } | 'maintain' | 'seal' | 'reopen';
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ records: fc.array(record, { minLength: 1, maxLength: 5 }) }),
    fc.constant('maintain' as const),
    fc.constant('seal' as const),
    fc.constant('reopen' as const),
  );

  async function live(steps: readonly Step[]): Promise<SimulatedDisk> {
    const disk = new SimulatedDisk();
    let writer = await openWriter(disk, ALWAYS);
    for (const each of steps) {
      if (each === 'maintain') writer.maintain();
      else if (each === 'seal') writer.seal();
      else if (each === 'reopen') writer = await openWriter(disk, ALWAYS);
      else commit(writer, ...each.records);
    }
    return disk;
  }

  it('leaves a gate that knows what one knows that has replayed everything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const disk = await live(steps);
        const options = { files: disk, directory: LOG_DIRECTORY, segmentBytes: 4096, newLogId: () => '', now: () => 0 };
        const withCheckpoint = knowledge((await recoverLog(options)).gate);
        for (const name of namesOn(disk)) if (name.endsWith('.checkpoint')) disk.remove(`${LOG_DIRECTORY}/${name}`);
        const { gate, report } = await recoverLog(options);
        expect(report.checkpointLsn).toBeUndefined();
        expect(withCheckpoint).toEqual(knowledge(gate));
      }),
      { numRuns: 300 },
    );
  });

  it('is written in small steps, and tells of the moment it was begun', async () => {
    const disk = new SimulatedDisk();
    const options = { segmentBytes: 64 * 1024, checkpointLogBytes: 4096 };
    const writer = await openWriter(disk, options);
    // 40 pages: five steps, and one for the rest.
    for (let page = 0; page < 40; page += 1) commit(writer, paidOrder(page + 1, [page * TICKETS_PER_PAGE + 1]));
    while (writer.preallocate());
    disk.largestWriteBytes = 0;
    let steps = 0;
    while (writer.maintain()) {
      steps += 1;
      // On a page that is not written yet.
      commit(writer, paidOrder(1000 + steps, [(40 - steps) * TICKETS_PER_PAGE - 1]));
    }
    expect(steps).toBe(5);
    expect(disk.largestWriteBytes).toBeLessThanOrEqual(CHECKPOINT_STEP_BYTES + 8 * TICKETS_PER_PAGE);
    expect(writer.stats()).toMatchObject({ checkpoints: 1, checkpointLsn: 40 });
    const reopened = await openWriter(disk, options);
    expect(reopened.recovery).toMatchObject({ checkpointLsn: 40, lastLsn: 45, conflicts: 0 });
    const again = [1, 2, 3, 4, 5].map((each) => paidOrder(1000 + each, [(40 - each) * TICKETS_PER_PAGE - 1]));
    expect(commit(reopened, ...again).refusals.map(({ sameOrder }) => sameOrder)).toEqual(Array(5).fill(true));
  });
});

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
    commit(writer, ...orders(9, 12));
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
    commit(writer, ...orders(1, 20));
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
    commit(writer, ...orders(9, 40));
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
    commit(writer, ...orders(5, 12));
    writer.close();
    const checkpoint = disk.snapshot(CHECKPOINT_1);
    disk.putBack(common);
    const fork = await openWriter(disk, NEVER);
    // As many records of the same lengths: only the chain tells them from the others.
    commit(fork, ...orders(5, 12).map((order) => ({ ...order, accountId: order.accountId + 1 })));
    fork.close();
    disk.restore(CHECKPOINT_1, checkpoint);
    const error: unknown = await openWriter(disk).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'corrupt', lsn: 12 });
    expect(String(error)).toContain('others than those that had been here');
    // And going on does not make it right.
    disk.remove(CHECKPOINT_1);
    const further = await openWriter(disk, NEVER);
    commit(further, ...orders(20, 30));
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

it('keeps a seal that a checkpoint lies behind', async () => {
  const disk = new SimulatedDisk();
  const writer = await openWriter(disk, ALWAYS);
  commit(writer, paidOrder(1));
  writer.seal();
  finishMaintenance(writer);
  disk.losePower(lost);
  const used = usedLength(disk.snapshot(SEGMENT_1));
  expect(used).toBe(SEGMENT_HEADER_BYTES + framesOf(paidOrder(1)).length + RECORD_HEADER_BYTES);
  expect((await openWriter(disk, NEVER)).recovery).toMatchObject({ checkpointLsn: 1, scannedRecords: 1 });
});
