/**
 * Reading the order log: in constant memory, verified record by record, beside a live writer or without one. Nothing
 * here changes anything on disk.
 */
import { OrderLogCorruptError } from './errors.ts';
import { asyncFiles } from './files.ts';
import type { OrderLogRecord, StoredRecord } from './records.ts';
import { LogScanner } from './scanner.ts';
import { findSegmentHeader, listSegments, segmentName, segmentPath } from './segments.ts';

export interface ReadOptions {
  /** Begin behind this record; 0, the default, is the beginning. */
  readonly afterLsn?: number;
  /**
   * End with this record. Beside a live writer always give its `durableLsn`: behind that may be records that are not on
   * disk yet, and the end of a log is searched more thoroughly, thus slowly, than a record that is known to be there.
   */
  readonly throughLsn?: number;
}

/** A reader that remembers its place, for those who follow the log. Not for concurrent use. */
export interface OrderLogReader {
  /** The last record that `readBatch` returned. */
  readonly lsn: number;
  /**
   * The records that follow, up to `throughLsn` and at most `recordsMax`; empty when there are none yet.
   * @throws {OrderLogCorruptError} when records that had been durable cannot be read
   */
  readBatch(throughLsn: number, recordsMax: number): Promise<StoredRecord[]>;
  close(): Promise<void>;
}

/** Opens a reader behind a record; the log need not exist yet, its directory must. */
export async function openOrderLogReader(directory: string, afterLsn = 0): Promise<OrderLogReader> {
  return new ScannerReader(await LogScanner.open(asyncFiles, directory, afterLsn), afterLsn);
}

class ScannerReader implements OrderLogReader {
  readonly #scanner: LogScanner;
  #lsn: number;
  /** Read, but not yet returned. At most a chunk. */
  #ahead: StoredRecord[] = [];
  #aheadFrom = 0;

  constructor(scanner: LogScanner, afterLsn: number) {
    this.#scanner = scanner;
    this.#lsn = afterLsn;
  }

  get lsn(): number {
    return this.#lsn;
  }

  async readBatch(throughLsn: number, recordsMax: number): Promise<StoredRecord[]> {
    while (this.#aheadFrom === this.#ahead.length) {
      if (this.#lsn >= throughLsn || !(await this.#readAhead())) return [];
    }
    const batch: StoredRecord[] = [];
    while (batch.length < recordsMax) {
      const stored = this.#ahead[this.#aheadFrom];
      if (stored === undefined || stored.lsn > throughLsn) break;
      batch.push(stored);
      this.#aheadFrom += 1;
      this.#lsn = stored.lsn;
    }
    return batch;
  }

  close(): Promise<void> {
    return this.#scanner.close();
  }

  /** Returns false at the end of the log. */
  async #readAhead(): Promise<boolean> {
    const scanned = await this.#scanner.next();
    this.#ahead = [];
    this.#aheadFrom = 0;
    for (const { lsn, payload } of scanned) {
      if (lsn > this.#lsn) this.#ahead.push({ lsn, record: JSON.parse(payload.toString()) as OrderLogRecord });
    }
    return scanned.length > 0;
  }
}

/** Records that a batch of `readOrderLogBatches` has at most: about what a chunk holds. */
const BATCH_RECORDS = 1_000;

/**
 * Records in batches, for consumers that write batches themselves.
 * @throws {OrderLogCorruptError} when records that had been durable cannot be read
 */
export async function* readOrderLogBatches(
  directory: string,
  options: ReadOptions = {},
): AsyncGenerator<StoredRecord[], void, void> {
  const reader = await openOrderLogReader(directory, options.afterLsn ?? 0);
  try {
    for (;;) {
      const batch = await reader.readBatch(options.throughLsn ?? Number.MAX_SAFE_INTEGER, BATCH_RECORDS);
      if (batch.length === 0) return;
      yield batch;
    }
  } finally {
    await reader.close();
  }
}

/**
 * Every record, in order. A torn end is not an error: it ends there.
 * @throws {OrderLogCorruptError} when records that had been durable cannot be read
 */
export async function* readOrderLog(
  directory: string,
  options: ReadOptions = {},
): AsyncGenerator<StoredRecord, void, void> {
  for await (const batch of readOrderLogBatches(directory, options)) yield* batch;
}

export interface SegmentInspection {
  readonly name: string;
  readonly segmentNumber: number;
  /** Size of the file, preallocated zeros included. */
  readonly bytes: number;
  /** LSN its first record has or will have; absent as long as the segment is only preallocated. */
  readonly firstLsn?: number;
}

export interface OrderLogInspection {
  /** Absent when there is no log yet. */
  readonly logId?: string;
  readonly segments: readonly SegmentInspection[];
  readonly records: number;
  /** 0 when there are no records. */
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** Bytes of valid data, headers included, without preallocated zeros. */
  readonly dataBytes: number;
  /** Bytes behind the last valid record that opening the log would cut off. Beside a live writer: the batch in flight. */
  readonly tornBytes: number;
  readonly tornAt?: { readonly file: string; readonly offset: number };
  /** Durable records cannot be read: what was counted is what comes before. Opening the log will fail with this. */
  readonly corrupt?: OrderLogCorruptError;
}

async function inspectSegments(directory: string): Promise<SegmentInspection[]> {
  const segments: SegmentInspection[] = [];
  for (const segmentNumber of await listSegments(asyncFiles, directory)) {
    const header = await findSegmentHeader(asyncFiles, directory, segmentNumber);
    const file = await asyncFiles.openForReading(segmentPath(directory, segmentNumber));
    const bytes = await file.size();
    await file.close();
    const name = segmentName(segmentNumber);
    segments.push({ name, segmentNumber, bytes, ...(header === undefined ? {} : { firstLsn: header.firstLsn }) });
  }
  return segments;
}

/** Reads and verifies the whole log, and reports what is there; changes nothing, and does not stop at a torn end. */
export async function inspectOrderLog(directory: string): Promise<OrderLogInspection> {
  const segments = await inspectSegments(directory);
  const scanner = await LogScanner.open(asyncFiles, directory);
  let records = 0;
  let corrupt: OrderLogCorruptError | undefined;
  try {
    for (let batch = await scanner.next(); batch.length > 0; batch = await scanner.next()) records += batch.length;
  } catch (error) {
    if (!(error instanceof OrderLogCorruptError)) throw error;
    corrupt = error;
  } finally {
    await scanner.close();
  }
  const { leftovers, position, logId } = scanner;
  const torn = corrupt === undefined ? leftovers[0] : undefined;
  return {
    ...(logId === undefined ? {} : { logId }),
    segments,
    records,
    firstLsn: records === 0 ? 0 : 1,
    lastLsn: position.lsn,
    dataBytes: scanner.dataBytes,
    tornBytes: torn === undefined ? 0 : leftovers.reduce((sum, leftover) => sum + leftover.to - leftover.from, 0),
    ...(torn === undefined ? {} : { tornAt: { file: segmentPath(directory, torn.segmentNumber), offset: torn.from } }),
    ...(corrupt === undefined ? {} : { corrupt }),
  };
}
