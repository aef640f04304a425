/** Checkpoint files: their names, finding the one to open with, and how one comes to be beside a writer at work. */
import { join } from 'node:path';
import {
  type Checkpoint,
  encodeCheckpoint,
  type ReadCheckpointOptions,
  readCheckpoint,
  type Unusable,
} from './checkpoint-format.ts';
import { type Files, isNoSuchFile, type ReadableFiles, type WritableFile, writeFully } from './files.ts';
import {
  CHECKPOINT_CLOSE_SHARE,
  CHECKPOINT_CLOSING_STEP_BYTES,
  CHECKPOINT_STEP_BYTES,
  CHECKPOINTS_KEPT,
} from './limits.ts';
import { UNFINISHED_SUFFIX } from './segments.ts';

const CHECKPOINT_NAME = /^(\d{8,})\.checkpoint$/;

/** Checkpoints are numbered in the order of their writing. */
export function checkpointPath(directory: string, sequence: number): string {
  return join(directory, `${String(sequence).padStart(8, '0')}.checkpoint`);
}

function sequencesOf(names: readonly string[]): number[] {
  return names
    .flatMap((name) => CHECKPOINT_NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

/** Sequence numbers of the checkpoints in a directory, newest first. */
export async function listCheckpoints(files: ReadableFiles, directory: string): Promise<number[]> {
  return sequencesOf(await files.list(directory));
}

/** Undefined when it is not there any more. That it cannot be read is one more way of being unusable. */
export async function loadCheckpoint(
  files: ReadableFiles,
  directory: string,
  sequence: number,
  options: ReadCheckpointOptions = {},
): Promise<Checkpoint | Unusable | undefined> {
  try {
    const file = await files.openForReading(checkpointPath(directory, sequence));
    try {
      return await readCheckpoint(file, options);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isNoSuchFile(error)) return undefined;
    return { why: `it cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** A checkpoint that recovery did not use, and why. */
export interface IgnoredCheckpoint {
  readonly file: string;
  readonly why: string;
}

export interface FoundCheckpoint {
  readonly sequence: number;
  readonly file: string;
  readonly checkpoint: Checkpoint;
}

export interface CheckpointSearch {
  readonly found?: FoundCheckpoint;
  readonly ignored: readonly IgnoredCheckpoint[];
  /** The highest number in use; 0 when there are no checkpoints. */
  readonly lastSequence: number;
}

/**
 * The newest checkpoint that can be read and belongs to the log. Whether the log has its place is for the scan to say.
 * @param logId undefined when no segment says which log it is
 * @param firstSegment the lowest segment that is there; a checkpoint whose place lies before it is of no use
 */
export async function findCheckpoint(
  files: ReadableFiles,
  directory: string,
  logId: string | undefined,
  firstSegment: number,
): Promise<CheckpointSearch> {
  const sequences = await listCheckpoints(files, directory);
  const lastSequence = sequences[0] ?? 0;
  const ignored: IgnoredCheckpoint[] = [];
  for (const sequence of sequences) {
    const file = checkpointPath(directory, sequence);
    const checkpoint = await loadCheckpoint(files, directory, sequence);
    if (checkpoint === undefined) continue;
    const unusable = 'why' in checkpoint ? checkpoint : findUnfitness(checkpoint, logId, firstSegment);
    if (unusable === undefined && 'place' in checkpoint)
      return { found: { sequence, file, checkpoint }, ignored, lastSequence };
    if (unusable !== undefined) ignored.push({ file, why: unusable.why });
  }
  return { ignored, lastSequence };
}

function findUnfitness(
  { logId, place }: Checkpoint,
  ofLog: string | undefined,
  firstSegment: number,
): Unusable | undefined {
  if (ofLog !== undefined && logId !== ofLog) return { why: `it belongs to log ${logId}` };
  if (place.segmentNumber >= firstSegment) return undefined;
  return { why: `segment ${place.segmentNumber}, where it goes on, is not there any more` };
}

/** A checkpoint on its way: written and synced step by step, and given its real name when all of it is on disk. */
class CheckpointWriting {
  readonly sequence: number;
  readonly checkpoint: Checkpoint;
  bytes = 0;
  readonly #files: Files;
  readonly #directory: string;
  readonly #unfinishedPath: string;
  readonly #parts: Generator<Buffer, void, void>;
  readonly #file: WritableFile;
  #open = true;

  constructor(files: Files, directory: string, sequence: number, checkpoint: Checkpoint) {
    this.sequence = sequence;
    this.checkpoint = checkpoint;
    this.#files = files;
    this.#directory = directory;
    this.#unfinishedPath = checkpointPath(directory, sequence) + UNFINISHED_SUFFIX;
    this.#parts = encodeCheckpoint(checkpoint);
    this.#file = files.create(this.#unfinishedPath);
  }

  /** Does one step; returns whether the checkpoint is durable under its name. Whatever the disk throws goes to the caller. */
  step(stepBytes: number): boolean {
    const parts: Buffer[] = [];
    let bytes = 0;
    let done = false;
    while (bytes < stepBytes && !done) {
      const next = this.#parts.next();
      if (next.value === undefined) done = true;
      else {
        parts.push(next.value);
        bytes += next.value.length;
      }
    }
    writeFully(this.#file, parts, this.bytes);
    this.#file.datasync();
    this.bytes += bytes;
    if (!done) return false;
    this.#close();
    this.#files.rename(this.#unfinishedPath, checkpointPath(this.#directory, this.sequence));
    this.#files.syncDirectory(this.#directory);
    return true;
  }

  /** Gives the space back. */
  abandon(): void {
    try {
      this.#close();
      this.#files.remove(this.#unfinishedPath);
    } catch {
      // The next opening removes it; what went wrong before is what gets reported.
    }
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#file.close();
  }
}

export interface CheckpointStats {
  /** Checkpoints written since open. */
  readonly checkpoints: number;
  /** Everything up to this LSN is in a durable checkpoint; 0 without one. */
  readonly checkpointLsn: number;
  /** Attempts since open that the disk refused; the log itself goes on without. */
  readonly checkpointFailures: number;
  /** What it said the last time. */
  readonly checkpointError?: string;
}

export interface CheckpointerOptions {
  readonly files: Files;
  readonly directory: string;
  /** How much log is worth a checkpoint. */
  readonly logBytes: number;
}

/**
 * Writes checkpoints and throws old ones away. A checkpoint is only ever a shortcut: what the disk refuses, full or
 * broken, is counted and tried again later, and does not stop the log. A broken disk is for the log's own writes to find.
 */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  /** Checkpoints that this process has read or written completely, newest first. */
  #trusted: { readonly sequence: number; readonly segmentNumber: number; readonly lsn: number }[];
  /** Those that recovery could not use. */
  #useless: readonly string[];
  #lastSequence: number;
  #lastBytes = 0;
  #writing: CheckpointWriting | undefined;
  /** Log bytes counted so far, at the place of the newest checkpoint, and at the last attempt. */
  #countedBytes: number;
  #coveredBytes = 0;
  #attemptedBytes = 0;
  #written = 0;
  #failures = 0;
  #error: Error | undefined;

  constructor(options: CheckpointerOptions, search: CheckpointSearch, replayedBytes: number) {
    const { found, ignored, lastSequence } = search;
    this.#options = options;
    this.#trusted = found === undefined ? [] : [{ sequence: found.sequence, ...found.checkpoint.place }];
    this.#useless = ignored.map(({ file }) => file);
    this.#lastSequence = lastSequence;
    this.#countedBytes = replayedBytes;
  }

  get isWriting(): boolean {
    return this.#writing !== undefined;
  }

  /** Why the last attempt failed; undefined after one that did not. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Segments below this one are not needed to open the log, even when the newest checkpoint gets lost. */
  get firstNeededSegment(): number {
    if (this.#trusted.length < CHECKPOINTS_KEPT) return 0;
    return Math.min(...this.#trusted.map(({ segmentNumber }) => segmentNumber));
  }

  stats(): CheckpointStats {
    return {
      checkpoints: this.#written,
      checkpointLsn: this.#trusted[0]?.lsn ?? 0,
      checkpointFailures: this.#failures,
      ...(this.#error === undefined ? {} : { checkpointError: this.#error.message }),
    };
  }

  /** So many bytes of log have been made durable. */
  count(logBytes: number): void {
    this.#countedBytes += logBytes;
  }

  /** Whether enough log has come since the last attempt. */
  get isDue(): boolean {
    return this.#countedBytes - this.#attemptedBytes >= Math.max(this.#options.logBytes, this.#lastBytes);
  }

  /** Whether it is worth writing one more before the log is closed. */
  get isDueAtClose(): boolean {
    return this.#countedBytes - this.#coveredBytes >= this.#options.logBytes * CHECKPOINT_CLOSE_SHARE;
  }

  /** Begins a checkpoint of a place up to which the log is on disk. */
  start(checkpoint: Checkpoint): void {
    const { files, directory } = this.#options;
    this.#attemptedBytes = this.#countedBytes;
    try {
      this.#lastSequence += 1;
      this.#writing = new CheckpointWriting(files, directory, this.#lastSequence, checkpoint);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** Does one step of the checkpoint that was begun; returns whether there is more to do. */
  step(stepBytes = CHECKPOINT_STEP_BYTES): boolean {
    if (this.#writing === undefined) return false;
    try {
      if (!this.#writing.step(stepBytes)) return true;
    } catch (error) {
      this.#giveUp(error);
      return false;
    }
    const { sequence, checkpoint, bytes } = this.#writing;
    this.#writing = undefined;
    this.#error = undefined;
    this.#written += 1;
    this.#lastBytes = bytes;
    this.#coveredBytes = this.#attemptedBytes;
    this.#trusted = [{ sequence, ...checkpoint.place }, ...this.#trusted].slice(0, CHECKPOINTS_KEPT);
    this.#removeOld();
    return false;
  }

  /** Finishes what was begun. */
  finish(): void {
    while (this.step(CHECKPOINT_CLOSING_STEP_BYTES));
  }

  #giveUp(error: unknown): void {
    this.#writing?.abandon();
    this.#writing = undefined;
    this.#failures += 1;
    this.#error = error instanceof Error ? error : new Error(String(error));
  }

  #removeOld(): void {
    const { files, directory } = this.#options;
    try {
      const paths = sequencesOf(files.list(directory)).map((sequence) => checkpointPath(directory, sequence));
      const useful = paths.filter((path) => !this.#useless.includes(path));
      for (const path of paths) {
        if (!useful.slice(0, CHECKPOINTS_KEPT).includes(path)) files.remove(path);
      }
      this.#useless = [];
    } catch (error) {
      // They only take room.
      this.#failures += 1;
      this.#error = error instanceof Error ? error : new Error(String(error));
    }
  }
}
