/**
 * From whatever a crash left behind to a log that can be appended to. Afterwards everything that was read is on disk and
 * vouched for by a seal, and everything behind it is zero.
 */

import type { Checkpoint } from './checkpoint-format.ts';
import { type CheckpointSearch, type FoundCheckpoint, findCheckpoint, type IgnoredCheckpoint } from './checkpoints.ts';
import { OrderLogError } from './errors.ts';
import { type Files, isOutOfSpace, writeFully } from './files.ts';
import { CHAIN_START, encodeSeal, encodeSegmentHeader, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES } from './format.ts';
import { changesGate, Gate } from './gate.ts';
import { REPORTED_CONFLICTS_MAX } from './limits.ts';
import { checkpointNeededError, findLogStart, type LogStart, missingSegments } from './log-start.ts';
import type { Leftover } from './proof.ts';
import { corruption, type LogPosition, LogScanner, type ScannedRecord } from './scanner.ts';
import {
  findSegmentHeader,
  listSegments,
  removeUnfinishedFiles,
  SegmentPreallocation,
  segmentPath,
  zeroRange,
} from './segments.ts';

/** What open found, and did about it. */
export interface RecoveryReport {
  /** There was no log in the directory. */
  readonly created: boolean;
  /** Records in the log, counted from its first segment on, whether they were read or not. */
  readonly records: number;
  /** Records that were read from the segments and verified. */
  readonly scannedRecords: number;
  /** Records up to this one were not replayed, since a checkpoint knows what they say; absent without one. */
  readonly checkpointLsn?: number;
  /** Checkpoints that could not be used, newest first. The log was opened without them. */
  readonly ignoredCheckpoints: readonly IgnoredCheckpoint[];
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
  readonly gate: Gate;
  readonly checkpoints: CheckpointSearch;
  /** Bytes of log that had to be replayed. */
  readonly replayedBytes: number;
  readonly report: RecoveryReport;
}

/** Feeds the gate from the log, and keeps count of what it objects to. */
class GateReplay {
  readonly gate: Gate;
  conflicts: number;
  readonly samples: string[];
  scannedRecords = 0;
  replayedBytes = 0;
  readonly #afterLsn: number;

  /** Goes on behind a checkpoint, or begins with nothing. */
  constructor(checkpoint: Checkpoint | undefined) {
    this.gate = new Gate(checkpoint?.gate);
    this.conflicts = checkpoint?.conflicts ?? 0;
    this.samples = [...(checkpoint?.conflictSamples ?? [])];
    this.#afterLsn = checkpoint?.place.lsn ?? 0;
  }

