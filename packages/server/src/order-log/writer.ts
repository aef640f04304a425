/**
 * The writer itself, without its thread: takes frames, passes them through the ticket gate, writes them as one batch,
 * syncs once, and says what is durable. Synchronous: while a batch is being synced the next one collects outside, and
 * that is all there is to group commit.
 */
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
import { BATCH_BYTES_MAX, BATCH_RECORDS_MAX, PAYLOAD_BYTES_MAX, SEGMENT_BYTES_MIN } from './limits.ts';
import { RECORD_TYPES } from './records.ts';
import { type RecoveryOptions, type RecoveryReport, recoverLog } from './recovery.ts';
import type { LogPosition } from './scanner.ts';
import { listSegments, SegmentPreallocation, segmentPath } from './segments.ts';
import { TicketBitmap } from './ticket-bitmap.ts';

export interface WriterOptions extends RecoveryOptions {
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

export interface WriterStats {
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

export class LogWriter {
  readonly logId: string;
  readonly recovery: RecoveryReport;
  readonly #options: WriterOptions;
  readonly #tickets: TicketBitmap;
  #file: WritableFile;
  #capacityBytes: number;
  #segmentNumber: number;
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

  #appended = 0;
  #batches = 0;
  #fsyncs = 0;
  #fsyncSeconds = 0;
  #bytes = 0;
  #lastBatchRecords = 0;

  private constructor(
    options: WriterOptions,
    tickets: TicketBitmap,
    recovered: { logId: string; position: LogPosition; report: RecoveryReport },
    nextSegmentIsReady: boolean,
  ) {
    const { position } = recovered;
    this.#options = options;
    this.#tickets = tickets;
    this.logId = recovered.logId;
    this.recovery = recovered.report;
    this.#segmentNumber = position.segmentNumber;
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
    const tickets = new TicketBitmap();
    const recovered = await recoverLog(options, tickets);
    const nextNumber = recovered.position.segmentNumber + 1;
    let nextIsReady = false;
    if ((await listSegments(files, directory)).includes(nextNumber)) {
      // Recovery has made sure that it is all zeros; only its size may be another one than asked for today.
      const next = files.openForReading(segmentPath(directory, nextNumber));
      nextIsReady = (await next.size()) === segmentBytes;
      await next.close();
    }
    return new LogWriter(options, tickets, recovered, nextIsReady);
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

  /** Seals, syncs and closes. */
  close(): void {
    this.seal();
    try {
      if (this.#unsynced && this.#failure === undefined) this.#sync();
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
    if (type !== RECORD_TYPES.orderPaid && type !== RECORD_TYPES.orderCancelled) return undefined;
    const record: unknown = JSON.parse(buffer.toString('utf8', at + RECORD_HEADER_BYTES, at + frameBytes));
    return type === RECORD_TYPES.orderPaid ? this.#tickets.sell(record) : this.#tickets.cancel(record);
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
    const header = encodeSegmentHeader({
      logId: this.logId,
      segmentNumber: this.#segmentNumber,
      chainStart: this.#chain,
      firstLsn: this.#durableLsn + 1,
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
