import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OrderLog, openOrderLog } from '../order-log/order-log.ts';
import type { OrderLogRecord } from '../order-log/records.ts';
import { segmentPath } from '../order-log/segments.ts';
import { LogTail } from './log-tail.ts';

let directory: string;
let log: OrderLog;
let tail: LogTail;
let read: number[];

const record = (phaseSeq: number): OrderLogRecord => ({
  type: 'phaseChanged',
  saleId: 1,
  epoch: 1,
  at: 1,
  from: 'open',
  to: 'paused',
  phaseSeq,
});

async function append(count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) await log.append(record(number));
}

const readOn = (): Promise<void> => tail.readOn((_, lsn) => read.push(lsn));
const numbers = (from: number, through: number): number[] =>
  Array.from({ length: through - from + 1 }, (_, index) => from + index);

describe('a log as an audit reads it', () => {
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'fest-tail-'));
    log = await openOrderLog({ directory: join(directory, 'log'), segmentBytes: 2_048 });
    read = [];
  });
  afterEach(async () => {
    await tail?.close();
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('is read to its end, and from there on when more has come', async () => {
    await append(5);
    tail = await LogTail.open(join(directory, 'log'));
    await readOn();
    expect(read).toEqual(numbers(1, 5));
    await append(30);
    await readOn();
    expect(read).toEqual(numbers(1, 35));
    expect(tail).toMatchObject({ state: 'read', logId: log.logId, firstLsn: 1, lastLsn: 35, inUse: true });
  });

  it('is found later when there was none', async () => {
    tail = await LogTail.open(directory);
    await readOn();
    expect(tail).toMatchObject({ state: 'empty', logId: undefined, lastLsn: 0 });
  });

  it('goes on behind what was taken away while it was read', async () => {
    await append(3);
    tail = await LogTail.open(join(directory, 'log'));
    await readOn();
    await append(60);
    await log.trim(50);
    await readOn();
    expect(tail.state).toBe('read');
    expect(tail.firstLsn).toBeGreaterThan(4);
    // The segment it had open can be read to its end.
    const before = read.filter((lsn) => lsn < tail.firstLsn);
    expect(before).toEqual(numbers(1, before.length));
    expect(read.slice(before.length)).toEqual(numbers(tail.firstLsn, 63));
  });

  it('says where it is damaged, and keeps what comes before', async () => {
    await append(10);
    const path = segmentPath(join(directory, 'log'), 1);
    const bytes = readFileSync(path);
    const at = bytes.indexOf('"phaseSeq":6');
    bytes.writeUInt8(0x20, at);
    writeFileSync(path, bytes);
    tail = await LogTail.open(join(directory, 'log'));
    await readOn();
    expect(read).toEqual(numbers(1, 6));
    expect(tail).toMatchObject({ state: 'corrupt', lastLsn: 6, damage: { file: path, lsn: 7 } });
  });

  it('says that it cannot be read at all', async () => {
    tail = await LogTail.open(join(directory, 'nowhere'));
    await readOn();
    expect(tail).toMatchObject({ state: 'unreadable', problem: expect.stringContaining('ENOENT') });
  });
});
