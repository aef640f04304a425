import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFiles } from './files.ts';
import { SEGMENT_HEADER_BYTES } from './format.ts';
import { openOrderLogReader, readOrderLog } from './reader.ts';
import { framesOf, openWriter, paidOrder } from './test-support.ts';

const MEBIBYTE = 1024 * 1024;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fest-order-log-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Orders 1 … count, four in a batch. */
async function writeOrders(count: number, segmentBytes = 4096): Promise<void> {
  const writer = await openWriter(nodeFiles, { directory, segmentBytes });
  for (let n = 1; n <= count; n += 4) {
    writer.commit([
      framesOf(...[n, n + 1, n + 2, n + 3].filter((each) => each <= count).map((each) => paidOrder(each))),
    ]);
  }
  writer.close();
}

async function lsnsOf(options: { afterLsn?: number; throughLsn?: number }): Promise<number[]> {
  const lsns: number[] = [];
  for await (const { lsn, record } of readOrderLog(directory, options)) {
    expect(record).toEqual(paidOrder(lsn));
    lsns.push(lsn);
  }
  return lsns;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

async function damage(name: string, offset: number, bytes: Buffer): Promise<void> {
  const file = await open(join(directory, name), 'r+');
  await file.write(bytes, 0, bytes.length, offset);
  await file.close();
}

describe('reading an order log', () => {
  it('returns exactly the records asked for, wherever they begin and end', async () => {
    await writeOrders(50);
    expect(await lsnsOf({})).toEqual(range(1, 50));
    for (const afterLsn of [0, 1, 9, 10, 11, 25, 49, 50, 99]) {
      expect(await lsnsOf({ afterLsn })).toEqual(range(1, 50).filter((lsn) => lsn > afterLsn));
      expect(await lsnsOf({ afterLsn, throughLsn: 30 })).toEqual(range(1, 30).filter((lsn) => lsn > afterLsn));
    }
    expect(await lsnsOf({ throughLsn: 0 })).toEqual([]);
  });

  it('finds nothing in an empty directory, and says so when there is no directory', async () => {
    expect(await lsnsOf({})).toEqual([]);
    await expect(readOrderLog(join(directory, 'absent')).next()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('goes on where it was when more has been written', async () => {
    await writeOrders(10);
    const reader = await openOrderLogReader(directory, 4);
    expect((await reader.readBatch(10, 3)).map(({ lsn }) => lsn)).toEqual([5, 6, 7]);
    expect((await reader.readBatch(8, 100)).map(({ lsn }) => lsn)).toEqual([8]);
    expect(await reader.readBatch(8, 100)).toEqual([]);
    expect((await reader.readBatch(99, 100)).map(({ lsn }) => lsn)).toEqual([9, 10]);
    expect(await reader.readBatch(99, 100)).toEqual([]);
    const writer = await openWriter(nodeFiles, { directory });
    writer.commit([framesOf(paidOrder(11))]);
    writer.close();
    expect((await reader.readBatch(99, 100)).map(({ lsn }) => lsn)).toEqual([11]);
    expect(reader.lsn).toBe(11);
    await reader.close();
  });

  it('returns what comes before damage, then throws', async () => {
    await writeOrders(8);
    await damage(
      '00000001.seg',
      SEGMENT_HEADER_BYTES + framesOf(paidOrder(1), paidOrder(2)).length + 60,
      Buffer.from('#'),
    );
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { lsn } of readOrderLog(directory)) seen.push(lsn);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'corrupt', lsn: 3 });
    expect(seen).toEqual([1, 2]);
  });

  it('takes no more memory for a large log than for a small one', async () => {
    const writer = await openWriter(nodeFiles, { directory, segmentBytes: 8 * MEBIBYTE });
    const order = { ...paidOrder(1), type: 'orderPaid' as const, currency: 'E'.repeat(100_000) };
    for (let n = 1; n <= 320; n += 1) writer.commit([framesOf({ ...order, orderId: `o${n}`, ticketNumbers: [n] })]);
    writer.close();
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    let records = 0;
    for await (const { lsn } of readOrderLog(directory)) {
      records = lsn;
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    }
    expect(records).toBe(320);
    expect(peak).toBeLessThan(4 * MEBIBYTE);
  });
});
