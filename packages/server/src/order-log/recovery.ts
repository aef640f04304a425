/**
 * From whatever a crash left behind to a log that can be appended to. Afterwards everything that was read is on disk and
 * vouched for by a seal, and everything behind it is zero.
 */

import { OrderLogError } from './errors.ts';
import { type Files, isOutOfSpace, writeFully } from './files.ts';
import { CHAIN_START, encodeSeal, encodeSegmentHeader, SEGMENT_HEADER_BYTES } from './format.ts';
import { REPORTED_CONFLICTS_MAX } from './limits.ts';
import type { Leftover } from './proof.ts';
import { RECORD_TYPES } from './records.ts';
import { type LogPosition, LogScanner, type ScannedRecord } from './scanner.ts';
import { listSegments, removeUnfinishedSegments, SegmentPreallocation, segmentPath, zeroRange } from './segments.ts';
import type { TicketBitmap } from './ticket-bitmap.ts';

/** What open found, and did about it. */
export interface RecoveryReport {
  /** There was no log in the directory. */
  readonly created: boolean;
  readonly records: number;
  /** 0 in a new log. */
  readonly lastLsn: number;
  readonly segments: number;
  /** Bytes of a torn end that were cut off: nobody had been told that they are durable. */
  readonly tornBytes: number;
  /** Where they began. */
  readonly tornAt?: { readonly file: string; readonly offset: number };
  /** Records of the log that the ticket gate would refuse: must be 0, or a ticket was sold twice. */
  readonly conflicts: number;
  /** The first of them, described. */
  readonly conflictSamples: readonly string[];
  readonly durationMs: number;
}

export interface RecoveryOptions {
  readonly files: Files;
  readonly directory: string;
  readonly segmentBytes: number;
  readonly newLogId: () => string;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export interface Recovered {
  readonly logId: string;
  /** Where to write on. */
  readonly position: LogPosition;
  readonly report: RecoveryReport;
}

/** Feeds the ticket gate from the log, and keeps count of what it objects to. */
class GateReplay {
  conflicts = 0;
  readonly samples: string[] = [];
  readonly #tickets: TicketBitmap;

  constructor(tickets: TicketBitmap) {
    this.#tickets = tickets;
  }

  take(scanned: ScannedRecord): void {
    if (scanned.type !== RECORD_TYPES.orderPaid && scanned.type !== RECORD_TYPES.orderCancelled) return;
    const record: unknown = JSON.parse(scanned.payload.toString());
    const isSale = scanned.type === RECORD_TYPES.orderPaid;
    const refusal = isSale ? this.#tickets.sell(record) : this.#tickets.cancel(record);
    if (refusal === undefined) return;
    this.conflicts += 1;
    if (this.samples.length < REPORTED_CONFLICTS_MAX) this.samples.push(`record ${scanned.lsn}: ${refusal.message}`);
  }
}

/**
 * Reads the whole log into the ticket gate, cuts a torn end off, and makes what is left durable.
 * @throws {OrderLogCorruptError} when records that had been durable cannot be read; nothing was changed then
 * @throws {OrderLogError} `full` when there is no room for the first segment of a new log
 */
export async function recoverLog(options: RecoveryOptions, tickets: TicketBitmap): Promise<Recovered> {
  const { files, directory, now } = options;
  const startedAt = now();
  const replay = new GateReplay(tickets);
  const scanner = await LogScanner.open(files, directory);
  let records = 0;
  try {
    for (let batch = await scanner.next(); batch.length > 0; batch = await scanner.next()) {
      records += batch.length;
      for (const scanned of batch) replay.take(scanned);
    }
  } finally {
    await scanner.close();
  }
  removeUnfinishedSegments(files, directory);
  // The process before may have been killed between giving a segment its name and making the name durable.
  files.syncDirectory(directory);
  for (const leftover of scanner.leftovers) cutOff(files, directory, leftover);

  const found = scanner.logId;
  const logId = found ?? options.newLogId();
  const position = found === undefined ? await createLog(options, logId) : secure(files, directory, scanner.position);
  const torn = scanner.leftovers[0];
  return {
    logId,
    position,
    report: {
      created: found === undefined,
      records,
      lastLsn: position.lsn,
      segments: position.segmentNumber,
      tornBytes: scanner.leftovers.reduce((sum, leftover) => sum + leftover.to - leftover.from, 0),
      ...(torn === undefined
        ? {}
        : { tornAt: { file: segmentPath(directory, torn.segmentNumber), offset: torn.from } }),
      conflicts: replay.conflicts,
      conflictSamples: replay.samples,
      durationMs: now() - startedAt,
    },
  };
}

function cutOff(files: Files, directory: string, leftover: Leftover): void {
  const file = files.openForWriting(segmentPath(directory, leftover.segmentNumber));
  try {
    zeroRange(file, leftover.from, leftover.to);
    file.datasync();
  } finally {
    file.close();
  }
}

async function createLog(options: RecoveryOptions, logId: string): Promise<LogPosition> {
  const { files, directory, segmentBytes, now } = options;
  if (!(await listSegments(files, directory)).includes(1)) {
    const preallocation = new SegmentPreallocation(files, directory, 1, segmentBytes);
    try {
      while (!preallocation.step());
    } catch (error) {
      preallocation.abandon();
      if (!isOutOfSpace(error)) throw error;
      const message = `There is no room for an order log in ${directory}: it takes ${segmentBytes} bytes to begin with.`;
      throw new OrderLogError('full', message, { cause: error });
    }
  }
  const header = { logId, segmentNumber: 1, chainStart: CHAIN_START, firstLsn: 1, writtenAt: now() };
  const file = files.openForWriting(segmentPath(directory, 1));
  try {
    writeFully(file, [encodeSegmentHeader(header)], 0);
    file.datasync();
  } finally {
    file.close();
  }
  const offset = SEGMENT_HEADER_BYTES;
  return { segmentNumber: 1, offset, chain: CHAIN_START, lsn: 0, batchOffset: 0, sealed: true };
}

/**
 * Makes sure that a last batch without a seal is really on disk. Syncing is not enough: after a failed fdatasync the
 * kernel may hold pages that it believes to be clean and that never reached the disk, and reading them back proves
 * nothing. Writing the same bytes again makes them dirty again.
 */
function secure(files: Files, directory: string, position: LogPosition): LogPosition {
  if (position.sealed) return position;
  const { batchOffset, offset } = position;
  const file = files.openForWriting(segmentPath(directory, position.segmentNumber));
  try {
    const batch = Buffer.alloc(offset - batchOffset);
    if (file.read(batch, batchOffset) !== batch.length)
      throw new Error('The end of the order log changed while opening.');
    const seal = encodeSeal(position.lsn, position.chain);
    writeFully(file, [batch], batchOffset);
    file.datasync();
    // Only now: a seal must not reach the disk before what it vouches for.
    writeFully(file, [seal.bytes], offset);
    file.datasync();
    return { ...position, chain: seal.chain, offset: offset + seal.bytes.length, sealed: true };
  } finally {
    file.close();
  }
}
