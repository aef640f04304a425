import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OrderLogError } from './errors.ts';
import { asyncFiles, type ReadableFiles } from './files.ts';
import { type OrderLog, type OrderLogOptions, openOrderLog } from './order-log.ts';
import { openOrderLogReader, readOrderLog } from './reader.ts';
import type { OrderLogRecord } from './records.ts';
import { LogScanner } from './scanner.ts';
import { segmentName } from './segments.ts';
import { framesOf, LOG_DIRECTORY, openWriter, paidOrder, paidOrders, readAll, SimulatedDisk } from './test-support.ts';
import { NEVER } from './test-support-checkpoints.ts';
import type { LogWriter } from './writer.ts';

function segmentsIn(names: readonly string[]): number[] {
  return names.filter((name) => name.endsWith('.seg')).map((name) => Number.parseInt(name, 10));
}

describe('the writer of a trimmed log', () => {
  /** A log of 100 orders in several segments, and its writer. */
  async function longLog(): Promise<{ disk: SimulatedDisk; writer: LogWriter }> {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk, NEVER);
    for (const order of paidOrders(1, 100)) writer.commit([framesOf(order)]);
    while (writer.preallocate());
    return { disk, writer };
  }

  function segmentsOn(disk: SimulatedDisk): number[] {
    return segmentsIn(disk.list(LOG_DIRECTORY)).sort((a, b) => a - b);
  }

  function maintainUntil(writer: LogWriter, isDone: () => boolean): void {
    for (let steps = 0; !isDone(); steps += 1) {
      if (steps > 100) throw new Error('The writer does not get there.');
      writer.maintain();
    }
  }

  /** Trims as the thread does. */
  function trim(writer: LogWriter, throughLsn: number): number[] {
    writer.prepareTrim(throughLsn);
    maintainUntil(writer, () => writer.preparedTrim() !== undefined);
    const { segments, problem } = writer.preparedTrim() ?? { segments: [] };
    if (problem !== undefined) throw problem;
    for (const { segmentNumber } of segments) writer.removeSegment(segmentNumber);
    return segments.map(({ segmentNumber }) => segmentNumber);
  }

  it('removes the finished segments up to a record, and no other', async () => {
    const { disk, writer } = await longLog();
    const before = segmentsOn(disk);
    writer.prepareTrim(Number.MAX_SAFE_INTEGER);
    maintainUntil(writer, () => writer.preparedTrim() !== undefined);
    const finished = writer.preparedTrim()?.segments ?? [];
    // All but the active one and the one that is preallocated.
    expect(finished.map(({ segmentNumber }) => segmentNumber)).toEqual(before.slice(0, -2));
    expect(finished[0]).toMatchObject({ segmentNumber: 1, firstLsn: 1, bytes: 4096 });
    expect(finished.map(({ firstLsn }) => firstLsn).slice(1)).toEqual(
      finished.map(({ lastLsn }) => lastLsn + 1).slice(0, -1),
    );
    const third = finished[2]?.lastLsn ?? 0;
    expect(trim(writer, third - 1)).toEqual([1, 2]);
    expect(trim(writer, third)).toEqual([3]);
    expect(trim(writer, third)).toEqual([]);
    expect(segmentsOn(disk)).toEqual(before.slice(3));
    expect(trim(writer, Number.MAX_SAFE_INTEGER)).toEqual(before.slice(3, -2));
    expect(writer.commit([framesOf(paidOrder(101))]).durableLsn).toBe(101);
  });

  it('writes two checkpoints before anything goes', async () => {
    const { disk, writer } = await longLog();
    const before = segmentsOn(disk);
    writer.prepareTrim(100);
    expect(() => writer.removeSegment(1)).toThrow('still needed');
    maintainUntil(writer, () => writer.stats().checkpoints === 1);
    expect(writer.preparedTrim()).toBeUndefined();
    expect(() => writer.removeSegment(1)).toThrow('still needed');
    maintainUntil(writer, () => writer.preparedTrim() !== undefined);
    expect(writer.stats().checkpoints).toBe(2);
    expect(segmentsOn(disk)).toEqual(before);
    expect(() => writer.removeSegment(2)).toThrow('not the first segment');
  });

  it('can be opened, appended to, and opened again', async () => {
    const { disk, writer } = await longLog();
    trim(writer, 100);
    writer.close();
    const reopened = await openWriter(disk, NEVER);
    expect(reopened.recovery).toMatchObject({ created: false, lastLsn: 100, checkpointLsn: 100, tornBytes: 0 });
    expect(reopened.recovery.records).toBeLessThan(20);
    expect(reopened.recovery.segments).toBe(1);
    expect(reopened.commit([framesOf(paidOrder(200, [1]))]).refusals).toMatchObject([{ reason: 'ticketAlreadySold' }]);
    for (const order of paidOrders(101, 130)) expect(reopened.commit([framesOf(order)]).refusals).toEqual([]);
    trim(reopened, 115);
    reopened.close();
    const again = await openWriter(disk, NEVER);
    expect(again.recovery).toMatchObject({ lastLsn: 130, conflicts: 0 });
    expect(again.commit([framesOf(paidOrder(200, [120]))]).refusals).toMatchObject([{ reason: 'ticketAlreadySold' }]);
    const first = again.recovery.lastLsn - again.recovery.records + 1;
    expect(first).toBeGreaterThan(90);
    await expect(readAll(disk)).rejects.toMatchObject({ code: 'trimmed' });
    expect(await readAll(disk, LOG_DIRECTORY, first - 1)).toEqual(paidOrders(first, 130));
  });

  it('cannot be opened without any checkpoint, and can again with the segments copied back', async () => {
    const { disk, writer } = await longLog();
    const whole = disk.copy();
    trim(writer, 100);
    writer.close();
    for (const name of disk.list(LOG_DIRECTORY)) {
      if (name.endsWith('.checkpoint')) disk.remove(`${LOG_DIRECTORY}/${name}`);
    }
    const trimmed = disk.copy();
    const error: unknown = await openWriter(disk).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OrderLogError);
    expect(error).toMatchObject({ code: 'trimmed' });
    expect(String(error)).toContain('Copy the archived segments');
    expect(String(error)).toContain('none was found');
    expect(disk.copy()).toEqual(trimmed);
    for (const [path, content] of whole) if (!trimmed.has(path) && path.endsWith('.seg')) disk.restore(path, content);
    const reopened = await openWriter(disk, NEVER);
    expect(reopened.recovery).toMatchObject({ scannedRecords: 100, lastLsn: 100 });
    // And trimmed once more.
    expect(trim(reopened, 100).length).toBeGreaterThan(5);
    expect((await openWriter(disk, NEVER)).recovery.lastLsn).toBe(100);
  });

  it('can be opened with the checkpoint before when the newest is damaged', async () => {
    const { disk, writer } = await longLog();
    trim(writer, 100);
    const newest = disk
      .list(LOG_DIRECTORY)
      .filter((name) => name.endsWith('.checkpoint'))
      .sort()
      .at(-1);
    disk.edit(`${LOG_DIRECTORY}/${newest}`, (content) => content.fill(0xff, 1000, 1010));
    const { recovery } = await openWriter(disk, NEVER);
    expect(recovery).toMatchObject({ lastLsn: 100, checkpointLsn: 100 });
    expect(recovery.ignoredCheckpoints.length).toBe(1);
  });

  it('does not take a lost segment for a trimmed one', async () => {
    const { disk, writer } = await longLog();
    trim(writer, 40);
    const [first = 0, second = 0] = segmentsOn(disk);
    writer.close();
    for (const lost of [first, second]) {
      const intact = disk.copy();
      disk.remove(`${LOG_DIRECTORY}/${String(lost).padStart(8, '0')}.seg`);
      await expect(openWriter(disk)).rejects.toMatchObject({ code: 'corrupt' });
      disk.putBack(intact);
    }
    expect((await openWriter(disk)).recovery.lastLsn).toBe(100);
  });

  it('is not created anew when all its segments are gone', async () => {
    const { disk, writer } = await longLog();
    trim(writer, 100);
    writer.close();
    const names = disk.list(LOG_DIRECTORY);
    for (const name of names) if (name.endsWith('.seg')) disk.remove(`${LOG_DIRECTORY}/${name}`);
    await expect(openWriter(disk)).rejects.toMatchObject({ code: 'corrupt' });
    for (const name of names) if (name.endsWith('.checkpoint')) disk.remove(`${LOG_DIRECTORY}/${name}`);
    await expect(openWriter(disk)).rejects.toMatchObject({ code: 'trimmed' });
    expect(segmentsOn(disk)).toEqual([]);
  });

  it('is whole again after a power loss, wherever it happened', async () => {
    const remaining = new Set<number>();
    for (let operations = 0; operations < 40; operations += 1) {
      const { disk, writer } = await longLog();
      disk.operationsLeft = operations;
      try {
        trim(writer, 100);
      } catch (error) {
        expect(String(error)).toContain('EIO');
      }
      disk.losePower((position) => position % 1024 < 512);
      const reopened = await openWriter(disk, NEVER);
      expect(reopened.recovery).toMatchObject({ lastLsn: 100, conflicts: 0 });
      remaining.add(segmentsOn(disk).length);
      expect(reopened.commit([framesOf(paidOrder(200, [3]))]).refusals).toMatchObject([
        { reason: 'ticketAlreadySold' },
      ]);
      trim(reopened, 100);
      expect(segmentsOn(disk).length).toBeLessThanOrEqual(2);
      expect((await openWriter(disk, NEVER)).recovery.lastLsn).toBe(100);
    }
    expect(remaining.size).toBeGreaterThan(3);
  });

  it('keeps everything when no checkpoint can be written', async () => {
    const { disk, writer } = await longLog();
    while (writer.preallocate());
    const before = disk.list(LOG_DIRECTORY);
    disk.capacityBytes = 0;
    expect(() => trim(writer, 100)).toThrow('ENOSPC');
    expect(disk.list(LOG_DIRECTORY)).toEqual(before);
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    expect(trim(writer, 100).length).toBeGreaterThan(5);
  });
});

