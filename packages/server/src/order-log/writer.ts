/**
 * The writer itself, without its thread: takes frames, passes them through the gate, writes them as one batch,
 * syncs once, and says what is durable. Synchronous: while a batch is being synced the next one collects outside, and
 * that is all there is to group commit.
 */
import { Checkpointer, type CheckpointStats } from './checkpoints.ts';
import { OrderLogError, type RefusalReason } from './errors.ts';
import { isOutOfSpace, type WritableFile, writeFully } from './files.ts';
import {
  completeFrame,
  encodeSeal,
  encodeSegmentHeader,
  framePayloadBytes,
  frameType,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
} from './format.ts';
import { concernsGate, type Gate } from './gate.ts';
import { BATCH_BYTES_MAX, BATCH_RECORDS_MAX, PAYLOAD_BYTES_MAX, SEGMENT_BYTES_MIN } from './limits.ts';
import { RECORD_TYPES } from './records.ts';
import { type Recovered, type RecoveryOptions, type RecoveryReport, recoverLog } from './recovery.ts';
import { listSegments, SegmentPreallocation, segmentPath } from './segments.ts';
import { type FinishedSegment, finishedSegments, removeFirstSegment } from './trimming.ts';

export interface WriterOptions extends RecoveryOptions {
  /** How much log makes a checkpoint due, in bytes; see `CHECKPOINT_LOG_BYTES`. */
  readonly checkpointLogBytes: number;
  /** How often a full disk is asked again whether it has room. */
  readonly preallocateRetryMs: number;
}

export interface Refusal {
  /** Which frame of the commit, counted from 0. */
  readonly index: number;
  readonly reason: RefusalReason | 'full';
  readonly message: string;
  readonly sameOrder: boolean;
}

export interface CommitResult {
  /** Frames looked at. */
  readonly frames: number;
  /** LSN of the first frame that was not refused; the others follow without gaps. */
  readonly firstLsn: number;
  /** Frames with an LSN up to this are on disk. The others failed, and `failure` says why. */
  readonly durableLsn: number;
  readonly refusals: readonly Refusal[];
  readonly failure?: Error;
}

export interface WriterStats extends CheckpointStats {
  /** Records made durable since open. */
  readonly appended: number;
  readonly batches: number;
  /** fdatasyncs on the way of a commit; those of preallocation are not counted. */
  readonly fsyncs: number;
  /** Seconds spent in them. */
  readonly fsyncSeconds: number;
  readonly bytes: number;
  readonly lastBatchRecords: number;
  /** The disk has no room for another segment: payments are not started any more. */
  readonly outOfSpace: boolean;
}

/** The largest payload that a log with such segments takes, in bytes. */
export function largestPayloadBytes(segmentBytes: number): number {
  return Math.min(PAYLOAD_BYTES_MAX, segmentBytes - SEGMENT_HEADER_BYTES - 2 * RECORD_HEADER_BYTES);
}

/** What a trim may remove now, oldest first; and why it is not all that was asked for. */
export interface PreparedTrim {
  readonly segments: readonly FinishedSegment[];
  readonly problem?: Error;
}

interface TrimRequest {
  readonly segments: readonly FinishedSegment[];
  /** No checkpoint that the log could be opened with may need a segment before this one. */
  readonly firstNeededSegment: number;
  readonly failuresBefore: number;
}

export class LogWriter {
  readonly logId: string;
  readonly recovery: RecoveryReport;
  readonly #options: WriterOptions;
  readonly #gate: Gate;
  readonly #checkpointer: Checkpointer;
  #file: WritableFile;
  #capacityBytes: number;
  #segmentNumber: number;
  #segmentFirstLsn: number;
  #segmentChainStart: number;
  #offset: number;
  #chain: number;
  #sealed = true;
  /** The file may have bytes that were written after its last fdatasync: at first, the seal of a process that was killed. */
  #unsynced = true;
  #durableLsn: number;
  #failure: Error | undefined;

  /** The batch being put together: parts of the callers' buffers, in order. */
  #parts: Buffer[] = [];
  #batchRecords = 0;
  #batchBytes = 0;
  /** Refusals of this commit that came before its last fdatasync. */
  #settledRefusals = 0;

  #nextSegment: 'absent' | 'ready' | SegmentPreallocation;
  #outOfSpace = false;
  #retryAt = 0;

  #trimRequest: TrimRequest | undefined;

  #appended = 0;
  #batches = 0;
  #fsyncs = 0;
  #fsyncSeconds = 0;
  #bytes = 0;
  #lastBatchRecords = 0;