  take(scanned: ScannedRecord): void {
    this.scannedRecords += 1;
    if (scanned.lsn <= this.#afterLsn) return;
    this.replayedBytes += RECORD_HEADER_BYTES + scanned.payload.length;
    if (!changesGate(scanned.type)) return;
    const refusal = this.gate.replay(scanned.type, JSON.parse(scanned.payload.toString()));
    if (refusal === undefined) return;
    this.conflicts += 1;
    if (this.samples.length < REPORTED_CONFLICTS_MAX) this.samples.push(`record ${scanned.lsn}: ${refusal.message}`);
  }
}

/** Where to begin reading, and the checkpoint that makes that enough. */
interface Beginning {
  readonly logStart: LogStart;
  readonly readFrom: LogStart;
  readonly checkpoints: CheckpointSearch;
}

/** @throws {OrderLogError} `trimmed` when what comes before the first segment is needed and nothing replaces it */
async function findBeginning(files: Files, directory: string): Promise<Beginning> {
  const logStart = await findLogStart(files, directory);
  const segments = await listSegments(files, directory);
  const logId = logStart.logId ?? (await findLogId(files, directory, segments));
  const checkpoints = await findCheckpoint(files, directory, logId, segments[0] ?? logStart.segmentNumber);
  const { found, ignored } = checkpoints;
  if (found === undefined) {
    if (logStart.firstLsn > 1) throw checkpointNeededError(directory, logStart, ignored);
    return { logStart, readFrom: logStart, checkpoints };
  }
  const { segmentNumber, segmentFirstLsn, segmentChainStart } = found.checkpoint.place;
  // With a segment missing before the place, everything is read after all: the scan says best what is wrong.
  if (missingSegments(segments, logStart.segmentNumber, segmentNumber - 1).length > 0) {
    return { logStart, readFrom: logStart, checkpoints };
  }
  const readFrom = {
    segmentNumber,
    firstLsn: segmentFirstLsn,
    chainStart: segmentChainStart,
    logId: found.checkpoint.logId,
  };
  return { logStart, readFrom, checkpoints };
}

/** Which log this is, by the first segment that says so. */
async function findLogId(files: Files, directory: string, segments: readonly number[]): Promise<string | undefined> {
  for (const segmentNumber of segments) {
    const header = await findSegmentHeader(files, directory, segmentNumber);
    if (header !== undefined) return header.logId;
  }
  return undefined;
}

/**
 * A checkpoint is written after the fdatasync of everything before its place has returned. So it vouches for those
 * records like a header behind them: a log that does not come through the place has lost some of them.
 */
function requirePassed(scanner: LogScanner, directory: string, found: FoundCheckpoint | undefined): void {
  if (found === undefined || scanner.cameThrough) return;
  const { place } = found.checkpoint;
  const { segmentNumber, offset, lsn } = scanner.position;
  const ended = segmentNumber < place.segmentNumber || (segmentNumber === place.segmentNumber && offset < place.offset);
  const damage = ended
    ? {
        // With nothing read at all, it is the segment to begin with that is not there.
        file: segmentPath(directory, offset === 0 ? segmentNumber + 1 : segmentNumber),
        offset,
        lsn: lsn + 1,
        what: 'the log ends here, as if an older copy of it had been put in its place',
      }
    : {
        file: segmentPath(directory, place.segmentNumber),
        offset: place.offset,
        lsn: place.lsn,
        what: 'the records before this place are others than those that had been here',
      };
  throw corruption(damage, { file: found.file, offset: 0, durableLsn: place.lsn });
}

/**
 * Reads the log, from a checkpoint on if there is one, into a gate; cuts a torn end off, and makes what is left durable.
 * @throws {OrderLogCorruptError} when records that had been durable cannot be read; nothing was changed then
 * @throws {OrderLogError} `full` when there is no room for the first segment of a new log; `trimmed` when the beginning
 *   of the log was removed and no checkpoint replaces it; nothing was changed then
 */
export async function recoverLog(options: RecoveryOptions): Promise<Recovered> {
  const { files, directory, now } = options;
  const startedAt = now();
  const { logStart, readFrom, checkpoints } = await findBeginning(files, directory);
  const { found } = checkpoints;
  const scanner = LogScanner.openAt(files, directory, readFrom, found?.checkpoint.place);
  const replay = new GateReplay(found?.checkpoint);
  try {
    for (let batch = await scanner.next(); batch.length > 0; batch = await scanner.next()) {
      for (const scanned of batch) replay.take(scanned);
    }
  } finally {
    await scanner.close();
  }
  requirePassed(scanner, directory, found);
  removeUnfinishedFiles(files, directory);
  // The process before may have been killed between giving a segment its name and making the name durable.
  files.syncDirectory(directory);
  for (const leftover of scanner.leftovers) cutOff(files, directory, leftover);

  const { logId: foundLogId } = scanner;
  const logId = foundLogId ?? options.newLogId();
  const position =
    foundLogId === undefined ? await createLog(options, logId) : secure(files, directory, scanner.position);
  const torn = scanner.leftovers[0];
  const { gate, scannedRecords, replayedBytes, conflicts, samples } = replay;
  return {
    logId,
    position,
    gate,
    checkpoints,
    replayedBytes,
    report: {
      created: foundLogId === undefined,
      records: position.lsn - logStart.firstLsn + 1,
      scannedRecords,
      ...(found === undefined ? {} : { checkpointLsn: found.checkpoint.place.lsn }),
      ignoredCheckpoints: checkpoints.ignored,
      lastLsn: position.lsn,
      segments: position.segmentNumber - logStart.segmentNumber + 1,
      tornBytes: scanner.leftovers.reduce((sum, leftover) => sum + leftover.to - leftover.from, 0),
      ...(torn === undefined
        ? {}
        : { tornAt: { file: segmentPath(directory, torn.segmentNumber), offset: torn.from } }),
      conflicts,
      conflictSamples: samples,
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
  const place = { segmentNumber: 1, offset, chain: CHAIN_START, lsn: 0, unsyncedOffset: 0, sealed: true };
  return { ...place, segmentFirstLsn: 1, segmentChainStart: CHAIN_START };
}

/**
 * Makes sure that the end of the log is really on disk, and sealed. Syncing is not enough: after a failed fdatasync the
 * kernel may hold pages that it believes to be clean and that never reached the disk, and reading them back proves
 * nothing. Writing the same bytes again makes them dirty again. That goes for a seal as well: it proves that what is before
 * it was durable, not that it is durable itself; and records behind a hole would be cut off as torn, or look corrupt.
 */
function secure(files: Files, directory: string, position: LogPosition): LogPosition {
  const { unsyncedOffset, offset } = position;
  const file = files.openForWriting(segmentPath(directory, position.segmentNumber));
  try {
    const end = Buffer.alloc(offset - unsyncedOffset);
    if (file.read(end, unsyncedOffset) !== end.length)
      throw new Error('The end of the order log changed while opening.');
    writeFully(file, [end], unsyncedOffset);
    file.datasync();
    if (position.sealed) return position;
    const seal = encodeSeal(position.lsn, position.chain);
    // Only now: a seal must not reach the disk before what it vouches for.
    writeFully(file, [seal.bytes], offset);
    file.datasync();
    return { ...position, chain: seal.chain, offset: offset + seal.bytes.length, sealed: true };
  } finally {
    file.close();
  }
}
