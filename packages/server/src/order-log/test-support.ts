/** For the order log's tests: a disk that can fail, fill up and lose power, and records to put on it. */
import { basename, dirname } from 'node:path';
import type { Files, WritableFile } from './files.ts';
import {
  CHAIN_START,
  completeFrame,
  encodeSegmentHeader,
  framePayloadBytes,
  RECORD_HEADER_BYTES,
  startFrame,
} from './format.ts';
import { CHECKPOINT_LOG_BYTES } from './limits.ts';
import { type OrderLogRecord, type OrderPaid, type PaymentIntent, RECORD_TYPES } from './records.ts';
import { LogScanner } from './scanner.ts';
import { LogWriter, type WriterOptions } from './writer.ts';

export const SECTOR_BYTES = 512;

interface SimulatedFile {
  /** What a read returns: the page cache. */
  content: Buffer;
  /** What is on the platter. */
  durable: Buffer;
  /** Written since the last successful sync, oldest first. */
  dirty: { readonly position: number; readonly bytes: Buffer }[];
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

function writeInto(target: Buffer, bytes: Buffer, position: number): Buffer {
  const length = Math.max(target.length, position + bytes.length);
  const result = length > target.length ? Buffer.concat([target, Buffer.alloc(length - target.length)]) : target;
  bytes.copy(result, position);
  return result;
}

/**
 * A disk in memory that keeps what was synced apart from what was only written.
 *
 * A failed sync behaves as Linux does: what was dirty is not on disk, yet counts as clean from then on, is still in the
 * page cache, and the next sync succeeds without it.
 */
export class SimulatedDisk implements Files {
  /** Names in use, and those that would survive a power loss. */
  #names = new Map<string, SimulatedFile>();
  #durableNames = new Map<string, SimulatedFile>();
  /** System code that the next write or sync fails with, each once. */
  failNextWrite: string | undefined;
  failNextSync: string | undefined;
  /** The disk is full when its files would take more than this. */
  capacityBytes = Number.POSITIVE_INFINITY;
  /** Writes, syncs and renames left until the power goes. */
  operationsLeft = Number.POSITIVE_INFINITY;
  syncs = 0;
  largestWriteBytes = 0;

  list(directory: string): string[] {
    return [...this.#names.keys()].filter((path) => dirname(path) === directory).map((path) => basename(path));
  }

  openForReading(path: string): WritableFile {
    return this.#handle(this.#find(path));
  }

  openForWriting(path: string): WritableFile {
    return this.#handle(this.#find(path));
  }

  create(path: string): WritableFile {
    this.#requirePower();
    const file: SimulatedFile = { content: Buffer.alloc(0), durable: Buffer.alloc(0), dirty: [] };
    this.#names.set(path, file);
    return this.#handle(file);
  }

  rename(from: string, to: string): void {
    this.#countOperation();
    this.#names.set(to, this.#find(from));
    this.#names.delete(from);
  }

  remove(path: string): void {
    this.#requirePower();
    this.#names.delete(path);
  }

  ensureDirectory(): void {}

  syncDirectory(): void {
    this.#countOperation();
    this.#durableNames = new Map(this.#names);
  }

  /** The process is killed: names and page cache stay as they are. */
  killProcess(): void {
    this.operationsLeft = Number.POSITIVE_INFINITY;
  }

  /** Power off and on. Of what was not synced, each sector of each write is there or not as `survives` says. */
  losePower(survives: (position: number) => boolean): void {
    this.operationsLeft = Number.POSITIVE_INFINITY;
    this.#names = new Map(this.#durableNames);
    for (const file of this.#names.values()) {
      for (const { position, bytes } of file.dirty) {
        for (let at = 0; at < bytes.length; ) {
          const sectorEnd = Math.min(bytes.length, at + SECTOR_BYTES - ((position + at) % SECTOR_BYTES));
          if (survives(position + at))
            file.durable = writeInto(file.durable, bytes.subarray(at, sectorEnd), position + at);
          at = sectorEnd;
        }
      }
      file.dirty = [];
      file.content = Buffer.from(file.durable);
    }
  }

  /** The content of a file, to look at or to damage: what is changed is changed on the platter too. */
  edit(path: string, change: (content: Buffer) => Buffer): void {
    const file = this.#find(path);
    file.content = change(Buffer.from(file.content));
    file.durable = Buffer.from(file.content);
    file.dirty = [];
  }

  snapshot(path: string): Buffer {
    return Buffer.from(this.#find(path).content);
  }

  /** Everything on the disk, by path. */
  copy(): ReadonlyMap<string, Buffer> {
    return new Map([...this.#names].map(([path, file]) => [path, Buffer.from(file.content)]));
  }

  /** Puts back what `copy` has returned, in place of everything. */
  putBack(copy: ReadonlyMap<string, Buffer>): void {
    this.#names = new Map();
    this.#durableNames = new Map();
    for (const [path, content] of copy) this.restore(path, content);
  }

  restore(path: string, content: Buffer): void {
    const file: SimulatedFile = { content: Buffer.from(content), durable: Buffer.from(content), dirty: [] };
    this.#names.set(path, file);
    this.#durableNames.set(path, file);
  }

  #find(path: string): SimulatedFile {
    const file = this.#names.get(path);
    if (file === undefined) throw systemError('ENOENT');
    return file;
  }

  #countOperation(): void {
    this.operationsLeft -= 1;
    this.#requirePower();
  }

  /** Whoever goes on without power changes nothing. */
  #requirePower(): void {
    if (this.operationsLeft < 0) throw systemError('EIO');
  }

  #handle(file: SimulatedFile): WritableFile {
    return {
      read: (into, position) => file.content.copy(into, 0, position, position + into.length),
      size: () => file.content.length,
      close: () => {},
      write: (parts, position) => this.#write(file, Buffer.concat(parts), position),
      datasync: () => this.#sync(file),
    };
  }

