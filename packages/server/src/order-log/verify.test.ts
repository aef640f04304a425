import { copyFile, cp, mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFiles } from './files.ts';
import { CHAIN_START, completeFrame, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, startFrame } from './format.ts';
import { openOrderLog } from './order-log.ts';
import type { OrderLogRecord } from './records.ts';
import { framesOf, handmadeSegment, openWriter, paidOrder, paidOrders, paymentIntent } from './test-support.ts';
import { type OrderLogVerification, type VerifyProgress, verifyOrderLog } from './verify.ts';

const MEBIBYTE = 1024 * 1024;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fest-order-log-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function writeRecords(records: readonly OrderLogRecord[], checkpointLogBytes = Number.POSITIVE_INFINITY) {
  const writer = await openWriter(nodeFiles, { directory, checkpointLogBytes });
  for (const record of records) writer.commit([framesOf(record)]);
  writer.close();
}

function path(segmentNumber: number): string {
  return join(directory, `0000000${segmentNumber}.seg`);
}

async function damage(file: string, offset: number, bytes = Buffer.from('#')): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(bytes, 0, bytes.length, offset);
  await handle.close();
}

function statesOf({ segments }: OrderLogVerification): string {
  return segments.map(({ segmentNumber, state }) => `${segmentNumber} ${state}`).join(', ');
}

/** First and last LSN by segment, of a log of 50 orders. */
async function bordersOf50(): Promise<{ firstLsn: number; lastLsn: number }[]> {
  await writeRecords(paidOrders(1, 50));
  const { segments } = await verifyOrderLog(directory);
  return segments.map(({ firstLsn = 0, lastLsn = 0 }) => ({ firstLsn, lastLsn }));
}

