/**
 * Where a log begins. A log begins with segment 1, until its first segments are trimmed: then a small file, `trimmed`,
 * says which segment has to be there first. It is a copy of that segment's header. So a segment that was removed on
 * purpose is told from one that got lost.
 */
import { join } from 'node:path';
import { OrderLogError } from './errors.ts';
import { type Files, isNoSuchFile, type ReadableFiles, writeFully } from './files.ts';
import {
  CHAIN_START,
  encodeSegmentHeader,
  parseSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './format.ts';
import { findSegmentHeader, listSegments, readFully, segmentName, UNFINISHED_SUFFIX } from './segments.ts';

const TRIM_MARK_NAME = 'trimmed';

/** What has to be known of a segment to read from its beginning. */
export interface LogStart {
  readonly segmentNumber: number;
  readonly firstLsn: number;
  readonly chainStart: number;
  /** Undefined as long as nothing says so. */
  readonly logId: string | undefined;
}

const BEGINNING: LogStart = { segmentNumber: 1, firstLsn: 1, chainStart: CHAIN_START, logId: undefined };

/** Which segment has to be there first; undefined when the log was never trimmed. */
export async function findTrimMark(files: ReadableFiles, directory: string): Promise<SegmentHeader | undefined> {
  try {
    const file = await files.openForReading(join(directory, TRIM_MARK_NAME));
    try {
      const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
      return parseSegmentHeader(bytes.subarray(0, await readFully(file, bytes, 0)));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isNoSuchFile(error)) return undefined;
    throw error;
  }
}

/** Makes durable that the log may begin with this segment. */
export function writeTrimMark(files: Files, directory: string, firstSegment: SegmentHeader): void {
  const path = join(directory, TRIM_MARK_NAME);
  const file = files.create(path + UNFINISHED_SUFFIX);
  try {
    writeFully(file, [encodeSegmentHeader(firstSegment)], 0);
    file.datasync();
  } finally {
    file.close();
  }
  files.rename(path + UNFINISHED_SUFFIX, path);
  files.syncDirectory(directory);
}

/**
 * The first segment of a log. What was trimmed may still be there (a trim that was interrupted) or again (copied back
 * from the archive): then the log begins earlier than it has to.
 */
export async function findLogStart(files: ReadableFiles, directory: string): Promise<LogStart> {
  const [lowest] = await listSegments(files, directory);
  if (lowest === 1) return BEGINNING;
  const mark = await findTrimMark(files, directory);
  if (mark === undefined) return BEGINNING;
  if (lowest === undefined || lowest >= mark.segmentNumber) return mark;
  return (await findSegmentHeader(files, directory, lowest)) ?? mark;
}

/** Segments from the first to the last of these numbers that are not there. */
export function missingSegments(present: readonly number[], from: number, through: number): number[] {
  const missing: number[] = [];
  for (let segmentNumber = from; segmentNumber <= through; segmentNumber += 1) {
    if (!present.includes(segmentNumber)) missing.push(segmentNumber);
  }
  return missing;
}

/** Records before the first segment are wanted. */
export function trimmedError(directory: string, lsn: number, start: LogStart): OrderLogError {
  const { firstLsn, segmentNumber } = start;
  return new OrderLogError(
    'trimmed',
    `Record ${lsn} is not in the order log in ${directory} any more: it was trimmed and begins with record ${firstLsn}, ` +
      `in ${segmentName(segmentNumber)}. Copy the archived segments before ${segmentName(segmentNumber)} back into the ` +
      `directory, or read from record ${firstLsn} on.`,
  );
}

/** The log cannot be opened for writing: what was trimmed is needed, since no checkpoint replaces it. */
export function checkpointNeededError(
  directory: string,
  start: LogStart,
  ignored: readonly { readonly file: string; readonly why: string }[],
): OrderLogError {
  const reasons = ignored.map(({ file, why }) => `${file}: ${why}`).join('; ');
  const first = segmentName(start.segmentNumber);
  return new OrderLogError(
    'trimmed',
    `The order log in ${directory} was trimmed: it begins with record ${start.firstLsn}, in ${first}, and there is no ` +
      `checkpoint that knows the tickets sold before (${reasons === '' ? 'none was found' : reasons}). Nothing was ` +
      `changed. Copy the archived segments before ${first} back into the directory, or a checkpoint file from a backup ` +
      `of it, and start again. Without either, give the server a new log directory and replay this one with ` +
      `\`fest log replay --dir ${directory} --retire\`.`,
  );
}