describe('trimming an order log', () => {
  let directory: string;
  let logs: OrderLog[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fest-order-log-'));
    logs = [];
  });

  afterEach(async () => {
    for (const log of logs) await log.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function open(options: Partial<OrderLogOptions> = {}): Promise<OrderLog> {
    const log = await openOrderLog({ directory: join(directory, 'log'), segmentBytes: 16 * 1024, ...options });
    logs.push(log);
    return log;
  }

  async function append(log: OrderLog, from: number, to: number): Promise<void> {
    await Promise.all(paidOrders(from, to).map((order) => log.append(order)));
  }

  async function recordsFrom(path: string, afterLsn: number): Promise<OrderLogRecord[]> {
    const records: OrderLogRecord[] = [];
    for await (const { record } of readOrderLog(path, { afterLsn })) records.push(record);
    return records;
  }

  it('archives each segment in a folder of the log, readable as a log, before it goes', async () => {
    const log = await open();
    const archiveDirectory = join(directory, 'archive');
    await append(log, 1, 500);
    const report = await log.trim(300, { archiveDirectory });
    expect(report.removedSegments).toBeGreaterThan(3);
    expect(report.removedBytes).toBe(report.removedSegments * 16 * 1024);
    const through = report.removedThroughLsn ?? 0;
    expect(through).toBeLessThanOrEqual(300);
    expect(through).toBeGreaterThan(250);
    expect(await readdir(archiveDirectory)).toEqual([log.logId]);
    const archived = join(archiveDirectory, log.logId);
    expect(segmentsIn(await readdir(archived)).length).toBe(report.removedSegments);
    expect(await recordsFrom(archived, 0)).toEqual(paidOrders(1, through));
    expect(await recordsFrom(join(directory, 'log'), through)).toEqual(paidOrders(through + 1, 500));
    const rest = await log.trim(log.durableLsn, { archiveDirectory });
    expect(await recordsFrom(archived, 0)).toEqual(paidOrders(1, rest.removedThroughLsn ?? 0));
    expect(await log.trim(log.durableLsn, { archiveDirectory })).toEqual({ removedSegments: 0, removedBytes: 0 });
  });

  it('goes on with copies that an interrupted trim left behind', async () => {
    const log = await open();
    await append(log, 1, 200);
    const archived = join(directory, 'archive', log.logId);
    await mkdir(archived, { recursive: true });
    await writeFile(join(archived, '00000001.seg'), 'half a copy');
    await writeFile(join(archived, '00000002.seg.unfinished'), 'half a copy');
    const { removedThroughLsn = 0 } = await log.trim(200, { archiveDirectory: join(directory, 'archive') });
    expect(await recordsFrom(archived, 0)).toEqual(paidOrders(1, removedThroughLsn));
    expect((await readdir(archived)).filter((name) => !name.endsWith('.seg'))).toEqual([]);
  });

  it('lets go of nothing that is not in the archive', async () => {
    const log = await open();
    await append(log, 1, 200);
    const before = await readdir(join(directory, 'log'));
    const archiveDirectory = join(directory, 'a-file');
    await writeFile(archiveDirectory, '');
    await expect(log.trim(200, { archiveDirectory })).rejects.toMatchObject({ code: 'notTrimmed' });
    expect(segmentsIn(await readdir(join(directory, 'log')))).toEqual(expect.arrayContaining(segmentsIn(before)));
    expect(await log.append(paidOrder(201))).toBe(201);
  });

  it('lets go of no segment whose copy is damaged', async () => {
    const log = await open();
    await append(log, 1, 200);
    const { open: openFile } = await import('node:fs/promises');
    const file = await openFile(join(directory, 'log', '00000002.seg'), 'r+');
    await file.write(Buffer.from('#'), 0, 1, 3000);
    await file.close();
    const error: unknown = await log
      .trim(200, { archiveDirectory: join(directory, 'archive') })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'notTrimmed' });
    expect(String(error)).toContain('00000002.seg');
    expect(segmentsIn(await readdir(join(directory, 'log')))[0]).toBe(2);
    expect(segmentsIn(await readdir(join(directory, 'archive', log.logId)))).toEqual([1]);
  });

  it('does not stand in the way of appends, nor of who follows the log', async () => {
    const log = await open();
    const path = join(directory, 'log');
    const reader = await openOrderLogReader(path);
    const total = 1000;
    const appended = (async () => {
      for (let n = 1; n <= total; n += 10) await append(log, n, n + 9);
    })();
    const seen: number[] = [];
    let removedSegments = 0;
    while (seen.length < total) {
      const batch = await reader.readBatch(log.durableLsn, 200);
      for (const { lsn } of batch) seen.push(lsn);
      if (batch.length > 0) removedSegments += (await log.trim(seen.length)).removedSegments;
      else await new Promise((resolve) => setImmediate(resolve));
    }
    await appended;
    await reader.close();
    expect(seen).toEqual(Array.from({ length: total }, (_, index) => index + 1));
    removedSegments += (await log.trim(total)).removedSegments;
    expect(removedSegments).toBeGreaterThan(15);
    expect(segmentsIn(await readdir(path)).length).toBeLessThanOrEqual(2);
    await log.close();
    const reopened = await open();
    expect(reopened.recovery).toMatchObject({ lastLsn: total, conflicts: 0, tornBytes: 0 });
    await expect(reopened.append(paidOrder(total + 1, [1]))).rejects.toMatchObject({ reason: 'ticketAlreadySold' });
    expect(await reopened.append(paidOrder(total + 1))).toBe(total + 1);
  });

  it('lets a reader know even when a segment goes between listing and reading', async () => {
    const log = await open();
    const path = join(directory, 'log');
    await append(log, 1, 400);
    await log.close();
    const gone = new Set<string>();
    const vanishing: ReadableFiles = {
      ...asyncFiles,
      openForReading: (file) => {
        if (!gone.has(basename(file))) return asyncFiles.openForReading(file);
        throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
      },
    };
    const scanner = await LogScanner.open(vanishing, path);
    await scanner.next();
    for (const segmentNumber of [2, 3]) gone.add(segmentName(segmentNumber));
    const readOn = async (): Promise<void> => {
      while ((await scanner.next()).length > 0);
    };
    // Nothing says that they were trimmed, so they are missing; but that is what is said, not ENOENT.
    await expect(readOn()).rejects.toMatchObject({ code: 'corrupt', file: join(path, segmentName(2)) });
    await scanner.close();
  });

  it('tells a reader that what it wants was trimmed, also one that is under way', async () => {
    const log = await open();
    const path = join(directory, 'log');
    await append(log, 1, 400);
    const reader = await openOrderLogReader(path);
    expect((await reader.readBatch(400, 10)).length).toBe(10);
    const { removedThroughLsn = 0 } = await log.trim(400);
    for (const afterLsn of [0, 1, removedThroughLsn - 1]) {
      await expect(openOrderLogReader(path, afterLsn)).rejects.toMatchObject({
        code: 'trimmed',
        message: expect.stringContaining(`begins with record ${removedThroughLsn + 1}`),
      });
    }
    expect(await recordsFrom(path, removedThroughLsn)).toEqual(paidOrders(removedThroughLsn + 1, 400));
    const readOn = async (): Promise<void> => {
      while ((await reader.readBatch(400, 100)).length > 0);
    };
    await expect(readOn()).rejects.toMatchObject({ code: 'trimmed' });
    await reader.close();
  });

  it('answers several at once one after the other, and ends with the log', async () => {
    const log = await open();
    await append(log, 1, 300);
    const reports = await Promise.all([log.trim(100), log.trim(200), log.trim(50)]);
    expect(reports.map(({ removedSegments }) => removedSegments > 0)).toEqual([true, true, false]);
    await expect(log.trim(-1)).rejects.toThrow('throughLsn');
    const late = log.trim(300);
    await log.close();
    await late.catch((error: unknown) => expect(error).toMatchObject({ code: 'closed' }));
    await expect(log.trim(300)).rejects.toMatchObject({ code: 'closed' });
  });

  it('opens again with archived segments that were copied back', async () => {
    const log = await open({ checkpointLogBytes: Number.MAX_SAFE_INTEGER });
    const path = join(directory, 'log');
    await append(log, 1, 300);
    await log.trim(300, { archiveDirectory: join(directory, 'archive') });
    await log.close();
    for (const name of await readdir(path)) if (name.endsWith('.checkpoint')) await rm(join(path, name));
    await expect(open()).rejects.toMatchObject({ code: 'trimmed' });
    const archived = join(directory, 'archive', log.logId);
    for (const name of await readdir(archived)) await rename(join(archived, name), join(path, name));
    const reopened = await open();
    expect(reopened.recovery).toMatchObject({ lastLsn: 300, records: 300, scannedRecords: 300 });
  });
});
