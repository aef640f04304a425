/** Copies of segments in another place, before they are trimmed. Runs beside the writer, not in its thread. */
import { copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { OrderLogError } from './errors.ts';
import { asyncFiles, type ReadableFiles } from './files.ts';
import type { SegmentHeader } from './format.ts';
import { LogScanner } from './scanner.ts';
import { findSegmentHeader, segmentName, segmentPath, UNFINISHED_SUFFIX } from './segments.ts';

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates a folder and what is missing above it, durably. */
async function createFolder(folder: string): Promise<void> {
  const topmost = await mkdir(folder, { recursive: true });
  if (topmost === undefined) return;
  for (let created = folder; created.length >= topmost.length; created = dirname(created)) await sync(dirname(created));
}

async function headerOf(directory: string, segmentNumber: number): Promise<SegmentHeader> {
  const header = await findSegmentHeader(asyncFiles, directory, segmentNumber);
  if (header !== undefined) return header;
  throw new OrderLogError('notTrimmed', `The header of ${segmentPath(directory, segmentNumber)} is damaged.`);
}

/** Shows one file as the only segment of a log. */
function onlySegment(path: string, segmentNumber: number): ReadableFiles {
  const name = segmentName(segmentNumber);
  return {
    list: () => [name],
    openForReading: (asked) =>
      asyncFiles.openForReading(asked === segmentPath(dirname(path), segmentNumber) ? path : asked),
  };
}

/** Whether a file has every record from the beginning of a segment to the beginning of the next, undamaged. */
async function isComplete(path: string, segment: SegmentHeader, next: SegmentHeader): Promise<boolean> {
  const files = onlySegment(path, segment.segmentNumber);
  const scanner = LogScanner.openAt(files, dirname(path), segment);
  try {
    while ((await scanner.next()).length > 0);
  } catch (error) {
    if (error instanceof OrderLogError) return false;
    throw error;
  } finally {
    await scanner.close();
  }
  const { lsn, chain, segmentNumber } = scanner.position;
  return segmentNumber === segment.segmentNumber && lsn === next.firstLsn - 1 && chain === next.chainStart;
}

/**
 * Copies a finished segment to `<archiveDirectory>/<log id>/<segment>.seg` and reads the copy back, record by record. It
 * gets its name only when all of it is on disk. A copy that is already there is replaced.
 * @returns the path of the copy
 * @throws {OrderLogError} `notTrimmed` when the copy is not what the log says; or what the file system throws
 */
export async function archiveSegment(
  directory: string,
  archiveDirectory: string,
  segmentNumber: number,
): Promise<string> {
  const segment = await headerOf(directory, segmentNumber);
  const next = await headerOf(directory, segmentNumber + 1);
  const folder = join(resolve(archiveDirectory), segment.logId);
  const copy = join(folder, segmentName(segmentNumber));
  const unfinished = copy + UNFINISHED_SUFFIX;
  await createFolder(folder);
  try {
    await copyFile(segmentPath(directory, segmentNumber), unfinished);
    await sync(unfinished);
    if (!(await isComplete(unfinished, segment, next))) {
      throw new OrderLogError(
        'notTrimmed',
        `The copy of ${segmentPath(directory, segmentNumber)} in ${folder} is not complete, so the segment stays where ` +
          `it is. Either the segment itself is damaged (\`fest log verify\` says so) or the archive's disk is.`,
      );
    }
    await rename(unfinished, copy);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {
      // It only takes room; what went wrong before is what gets reported.
    });
    throw error;
  }
  await sync(folder);
  return copy;
}
