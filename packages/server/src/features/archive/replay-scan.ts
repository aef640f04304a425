/**
 * The first pass of a replay: reads a log to its end and keeps what decides how its records are applied, whichever log
 * comes first. Memory grows with what was given back and what is open, not with the log.
 */
import { basename } from 'node:path';
import { OrderLogCorruptError } from '../../order-log/errors.ts';
import { asyncFiles } from '../../order-log/files.ts';
import { openOrderLogReader } from '../../order-log/reader.ts';
import type { OrderLogRecord, StoredRecord } from '../../order-log/records.ts';
import { findSegmentHeader, listSegments } from '../../order-log/segments.ts';
import type { LogIdentity } from './log-identity.ts';
import { type Tombstone, tombstoneOf } from './order-rows.ts';
import type { OpenRecord } from './payment-rows.ts';

/** What one chunk of the log holds, more or less. */
const BATCH_RECORDS = 1_000;

/** Records in a row that can be read. */
export interface Span {
  readonly fromLsn: number;
  readonly throughLsn: number;
}

export interface LogScan {
  readonly directory: string;
  readonly firstLsn: number;
  /** The last record that can be read; `firstLsn - 1` when there is none. */
  readonly lastLsn: number;
  /** How many can be read. */
  readonly records: number;
  /** What can be read: all of it in one, unless something is damaged. */
  readonly spans: readonly Span[];
  /** Payments without an outcome at the end, with what to go on from. */
  readonly openAtEnd: ReadonlyMap<string, OpenRecord>;
  /** Payments that have their outcome here and did not begin here: adopted from a log that was retired, or begun in a part
   * that was trimmed. */
  readonly closedOnly: ReadonlySet<string>;
  /** Orders that were given back, by id. */
  readonly tombstones: ReadonlyMap<string, Tombstone>;
  /** The highest epoch that began, by sale. */
  readonly epochs: ReadonlyMap<number, number>;
  /** Sales with orders. */
  readonly saleIds: ReadonlySet<number>;
  /** Records that had been durable and cannot be read: those between the spans, and perhaps behind the last. */
  readonly corrupt?: OrderLogCorruptError;
}

export interface ScanOptions {
  /** End with this record. Beside a live writer: one that is known to be durable. */
  readonly throughLsn?: number;
  /** Ends the scan between two batches; its reason is thrown. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (lsn: number) => void;
}

/** Reads what can be read. Behind damage it goes on with the next segment whose header is intact. */
export async function scanLog(log: LogIdentity, options: ScanOptions = {}): Promise<LogScan> {
  const { directory, firstLsn } = log;
  const found = new Findings();
  const spans: Span[] = [];
  let corrupt: OrderLogCorruptError | undefined;
  for (let fromLsn: number | undefined = firstLsn; fromLsn !== undefined; ) {
    const span = await scanSpan(directory, fromLsn, found, options);
    if (span.throughLsn >= span.fromLsn) spans.push({ fromLsn: span.fromLsn, throughLsn: span.throughLsn });
    corrupt ??= span.corrupt;
    fromLsn = span.corrupt === undefined ? undefined : await findIntactLsn(log, span.corrupt);
  }
  const { openAtEnd, closedOnly, tombstones, epochs, saleIds } = found;
  return {
    directory,
    firstLsn,
    lastLsn: spans.at(-1)?.throughLsn ?? firstLsn - 1,
    records: spans.reduce((sum, span) => sum + span.throughLsn - span.fromLsn + 1, 0),
    spans,
    openAtEnd,
    closedOnly,
    tombstones,
    epochs,
    saleIds,
    ...(corrupt === undefined ? {} : { corrupt }),
  };
}

async function scanSpan(
  directory: string,
  fromLsn: number,
  found: Findings,
  { throughLsn = Number.MAX_SAFE_INTEGER, signal, onProgress }: ScanOptions,
): Promise<Span & { readonly corrupt?: OrderLogCorruptError }> {
  const reader = await openOrderLogReader(directory, fromLsn - 1);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const batch = await reader.readBatch(throughLsn, BATCH_RECORDS);
      if (batch.length === 0) return { fromLsn, throughLsn: reader.lsn };
      for (const stored of batch) found.add(stored);
      onProgress?.(reader.lsn);
    }
  } catch (error) {
    if (!(error instanceof OrderLogCorruptError)) throw error;
    return { fromLsn, throughLsn: reader.lsn, corrupt: error };
  } finally {
    await reader.close();
  }
}