  #write(file: SimulatedFile, bytes: Buffer, position: number): number {
    const code = this.failNextWrite;
    this.failNextWrite = undefined;
    if (code !== undefined) throw systemError(code);
    const growth = Math.max(0, position + bytes.length - file.content.length);
    const used = [...this.#names.values()].reduce((sum, each) => sum + each.content.length, 0);
    if (growth > 0 && used + growth > this.capacityBytes) throw systemError('ENOSPC');
    this.largestWriteBytes = Math.max(this.largestWriteBytes, bytes.length);
    file.content = writeInto(file.content, bytes, position);
    file.dirty.push({ position, bytes });
    this.#countOperation();
    return bytes.length;
  }

  #sync(file: SimulatedFile): void {
    this.#countOperation();
    this.syncs += 1;
    const code = this.failNextSync;
    this.failNextSync = undefined;
    if (code === undefined) {
      for (const { position, bytes } of file.dirty) file.durable = writeInto(file.durable, bytes, position);
    }
    file.dirty = [];
    if (code !== undefined) throw systemError(code);
  }
}

export const LOG_DIRECTORY = '/log';

/** Opens a writer, without its thread, on a disk. */
export function openWriter(files: Files, options: Partial<WriterOptions> = {}): Promise<LogWriter> {
  return LogWriter.open({
    files,
    directory: LOG_DIRECTORY,
    segmentBytes: 4096,
    preallocateRetryMs: 0,
    checkpointLogBytes: CHECKPOINT_LOG_BYTES,
    newLogId: () => '00112233445566778899aabbccddeeff',
    now: () => 1_700_000_000_000,
    ...options,
  });
}

/** A paid order; order n has ticket n unless told otherwise. */
export function paidOrder(n: number, ticketNumbers: readonly number[] = [n]): OrderPaid {
  return {
    type: 'orderPaid',
    saleId: 7,
    epoch: 1,
    at: 1_700_000_000_000 + n,
    orderId: `order-${n}`,
    paymentId: `payment-${n}`,
    holdId: `hold-${n}`,
    festivalId: 3,
    accountId: 1000 + n,
    confirmSeq: n,
    ticketNumbers,
    capacity: 1_000_000,
    amount: 12_000,
    currency: 'EUR',
  };
}

/** `paidOrder` of each number from `from` to `to`. */
export function paidOrders(from: number, to: number): OrderPaid[] {
  return Array.from({ length: to - from + 1 }, (_, index) => paidOrder(from + index));
}

export function paymentIntent(n: number): PaymentIntent {
  const { saleId, epoch, at, paymentId, holdId, accountId, ticketNumbers, amount, currency } = paidOrder(n);
  return {
    type: 'paymentIntent',
    saleId,
    epoch,
    at,
    paymentId,
    holdId,
    accountId,
    ticketNumbers,
    amount,
    currency,
    method: 'card',
  };
}

/** Records as the main thread hands them to the writer. */
export function framesOf(...records: readonly OrderLogRecord[]): Buffer {
  return Buffer.concat(
    records.map((record) => {
      const payload = Buffer.from(JSON.stringify(record));
      const frame = Buffer.alloc(RECORD_HEADER_BYTES + payload.length);
      startFrame(frame, 0, payload.length, RECORD_TYPES[record.type], record.epoch);
      payload.copy(frame, RECORD_HEADER_BYTES);
      return frame;
    }),
  );
}

/** A segment with one batch of records that no writer would write, put together by hand. */
export function handmadeSegment(...records: readonly OrderLogRecord[]): Buffer {
  const header = { logId: '00'.repeat(16), segmentNumber: 1, chainStart: CHAIN_START, firstLsn: 1, writtenAt: 0 };
  const frames = framesOf(...records);
  let chain = CHAIN_START;
  let at = 0;
  for (let index = 0; index < records.length; index += 1) {
    chain = completeFrame(frames, at, index + 1, index, chain);
    at += RECORD_HEADER_BYTES + framePayloadBytes(frames, at);
  }
  return Buffer.concat([encodeSegmentHeader(header), frames, Buffer.alloc(2048)]);
}

/** Every record behind `afterLsn` that can be read from a log, without opening it for writing. */
export async function readAll(files: Files, directory = LOG_DIRECTORY, afterLsn = 0): Promise<OrderLogRecord[]> {
  const scanner = await LogScanner.open(files, directory, afterLsn);
  const records: OrderLogRecord[] = [];
  for (let batch = await scanner.next(); batch.length > 0; batch = await scanner.next()) {
    for (const { lsn, payload } of batch) if (lsn > afterLsn) records.push(JSON.parse(payload.toString()));
  }
  await scanner.close();
  return records;
}
