/** Checkpoints as they should be: written beside appends, and opened with. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES } from './format.ts';
import type { Gate } from './gate.ts';
import { CHECKPOINT_STEP_BYTES } from './limits.ts';
import type { OrderLogRecord } from './records.ts';
import { recoverLog } from './recovery.ts';
import {
  framesOf,
  handmadeSegment,
  LOG_DIRECTORY,
  openWriter,
  paidOrder,
  paidOrders,
  readAll,
  SimulatedDisk,
} from './test-support.ts';
import {
  ALWAYS,
  closedLog,
  commit,
  epochStarted,
  finishMaintenance,
  lost,
  NEVER,
  namesOn,
  SEGMENT_1,
  usedLength,
} from './test-support-checkpoints.ts';
import { TICKETS_PER_PAGE } from './ticket-tables.ts';

describe('opening with a checkpoint', () => {
  it('replays only what follows, and knows what came before', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk, ALWAYS);
    commit(writer, ...paidOrders(1, 3), epochStarted(2), { ...paidOrder(4), epoch: 2 });
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
    for (const order of paidOrders(41, 120)) commit(writer, order);
    const { recovery } = await openWriter(disk, NEVER);
    expect(recovery).toMatchObject({ checkpointLsn: 40, records: 120, lastLsn: 120 });
    expect(recovery.scannedRecords).toBeGreaterThanOrEqual(80);
    expect(recovery.scannedRecords).toBeLessThan(100);
    expect(await readAll(disk)).toEqual(paidOrders(1, 120));
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
    commit(writer, ...paidOrders(1, 8));
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