describe('verifying an intact log', () => {
  it('tells what is in each segment and in all', async () => {
    const records = paidOrders(1, 40).flatMap((order, index): OrderLogRecord[] => [paymentIntent(index + 1), order]);
    await writeRecords(records);
    const verification = await verifyOrderLog(directory);
    const payloadBytes = records.reduce((sum, record) => sum + Buffer.byteLength(JSON.stringify(record)), 0);
    expect(verification).toMatchObject({
      ok: true,
      records: 80,
      firstLsn: 1,
      lastLsn: 80,
      recordsByType: { orderPaid: 40, paymentIntent: 40 },
      payloadBytes,
      tornBytes: 0,
      checkpoints: [],
      damage: [],
    });
    expect(verification.logId).toMatch(/^[0-9a-f]{32}$/);
    expect(verification.trimmedThroughLsn).toBeUndefined();
    const { segments, dataBytes } = verification;
    expect(segments.length).toBeGreaterThan(4);
    expect(segments[0]).toMatchObject({
      name: '00000001.seg',
      segmentNumber: 1,
      state: 'verified',
      bytes: 4096,
      firstLsn: 1,
    });
    expect(segments.every(({ state }) => state === 'verified')).toBe(true);
    expect(segments.map(({ firstLsn }) => firstLsn).slice(1)).toEqual(
      segments.map(({ lastLsn = 0 }) => lastLsn + 1).slice(0, -1),
    );
    expect(segments.reduce((sum, segment) => sum + segment.records, 0)).toBe(80);
    expect(segments.reduce((sum, segment) => sum + segment.payloadBytes, 0)).toBe(payloadBytes);
    const framed = payloadBytes + 80 * RECORD_HEADER_BYTES + segments.length * SEGMENT_HEADER_BYTES;
    expect(dataBytes).toBe(framed + segments.length * RECORD_HEADER_BYTES);
  });

  it('finds nothing in an empty directory, and says so when there is no directory', async () => {
    const verification = await verifyOrderLog(directory);
    expect(verification).toMatchObject({ ok: true, segments: [], records: 0, firstLsn: 0, lastLsn: 0, dataBytes: 0 });
    expect(verification.logId).toBeUndefined();
    await expect(verifyOrderLog(join(directory, 'absent'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('names a segment that is only preallocated', async () => {
    const writer = await openWriter(nodeFiles, { directory });
    writer.commit([framesOf(paidOrder(1))]);
    while (writer.preallocate());
    writer.close();
    const { segments } = await verifyOrderLog(directory);
    expect(segments[1]).toMatchObject({ segmentNumber: 2, state: 'empty', bytes: 4096, records: 0 });
    expect(segments[1]?.firstLsn).toBeUndefined();
  });

  it('counts records of types that it does not know', async () => {
    const frame = Buffer.alloc(RECORD_HEADER_BYTES + 2);
    startFrame(frame, 0, 2, 42, 1);
    frame.write('{}', RECORD_HEADER_BYTES);
    completeFrame(frame, 0, 1, 0, CHAIN_START);
    const segment = handmadeSegment();
    await writeFile(path(1), Buffer.concat([segment.subarray(0, SEGMENT_HEADER_BYTES), frame, Buffer.alloc(1000)]));
    expect((await verifyOrderLog(directory)).recordsByType).toEqual({ 'type 42': 1 });
  });

  it('reports a torn end and changes nothing', async () => {
    await writeRecords(paidOrders(1, 4));
    const { dataBytes } = await verifyOrderLog(directory);
    await damage(path(1), dataBytes, Buffer.from('garbage'));
    for (const _twice of [1, 2]) {
      const verification = await verifyOrderLog(directory);
      expect(verification).toMatchObject({
        ok: true,
        lastLsn: 4,
        tornBytes: 7,
        tornAt: { file: path(1), offset: dataBytes },
      });
      expect(statesOf(verification)).toBe('1 torn');
    }
    expect(await readdir(directory)).toEqual(['00000001.seg']);
  });

  it('tells how far it is', async () => {
    await writeRecords(paidOrders(1, 50));
    const heard: VerifyProgress[] = [];
    const { segments } = await verifyOrderLog(directory, { onProgress: (progress) => heard.push(progress) });
    expect(heard.length).toBe(segments.length);
    expect(heard.map(({ segmentNumber }) => segmentNumber)).toEqual(segments.map(({ segmentNumber }) => segmentNumber));
    expect(heard.map(({ lsn }) => lsn)).toEqual(segments.map(({ lastLsn }) => lastLsn));
    expect(heard.every(({ bytes, totalBytes }) => bytes <= totalBytes && totalBytes === segments.length * 4096)).toBe(
      true,
    );
    expect(heard.map(({ bytes }) => bytes)).toEqual(heard.map(({ bytes }) => bytes).sort((a, b) => a - b));
  });

  it('takes no more memory for a large log than for a small one', async () => {
    const writer = await openWriter(nodeFiles, { directory, segmentBytes: 8 * MEBIBYTE, checkpointLogBytes: 1 });
    const order = { ...paidOrder(1), type: 'orderPaid' as const, currency: 'E'.repeat(100_000) };
    for (let n = 1; n <= 320; n += 1) {
      writer.commit([framesOf({ ...order, orderId: `o${n}`, ticketNumbers: [n * 3000] })]);
    }
    writer.close();
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    const verification = await verifyOrderLog(directory, {
      onProgress: () => {
        peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
      },
    });
    expect(verification).toMatchObject({ ok: true, records: 320, checkpoints: [{ lsn: 320 }] });
    expect(peak).toBeLessThan(4 * MEBIBYTE);
  });
});

describe('verifying a damaged log', () => {
  it('says where, why and what to do, and goes on with the next segment', async () => {
    const borders = await bordersOf50();
    const { firstLsn = 0, lastLsn = 0 } = borders[1] ?? {};
    const offset = SEGMENT_HEADER_BYTES + framesOf(paidOrder(firstLsn)).length;
    await damage(path(2), offset + RECORD_HEADER_BYTES + 20);
    const verification = await verifyOrderLog(directory);
    expect(verification).toMatchObject({ ok: false, records: 50 - (lastLsn - firstLsn), firstLsn: 1, lastLsn: 50 });
    expect(statesOf(verification)).toMatch(/^1 verified, 2 damaged, 3 verified, (\d verified(, )?)+$/);
    const [found, ...others] = verification.damage;
    expect(others).toEqual([]);
    expect(verification.segments[1]).toMatchObject({ firstLsn, lastLsn: firstLsn, records: 1, damage: found });
    expect(found).toMatchObject({
      file: path(2),
      offset,
      lsn: firstLsn + 1,
      throughLsn: lastLsn,
      what: "the record's checksum does not match",
    });
    expect(found?.advice).toContain(`${verification.logId}/00000002.seg`);
    expect(found?.advice).toContain(`records ${firstLsn + 1} to ${lastLsn} are lost here`);
    expect(found?.advice).toContain(`fest log replay --dir ${directory} --retire`);
  });

  it('is all right again when the advice is taken', async () => {
    await writeRecords(paidOrders(1, 50));
    const copy = join(directory, 'copy');
    await mkdir(copy);
    await copyFile(path(3), join(copy, '00000003.seg'));
    await damage(path(3), 1000);
    expect((await verifyOrderLog(directory)).ok).toBe(false);
    await copyFile(join(copy, '00000003.seg'), path(3));
    expect(await verifyOrderLog(directory)).toMatchObject({ ok: true, records: 50 });
  });

  it('names every segment that is missing or has no header any more', async () => {
    const borders = await bordersOf50();
    await rm(path(2));
    await damage(path(3), 10);
    const verification = await verifyOrderLog(directory);
    expect(statesOf(verification)).toMatch(/^1 verified, 2 missing, 3 damaged, 4 verified/);
    const firstLsn = borders[1]?.firstLsn;
    const throughLsn = borders[2]?.lastLsn;
    expect(verification.damage).toMatchObject([
      // Reading stops at the end of segment 1, which is as it should be: what comes next is missing.
      { file: path(2), offset: 0, lsn: firstLsn, throughLsn, what: 'the segment is missing or its header is damaged' },
      { file: path(3), offset: 0, lsn: firstLsn, throughLsn },
    ]);
    expect(verification.records).toBe(50 - ((throughLsn ?? 0) - (firstLsn ?? 0) + 1));
  });

  it('finds two damaged places', async () => {
    await bordersOf50();
    await damage(path(1), 500);
    await damage(path(4), 2000);
    const verification = await verifyOrderLog(directory);
    expect(statesOf(verification)).toMatch(/^1 damaged, 2 verified, 3 verified, 4 damaged/);
    expect(verification.damage.map(({ file }) => file)).toEqual([path(1), path(4)]);
  });

  it('does not know how much is lost when it is the last segment', async () => {
    await writeRecords(paidOrders(1, 8));
    await damage(path(1), SEGMENT_HEADER_BYTES + 100);
    const { ok, damage: found, records } = await verifyOrderLog(directory);
    expect({ ok, records }).toEqual({ ok: false, records: 0 });
    expect(found).toMatchObject([{ file: path(1), offset: SEGMENT_HEADER_BYTES, lsn: 1 }]);
    expect(found[0]?.throughLsn).toBeUndefined();
    expect(found[0]?.advice).toContain('the records from 1 on are lost here');
  });

  it('recognises a segment of another log', async () => {
    await bordersOf50();
    const other = await mkdtemp(join(tmpdir(), 'fest-order-log-'));
    const writer = await openWriter(nodeFiles, { directory: other, newLogId: () => 'ee'.repeat(16) });
    for (const order of paidOrders(1, 50)) writer.commit([framesOf(order)]);
    writer.close();
    await copyFile(join(other, '00000002.seg'), path(2));
    await rm(other, { recursive: true });
    const verification = await verifyOrderLog(directory);
    expect(verification.damage).toMatchObject([
      { file: path(2), what: expect.stringContaining('belongs to log eeee') },
    ]);
    expect(statesOf(verification)).toMatch(/^1 verified, 2 damaged, 3 verified/);
  });
});

describe('verifying checkpoints and trimmed logs', () => {
  it('says which checkpoints can be used', async () => {
    await writeRecords(paidOrders(1, 20), 1);
    const writer = await openWriter(nodeFiles, { directory, checkpointLogBytes: 1 });
    writer.commit([framesOf(paidOrder(21))]);
    writer.close();
    await damage(join(directory, '00000001.checkpoint'), 5000);
    expect(await verifyOrderLog(directory)).toMatchObject({
      ok: true,
      checkpoints: [
        { name: '00000002.checkpoint', lsn: 21 },
        { name: '00000001.checkpoint', unusable: 'its checksum does not match' },
      ],
    });
  });

  it('finds out that an older copy was put in the place of the log', async () => {
    await writeRecords(paidOrders(1, 20));
    const older = join(directory, 'older');
    await mkdir(older);
    for (const name of await readdir(directory)) {
      if (name.endsWith('.seg')) await copyFile(join(directory, name), join(older, name));
    }
    const writer = await openWriter(nodeFiles, { directory, checkpointLogBytes: 1 });
    for (const order of paidOrders(21, 60)) writer.commit([framesOf(order)]);
    writer.close();
    for (const name of await readdir(directory)) if (name.endsWith('.seg')) await rm(join(directory, name));
    await cp(older, directory, { recursive: true });
    const verification = await verifyOrderLog(directory);
    expect(verification).toMatchObject({ ok: false, records: 20 });
    expect(verification.damage).toMatchObject([
      { lsn: 21, throughLsn: 60, what: expect.stringContaining('older copy') },
    ]);
  });

  it('begins where a trimmed log begins', async () => {
    const log = await openOrderLog({ directory, segmentBytes: 8192 });
    await Promise.all(paidOrders(1, 200).map((order) => log.append(order)));
    const { removedThroughLsn = 0 } = await log.trim(120);
    await log.close();
    expect(removedThroughLsn).toBeGreaterThan(60);
    const verification = await verifyOrderLog(directory);
    expect(verification).toMatchObject({
      ok: true,
      trimmedThroughLsn: removedThroughLsn,
      firstLsn: removedThroughLsn + 1,
      lastLsn: 200,
      records: 200 - removedThroughLsn,
    });
    const [first] = verification.segments;
    expect(first).toMatchObject({ firstLsn: removedThroughLsn + 1, state: 'verified' });
    await rm(join(directory, first?.name ?? ''));
    const damaged = await verifyOrderLog(directory);
    expect(damaged.segments[0]).toMatchObject({ name: first?.name, state: 'missing' });
    expect(damaged.ok).toBe(false);
  });
});
