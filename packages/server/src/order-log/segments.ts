/** Segment files: their names, their listing, and how one comes to be. */
import { join } from 'node:path';
import {
  type Files,
  isNoSuchFile,
  type ReadableFile,
  type ReadableFiles,
  type WritableFile,
  writeFully,
} from './files.ts';
import { parseSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from './format.ts';
import { PREALLOCATE_STEP_BYTES } from './limits.ts';

const SEGMENT_NAME = /^(\d{8,})\.seg$/;
export const UNFINISHED_SUFFIX = '.unfinished';

export function segmentName(segmentNumber: number): string {
  return `${String(segmentNumber).padStart(8, '0')}.seg`;
}

export function segmentPath(directory: string, segmentNumber: number): string {
  return join(directory, segmentName(segmentNumber));
}

/** Numbers of the segments in a directory, ascending. */
export async function listSegments(files: ReadableFiles, directory: string): Promise<number[]> {
  return segmentNumbersIn(await files.list(directory));
}

/** Numbers of the segments among these file names, ascending. */
export function segmentNumbersIn(names: readonly string[]): number[] {
  return names
    .flatMap((name) => SEGMENT_NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** Removes what a crash left behind of files that get their name only when they are complete. */
export function removeUnfinishedFiles(files: Files, directory: string): void {
  for (const name of files.list(directory)) {
    if (name.endsWith(UNFINISHED_SUFFIX)) files.remove(join(directory, name));
  }
}

/** Fills the buffer from a position, over short reads; returns fewer bytes only at the end of the file. */
export async function readFully(file: ReadableFile, into: Buffer, position: number): Promise<number> {
  let filled = 0;
  while (filled < into.length) {
    const read = await file.read(filled === 0 ? into : into.subarray(filled), position + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/** The header of a segment; undefined when there is no such segment, or no intact header of that number in it. */
export async function findSegmentHeader(
  files: ReadableFiles,
  directory: string,
  segmentNumber: number,
): Promise<SegmentHeader | undefined> {
  let file: ReadableFile;
  try {
    file = await files.openForReading(segmentPath(directory, segmentNumber));
  } catch (error) {
    if (isNoSuchFile(error)) return undefined;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
    const read = await readFully(file, bytes, 0);
    const header = parseSegmentHeader(bytes.subarray(0, read));
    return header?.segmentNumber === segmentNumber ? header : undefined;
  } finally {
    await file.close();
  }
}

/**
 * The same, for the writer, which does not wait.
 * @throws what the file system throws, also when there is no such segment
 */
export function readSegmentHeader(files: Files, directory: string, segmentNumber: number): SegmentHeader | undefined {
  const file = files.openForReading(segmentPath(directory, segmentNumber));
  try {
    const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
    const header = parseSegmentHeader(bytes.subarray(0, file.read(bytes, 0)));
    return header?.segmentNumber === segmentNumber ? header : undefined;
  } finally {
    file.close();
  }
}

const ZEROS = Buffer.alloc(PREALLOCATE_STEP_BYTES);

/** Writes zeros over a range. Not durable until the file is synced. */
export function zeroRange(file: WritableFile, from: number, to: number): void {
  for (let at = from; at < to; at += ZEROS.length) {
    writeFully(file, [ZEROS.subarray(0, Math.min(ZEROS.length, to - at))], at);
  }
}

/**
 * A segment on its way: zeroed step by step, each step synced, and given its real name only when all of it is on disk.
 * So a `.seg` file always has its blocks, and an fdatasync into it neither allocates nor runs out of space.
 */
export class SegmentPreallocation {
  readonly segmentNumber: number;
  readonly #files: Files;
  readonly #directory: string;
  readonly #unfinishedPath: string;
  readonly #segmentBytes: number;
  readonly #file: WritableFile;
  #zeroedBytes = 0;
  #open = true;

  constructor(files: Files, directory: string, segmentNumber: number, segmentBytes: number) {
    this.segmentNumber = segmentNumber;
    this.#files = files;
    this.#directory = directory;
    this.#segmentBytes = segmentBytes;
    this.#unfinishedPath = segmentPath(directory, segmentNumber) + UNFINISHED_SUFFIX;
    this.#file = files.create(this.#unfinishedPath);
  }

  /** Does one step; returns whether the segment is ready. Whatever the disk throws goes to the caller. */
  step(): boolean {
    const to = Math.min(this.#zeroedBytes + PREALLOCATE_STEP_BYTES, this.#segmentBytes);
    zeroRange(this.#file, this.#zeroedBytes, to);
    this.#file.datasync();
    this.#zeroedBytes = to;
    if (to < this.#segmentBytes) return false;
    this.#close();
    this.#files.rename(this.#unfinishedPath, segmentPath(this.#directory, this.segmentNumber));
    this.#files.syncDirectory(this.#directory);
    return true;
  }

  /** Gives the space back. */
  abandon(): void {
    this.#close();
    this.#files.remove(this.#unfinishedPath);
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#file.close();
  }
}
