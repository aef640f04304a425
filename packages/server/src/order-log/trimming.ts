/** The writer's part of retention: which segments are finished, and taking the first one away. */
import { join } from 'node:path';
import { OrderLogError } from './errors.ts';
import type { Files } from './files.ts';
import { writeTrimMark } from './log-start.ts';
import { readSegmentHeader, segmentName, segmentNumbersIn, segmentPath } from './segments.ts';

/** A segment that is not written to any more. */
export interface FinishedSegment {
  readonly segmentNumber: number;
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** Size of the file. */
  readonly bytes: number;
}

/**
 * The segments before the active one whose records are all up to `throughLsn`, oldest first.
 * @throws {OrderLogError} `notTrimmed` when the header of one of them is damaged; or what the file system throws
 */
export function finishedSegments(
  files: Files,
  directory: string,
  activeSegment: number,
  throughLsn: number,
): FinishedSegment[] {
  const finished: FinishedSegment[] = [];
  const numbers = segmentNumbersIn(files.list(directory)).filter((number) => number < activeSegment);
  for (const segmentNumber of numbers) {
    const { firstLsn } = intactHeader(files, directory, segmentNumber);
    const lastLsn = intactHeader(files, directory, segmentNumber + 1).firstLsn - 1;
    if (lastLsn > throughLsn) break;
    const file = files.openForReading(segmentPath(directory, segmentNumber));
    finished.push({ segmentNumber, firstLsn, lastLsn, bytes: file.size() });
    file.close();
  }
  return finished;
}

function intactHeader(files: Files, directory: string, segmentNumber: number) {
  const header = readSegmentHeader(files, directory, segmentNumber);
  if (header !== undefined) return header;
  throw new OrderLogError(
    'notTrimmed',
    `The header of ${segmentPath(directory, segmentNumber)} is damaged: nothing was removed. ` +
      `\`fest log verify\` says what to do about it.`,
  );
}

/**
 * Removes the first segment of a log. First it is made durable that the log may begin with the next one; and the removal
 * is durable before the next one follows, so that a crash leaves no hole.
 * @throws {OrderLogError} `notTrimmed` when it is not the first; or what the file system throws
 */
export function removeFirstSegment(files: Files, directory: string, segmentNumber: number): void {
  const [first] = segmentNumbersIn(files.list(directory));
  if (first !== segmentNumber) {
    throw new OrderLogError(
      'notTrimmed',
      `${segmentName(segmentNumber)} is not the first segment in ${directory}: nothing was removed.`,
    );
  }
  const next = intactHeader(files, directory, segmentNumber + 1);
  writeTrimMark(files, directory, next);
  files.remove(join(directory, segmentName(segmentNumber)));
  files.syncDirectory(directory);
}