  private constructor(options: WriterOptions, recovered: Recovered, nextSegmentIsReady: boolean) {
    const { position, checkpoints, replayedBytes } = recovered;
    this.#options = options;
    this.#gate = recovered.gate;
    const { files, directory, checkpointLogBytes } = options;
    this.#checkpointer = new Checkpointer(
      { files, directory, logBytes: checkpointLogBytes },
      checkpoints,
      replayedBytes,
    );
    this.logId = recovered.logId;
    this.recovery = recovered.report;
    this.#segmentNumber = position.segmentNumber;
    this.#segmentFirstLsn = position.segmentFirstLsn;
    this.#segmentChainStart = position.segmentChainStart;
    this.#file = options.files.openForWriting(segmentPath(options.directory, position.segmentNumber));
    this.#capacityBytes = this.#file.size();
    this.#offset = position.offset;
    this.#chain = position.chain;
    this.#durableLsn = position.lsn;
    this.#nextSegment = nextSegmentIsReady ? 'ready' : 'absent';
  }

  /**
   * Recovers the log in a directory that exists and that this process has locked.
   * @throws {OrderLogCorruptError} see `recoverLog`
   */
  static async open(options: WriterOptions): Promise<LogWriter> {
    const { files, directory, segmentBytes } = options;
    if (segmentBytes < SEGMENT_BYTES_MIN) throw new RangeError(`segmentBytes must be at least ${SEGMENT_BYTES_MIN}.`);
    const recovered = await recoverLog(options);
    const nextNumber = recovered.position.segmentNumber + 1;
    let nextIsReady = false;
    if ((await listSegments(files, directory)).includes(nextNumber)) {
      // Recovery has made sure that it is all zeros; only its size may be another one than asked for today.
      const next = files.openForReading(segmentPath(directory, nextNumber));
      nextIsReady = (await next.size()) === segmentBytes;
      await next.close();
    }
    return new LogWriter(options, recovered, nextIsReady);
  }

  get durableLsn(): number {
    return this.#durableLsn;
  }

  /** Set after the first failed write or fdatasync: nothing is acknowledged any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  stats(): WriterStats {
    return {
      appended: this.#appended,
      batches: this.#batches,
      fsyncs: this.#fsyncs,
      fsyncSeconds: this.#fsyncSeconds,
      bytes: this.#bytes,
      lastBatchRecords: this.#lastBatchRecords,
      outOfSpace: this.#outOfSpace,
      ...this.#checkpointer.stats(),
    };
  }

  /** Writes and syncs frames (see `startFrame`), any number in each buffer. Never throws: a failure is in the result. */
  commit(buffers: readonly Buffer[]): CommitResult {
    const firstLsn = this.#durableLsn + 1;
    const refusals: Refusal[] = [];
    let frames = 0;
    this.#settledRefusals = 0;
    try {
      if (this.#failure !== undefined) throw this.#failure;
      for (const buffer of buffers) frames += this.#takeBuffer(buffer, frames, refusals);
      this.#flush();
    } catch (error) {
      const failure = this.#fail(error);
      // A refusal since the last fdatasync may rest on a record that failed with it: its order is as unknown as that one.
      const settled = refusals.slice(0, this.#settledRefusals);
      return { frames, firstLsn, durableLsn: this.#durableLsn, refusals: settled, failure };
    }
    return { frames, firstLsn, durableLsn: this.#durableLsn, refusals };
  }

  /** Puts a seal behind the last batch. Not synced: it costs a write while there is nothing else to do. */
  seal(): void {
    if (this.#sealed || this.#failure !== undefined) return;
    try {
      const seal = encodeSeal(this.#durableLsn, this.#chain);
      writeFully(this.#file, [seal.bytes], this.#offset);
      this.#chain = seal.chain;
      this.#offset += seal.bytes.length;
      this.#sealed = true;
      this.#unsynced = true;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Does a step towards the next segment; returns whether there is more to do now. */
  preallocate(): boolean {
    if (this.#nextSegment === 'ready' || this.#failure !== undefined) return false;
    if (this.#outOfSpace && this.#nextSegment === 'absent' && this.#options.now() < this.#retryAt) return false;
    try {
      const { files, directory, segmentBytes } = this.#options;
      if (this.#nextSegment === 'absent') {
        this.#nextSegment = new SegmentPreallocation(files, directory, this.#segmentNumber + 1, segmentBytes);
      }
      if (!this.#nextSegment.step()) return true;
      this.#nextSegment = 'ready';
      this.#outOfSpace = false;
      return false;
    } catch (error) {
      if (isOutOfSpace(error)) this.#giveUpPreallocation();
      else this.#fail(error);
      return false;
    }
  }

  /**
   * Does one step of whatever can be done between batches: the next segment first, then a checkpoint that is due. One
   * step delays a commit by well under 1 ms. Returns whether there is more to do right away.
   */
  maintain(): boolean {
    if (this.preallocate()) return true;
    if (this.#failure !== undefined) return false;
    if (!this.#checkpointer.isWriting && !this.#isCheckpointWanted()) return false;
    if (!this.#checkpointer.isWriting) this.#startCheckpoint();
    return this.#checkpointer.step() || (this.#failure === undefined && this.#isCheckpointWanted());
  }

  /** A full disk needs its room for segments. */
  #isCheckpointWanted(): boolean {
    if (this.#trimRequest !== undefined && this.preparedTrim() === undefined) return true;
    return this.#checkpointer.isDue && !this.#outOfSpace;
  }

  /**
   * Finds the finished segments up to a record, and sees to it that none of them is needed any more to open the log:
   * `maintain` writes the checkpoints, `preparedTrim` says when they are there.
   * @throws {OrderLogError} `notTrimmed`; or what the file system throws
   */
  prepareTrim(throughLsn: number): void {
    const { files, directory } = this.#options;
    const segments = finishedSegments(files, directory, this.#segmentNumber, Math.min(throughLsn, this.#durableLsn));
    const last = segments.at(-1);
    this.#trimRequest = {
      segments,
      firstNeededSegment: last === undefined ? 0 : last.segmentNumber + 1,
      failuresBefore: this.#checkpointer.stats().checkpointFailures,
    };
  }

  /** What the trim that was prepared last may remove; undefined as long as its checkpoints are under way. */
  preparedTrim(): PreparedTrim | undefined {
    if (this.#trimRequest === undefined) return undefined;
    const { segments, firstNeededSegment, failuresBefore } = this.#trimRequest;
    const { firstNeededSegment: needed, error } = this.#checkpointer;
    if (needed >= firstNeededSegment) return { segments };
    if (error === undefined || this.#checkpointer.stats().checkpointFailures === failuresBefore) return undefined;
    return { segments: segments.filter(({ segmentNumber }) => segmentNumber < needed), problem: error };
  }

  /**
   * Removes a segment that `preparedTrim` has named, the first one of the log.
   * @throws {OrderLogError} `notTrimmed`; or what the file system throws
   */
  removeSegment(segmentNumber: number): void {
    const { files, directory } = this.#options;
    if (segmentNumber >= Math.min(this.#segmentNumber, this.#checkpointer.firstNeededSegment)) {
      throw new OrderLogError(
        'notTrimmed',
        `Segment ${segmentNumber} in ${directory} is still needed: nothing was removed.`,
      );
    }
    removeFirstSegment(files, directory, segmentNumber);
  }

  /** Only between batches: then the gate knows exactly what is on disk. */
  #startCheckpoint(): void {
    try {
      // The place may be behind a seal, which must not get lost when the checkpoint stays.
      if (this.#unsynced) this.#sync();
    } catch (error) {
      this.#fail(error);
      return;
    }
    const { conflicts, conflictSamples } = this.recovery;
    this.#checkpointer.start({
      logId: this.logId,
      place: {
        segmentNumber: this.#segmentNumber,
        offset: this.#offset,
        lsn: this.#durableLsn,
        chain: this.#chain,
        segmentFirstLsn: this.#segmentFirstLsn,
        segmentChainStart: this.#segmentChainStart,
      },
      writtenAt: this.#options.now(),
      gate: this.#gate.snapshot(),
      conflicts,
      conflictSamples,
    });
  }

  /** What was begun is finished; another one follows if it spares the next opening enough. */
  #checkpointAtClose(): void {
    if (this.#failure !== undefined) return;
    this.#checkpointer.finish();
    if (!this.#checkpointer.isDueAtClose) return;
    this.#startCheckpoint();
    this.#checkpointer.finish();
  }

  /** Seals, syncs and closes. */
  close(): void {
    this.seal();
    try {
      if (this.#unsynced && this.#failure === undefined) this.#sync();
      this.#checkpointAtClose();
      if (this.#nextSegment instanceof SegmentPreallocation) this.#nextSegment.abandon();
    } catch (error) {
      this.#fail(error);
    }
    this.#file.close();
  }

  /** Takes the frames of a buffer into the batch; returns how many there were. */
  #takeBuffer(buffer: Buffer, framesBefore: number, refusals: Refusal[]): number {
    let frames = 0;
    // Frames that follow each other in the buffer are written as one part.
    let runStart = 0;
    let at = 0;
    const endRun = (): void => {
      if (at > runStart) this.#parts.push(buffer.subarray(runStart, at));
      runStart = at;
    };
    while (at < buffer.length) {
      const frameBytes = RECORD_HEADER_BYTES + framePayloadBytes(buffer, at);
      if (!this.#batchHasRoom(frameBytes)) {
        endRun();
        this.#flush();
        this.#settledRefusals = refusals.length;
      }
      const refusal = this.#admit(buffer, at, frameBytes);
      if (refusal === undefined) {
        const lsn = this.#durableLsn + this.#batchRecords + 1;
        this.#chain = completeFrame(buffer, at, lsn, this.#batchRecords, this.#chain);
        this.#batchRecords += 1;
        this.#batchBytes += frameBytes;
        at += frameBytes;
      } else {
        refusals.push({ index: framesBefore + frames, ...refusal });
        endRun();
        at += frameBytes;
        runStart = at;
      }
      frames += 1;
    }
    endRun();
    return frames;
  }

  #batchHasRoom(frameBytes: number): boolean {
    return (
      this.#batchRecords < BATCH_RECORDS_MAX &&
      this.#batchBytes + frameBytes <= BATCH_BYTES_MAX &&
      this.#segmentHasRoom(this.#batchBytes + frameBytes)
    );
  }

  /** There is always room left for a seal. */
  #segmentHasRoom(bytes: number): boolean {
    return this.#offset + bytes + RECORD_HEADER_BYTES <= this.#capacityBytes;
  }

  #admit(buffer: Buffer, at: number, frameBytes: number): Omit<Refusal, 'index'> | undefined {
    const type = frameType(buffer, at);
    // What is left of this segment is kept for payments that were already started: their money must become orders.
    const noRoom =
      (this.#outOfSpace && type === RECORD_TYPES.paymentIntent) ||
      (!this.#segmentHasRoom(this.#batchBytes + frameBytes) && !this.#rotate());
    if (noRoom) {
      return { reason: 'full', message: 'The disk of the order log is full.', sameOrder: false };
    }
    if (!concernsGate(type)) return undefined;
    return this.#gate.admit(type, JSON.parse(buffer.toString('utf8', at + RECORD_HEADER_BYTES, at + frameBytes)));
  }

  /** Makes the batch durable. */
  #flush(): void {
    if (this.#batchRecords === 0) return;
    writeFully(this.#file, this.#parts, this.#offset);
    this.#sealed = false;
    this.#sync();
    this.#durableLsn += this.#batchRecords;
    this.#offset += this.#batchBytes;
    this.#appended += this.#batchRecords;
    this.#bytes += this.#batchBytes;
    this.#checkpointer.count(this.#batchBytes);
    this.#batches += 1;
    this.#lastBatchRecords = this.#batchRecords;
    this.#parts = [];
    this.#batchRecords = 0;
    this.#batchBytes = 0;
  }

  #sync(): void {
    const startedAt = performance.now();
    this.#file.datasync();
    this.#unsynced = false;
    this.#fsyncs += 1;
    this.#fsyncSeconds += (performance.now() - startedAt) / 1000;
  }

  /** Goes to the next segment; returns false when the disk has no room for one. */
  #rotate(): boolean {
    while (this.preallocate());
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#nextSegment !== 'ready') return false;
    // The next header continues the chain, so this segment's last seal has to be there as well.
    this.seal();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#unsynced) this.#sync();
    const { files, directory, now } = this.#options;
    const finished = this.#file;
    this.#file = files.openForWriting(segmentPath(directory, this.#segmentNumber + 1));
    finished.close();
    this.#segmentNumber += 1;
    this.#nextSegment = 'absent';
    this.#capacityBytes = this.#file.size();
    this.#segmentFirstLsn = this.#durableLsn + 1;
    this.#segmentChainStart = this.#chain;
    const header = encodeSegmentHeader({
      logId: this.logId,
      segmentNumber: this.#segmentNumber,
      chainStart: this.#segmentChainStart,
      firstLsn: this.#segmentFirstLsn,
      writtenAt: now(),
    });
    writeFully(this.#file, [header], 0);
    this.#sync();
    this.#offset = header.length;
    return true;
  }

  #giveUpPreallocation(): void {
    if (this.#nextSegment instanceof SegmentPreallocation) this.#nextSegment.abandon();
    this.#nextSegment = 'absent';
    this.#outOfSpace = true;
    this.#retryAt = this.#options.now() + this.#options.preallocateRetryMs;
  }

  #fail(error: unknown): Error {
    if (this.#failure === undefined) {
      const reason = error instanceof Error ? error.message : String(error);
      const message = `Writing the order log in ${this.#options.directory} failed: ${reason}`;
      this.#failure = error instanceof OrderLogError ? error : new OrderLogError('failed', message, { cause: error });
    }
    return this.#failure;
  }
}
