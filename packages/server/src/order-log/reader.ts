/**
 * Reading the order log: in constant memory, verified record by record, beside a live writer or without one. Nothing
 * here changes anything on disk.
 */
import { asyncFiles } from './files.ts';
import { findLogStart } from './log-start.ts';
import type { OrderLogRecord, StoredRecord } from './records.ts';
import { LogScanner } from './scanner.ts';

export interface ReadOptions {
  /** Begin behind this record; 0, the default, is the beginning, which a trimmed log does not have any more. */
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
   * @throws {OrderLogError} `trimmed` when they were removed from the log meanwhile
   */
  readBatch(throughLsn: number, recordsMax: number): Promise<StoredRecord[]>;
  close(): Promise<void>;
}

/**
 * Opens a reader behind a record; the log need not exist yet, its directory must.
 * @throws {OrderLogError} `trimmed` when the record behind `afterLsn` was removed from the log (see `findFirstLsn`)
 */
export async function openOrderLogReader(directory: string, afterLsn = 0): Promise<OrderLogReader> {
  return new ScannerReader(await LogScanner.open(asyncFiles, directory, afterLsn), afterLsn);
}

/** The first record that the log in a directory still has, or will have: 1 unless the log was trimmed. */
export async function findFirstLsn(directory: string): Promise<number> {
  return (await findLogStart(asyncFiles, directory)).firstLsn;
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