/** Where reading can go on behind damage: the first record of the next segment that says which one that is. */
async function findIntactLsn(
  { directory, logId }: LogIdentity,
  { file, lsn }: OrderLogCorruptError,
): Promise<number | undefined> {
  const damaged = Number.parseInt(basename(file), 10);
  for (const segmentNumber of await listSegments(asyncFiles, directory)) {
    if (segmentNumber <= damaged) continue;
    const header = await findSegmentHeader(asyncFiles, directory, segmentNumber);
    if (header !== undefined && header.logId === logId && header.firstLsn > lsn) return header.firstLsn;
  }
  return undefined;
}

class Findings {
  readonly openAtEnd = new Map<string, OpenRecord>();
  readonly closedOnly = new Set<string>();
  /** Payments whose intent is in another log, and that are open here. */
  readonly #adopted = new Set<string>();
  readonly tombstones = new Map<string, Tombstone>();
  readonly epochs = new Map<number, number>();
  readonly saleIds = new Set<number>();

  add(stored: StoredRecord): void {
    const { record } = stored;
    this.#followPayments(record);
    const tombstone = tombstoneOf(stored);
    if (tombstone !== undefined) addTombstone(this.tombstones, tombstone);
    if (record.type === 'orderPaid') this.saleIds.add(record.saleId);
    else if (record.type === 'epochStarted') {
      this.epochs.set(record.saleId, Math.max(record.epoch, this.epochs.get(record.saleId) ?? 0));
    }
  }

  #followPayments(record: OrderLogRecord): void {
    const opened = opens(record);
    if (opened !== undefined) {
      const { paymentId, type } = opened;
      if (type === 'refundStarted' && !this.openAtEnd.has(paymentId)) this.#adopted.add(paymentId);
      this.openAtEnd.set(paymentId, opened);
    } else if (closes(record)) this.#close(record);
  }

  #close({ type, paymentId }: OrderLogRecord & { readonly paymentId: string }): void {
    const began = this.openAtEnd.get(paymentId);
    // A refund that ends here and did not begin here began in another log, whatever else this one says.
    const endsOnly = began === undefined || (type === 'refundCompleted' && began.type !== 'refundStarted');
    if (endsOnly || this.#adopted.delete(paymentId)) this.closedOnly.add(paymentId);
    this.openAtEnd.delete(paymentId);
  }
}

/** The record, when it begins something. Refunds of orders belong to the cancellation of the order. */
export function opens(record: OrderLogRecord): OpenRecord | undefined {
  if (record.type === 'paymentIntent') return record;
  return record.type === 'refundStarted' && record.orderId === undefined ? record : undefined;
}

export function closes(
  record: OrderLogRecord,
): record is Extract<OrderLogRecord, { type: 'orderPaid' | 'paymentFailed' | 'refundCompleted' }> {
  if (record.type === 'refundCompleted') return record.orderId === undefined;
  return record.type === 'orderPaid' || record.type === 'paymentFailed';
}

/** The payments that no log at hand closes, with the furthest of what is said about each. */
export function openInAll(scans: readonly LogScan[]): ReadonlyMap<string, OpenRecord> {
  const open = new Map<string, OpenRecord>();
  for (const { openAtEnd } of scans) {
    for (const [paymentId, record] of openAtEnd) {
      if (record.type === 'refundStarted' || !open.has(paymentId)) open.set(paymentId, record);
    }
  }
  for (const { closedOnly } of scans) for (const paymentId of closedOnly) open.delete(paymentId);
  return open;
}

/** The further state and the earlier time hold, as in MySQL. */
export function addTombstone(all: Map<string, Tombstone>, tombstone: Tombstone): void {
  const known = all.get(tombstone.orderId);
  if (known === undefined) {
    all.set(tombstone.orderId, tombstone);
    return;
  }
  all.set(tombstone.orderId, {
    ...known,
    status: known.status === 'cancelled' ? 'cancelled' : tombstone.status,
    cancelledAtMs: Math.min(known.cancelledAtMs, tombstone.cancelledAtMs),
  });
}
