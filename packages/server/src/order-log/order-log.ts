/**
 * The order log as the rest of the server sees it: append a record, and once the promise resolves it is on disk.
 * This is the main thread's half; the writing happens in `writer-thread.ts`.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { archiveSegment } from './archive.ts';
import { OrderLogError, OrderLogRefusedError } from './errors.ts';
import { RECORD_HEADER_BYTES, startFrame } from './format.ts';
import {
  CHECKPOINT_LOG_BYTES,
  MESSAGE_BYTES_MAX,
  PENDING_BYTES_MAX,
  PENDING_RECORDS_MAX,
  PREALLOCATE_RETRY_MS,
  SEGMENT_BYTES,
} from './limits.ts';
import type { LogOwner } from './lock.ts';
import {
  type Committed,
  type Failed,
  type FromWriter,
  fromPlainError,
  type Opened,
  type ToWriter,
  type TrimAnswer,
  type WriterThreadData,
} from './messages.ts';
import { type OrderLogRecord, RECORD_TYPES } from './records.ts';
import type { RecoveryReport } from './recovery.ts';
import { segmentName } from './segments.ts';
import type { FinishedSegment } from './trimming.ts';
import { largestPayloadBytes, type Refusal, type WriterStats } from './writer.ts';

export interface OrderLogOptions {
  /** Created when it does not exist. One directory, one process. */
  readonly directory: string;
  readonly segmentBytes?: number;
  readonly pendingRecordsMax?: number;
  readonly pendingBytesMax?: number;
  readonly preallocateRetryMs?: number;
  /** How much log makes a checkpoint of the writer's gate due, in bytes. */
  readonly checkpointLogBytes?: number;
  /** URL of a module that exports `files: Files`, instead of the disk. For tests. */
  readonly filesModule?: URL;
}

export interface OrderLogRecovery extends RecoveryReport {
  /** The process that had the log before and did not close it. */
  readonly uncleanOwner?: LogOwner;
}

export interface OrderLogStats extends WriterStats {
  /** Appends without an answer, and their size as it will be written. */
  readonly pendingRecords: number;
  readonly pendingBytes: number;
}

export interface TrimOptions {
  /**
   * Where each segment is copied before it is removed: to `<archiveDirectory>/<log id>/`, which can be read like a log's
   * own directory. Created when it does not exist. Without it the segments are gone.
   */
  readonly archiveDirectory?: string;
}

/** What a trim did. */
export interface TrimReport {
  readonly removedSegments: number;
  readonly removedBytes: number;
  /** The last record that was removed; absent when there was nothing to remove. */
  readonly removedThroughLsn?: number;
}

export interface OrderLog {
  /** 32 hexadecimal digits, drawn when the log was created: tells this log's LSNs from any other's. */
  readonly logId: string;
  readonly recovery: OrderLogRecovery;
  /** Everything up to this LSN is on disk. */
  readonly durableLsn: number;
  /**
   * Resolves with the record's LSN once it is on disk; appends are written, and resolve, in the order of the calls.
   * @throws {OrderLogError} (as a rejection) `refused` (an `OrderLogRefusedError`), `full`, `failed` or `closed`
   */
  append(record: OrderLogRecord): Promise<number>;
  /** Calls back whenever `durableLsn` has grown, after the appends have been resolved. Returns the way to unsubscribe. */
  onDurable(listener: (durableLsn: number) => void): () => void;
  /**
   * Resolves when a write or fdatasync has failed: nothing is acknowledged any more, and the process must stop, since
   * only a restart re-reads what is on disk. Never rejects.
   */
  readonly failure: Promise<OrderLogError>;
  stats(): OrderLogStats;
  /**
   * Removes the finished segments whose records are all up to `throughLsn`, oldest first; the segment that is being
   * written always stays. The caller answers for it that nobody needs these records from this log any more. Appends go on
   * meanwhile. Before anything is removed, two checkpoints replace it for the next opening; and with an archive directory
   * each segment is copied there, synced and read back first.
   * @throws {OrderLogError} (as a rejection) `notTrimmed`: what was not removed is still there and the log goes on;
   *   `failed` or `closed` when the log was meanwhile
   */
  trim(throughLsn: number, options?: TrimOptions): Promise<TrimReport>;
  /** Waits for the pending appends, then closes. Resolves after a failure as well. May be called again. */
  close(): Promise<void>;
}

interface PendingAppend {
  readonly bytes: number;
  resolve(lsn: number): void;
  reject(error: OrderLogError): void;
}

interface QueuedFrame {
  readonly payload: string;
  readonly payloadBytes: number;
  readonly type: number;
  readonly epoch: number;
}

const EPOCH_MAX = 0xffff_ffff;

/**
 * Opens the log in a directory, or creates it: recovers what is there and takes the directory for this process.
 * @throws {OrderLogError} `locked` (another process has it), `corrupt` (an `OrderLogCorruptError`), `full`, `failed`
 */
export async function openOrderLog(options: OrderLogOptions): Promise<OrderLog> {
  const segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
  const workerData: WriterThreadData = {
    directory: options.directory,
    segmentBytes,
    preallocateRetryMs: options.preallocateRetryMs ?? PREALLOCATE_RETRY_MS,
    checkpointLogBytes: options.checkpointLogBytes ?? CHECKPOINT_LOG_BYTES,
    ...(options.filesModule === undefined ? {} : { filesModule: options.filesModule.href }),
  };
  const name = import.meta.url.endsWith('.ts') ? './writer-thread.ts' : './writer-thread.js';
  // Nothing that was loaded into this process by its command line (instrumentation, debuggers) belongs on the disk's way.
  const worker = new Worker(new URL(name, import.meta.url), { workerData, name: 'order-log-writer', execArgv: [] });
  const first = await firstMessage(worker);
  if (first.kind !== 'opened') {
    await worker.terminate();
    throw first.kind === 'notOpened'
      ? fromPlainError(first.error)
      : new OrderLogError('failed', `The order log's thread began with ${first.kind}.`);
  }
  return new ThreadedOrderLog(worker, first, options.directory, {
    payloadBytesMax: largestPayloadBytes(segmentBytes),
    pendingRecordsMax: options.pendingRecordsMax ?? PENDING_RECORDS_MAX,
    pendingBytesMax: options.pendingBytesMax ?? PENDING_BYTES_MAX,
  });
}

async function firstMessage(worker: Worker): Promise<FromWriter> {
  try {
    const [message]: FromWriter[] = await once(worker, 'message');
    if (message !== undefined) return message;
  } catch (error) {
    throw new OrderLogError('failed', "The order log's thread did not start.", { cause: error });
  }
  throw new OrderLogError('failed', "The order log's thread said nothing.");
}

interface HandleLimits {
  readonly payloadBytesMax: number;
  readonly pendingRecordsMax: number;
  readonly pendingBytesMax: number;
}

class ThreadedOrderLog implements OrderLog {
  readonly logId: string;
  readonly recovery: OrderLogRecovery;
  readonly failure: Promise<OrderLogError>;
  readonly #directory: string;
  readonly #worker: Worker;
  readonly #limits: HandleLimits;
  readonly #exited: Promise<unknown>;
  readonly #listeners = new Set<(durableLsn: number) => void>();
  #durableLsn: number;
  #state: 'open' | 'closing' | 'failed' = 'open';
  #announceFailure: (error: OrderLogError) => void;
  #failed: OrderLogError | undefined;
  /** Every append without an answer, oldest first. */
  #pending: PendingAppend[] = [];
  #pendingBytes = 0;
  /** Those of this turn of the event loop, not posted yet. */
  #queued: QueuedFrame[] = [];
  #queuedBytes = 0;
  #flushScheduled = false;
  #writerStats: WriterStats;
  /** Trims go one after the other. */
  #trims: Promise<unknown> = Promise.resolve();
  /** The question to the writer that has no answer yet. */
  #asked: { answer(answer: TrimAnswer): void; fail(error: OrderLogError): void } | undefined;

  constructor(worker: Worker, opened: Opened, directory: string, limits: HandleLimits) {
    const { logId, recovery, uncleanOwner, stats } = opened;
    this.#directory = directory;
    this.logId = logId;
    this.recovery = uncleanOwner === undefined ? recovery : { ...recovery, uncleanOwner };
    this.#durableLsn = recovery.lastLsn;
    this.#limits = limits;
    this.#writerStats = stats;
    const { promise, resolve } = Promise.withResolvers<OrderLogError>();
    this.failure = promise;
    this.#announceFailure = resolve;
    this.#worker = worker;
    worker.on('message', (message: FromWriter) => this.#receive(message));
    worker.on('error', (error) =>
      this.#fail(new OrderLogError('failed', `The order log's thread died.`, { cause: error })),
    );
    this.#exited = new Promise((exited) => {
      worker.once('exit', () => {
        if (this.#pending.length > 0 || this.#state === 'open') {
          this.#fail(new OrderLogError('failed', "The order log's thread ended by itself."));
        }
        this.#asked?.fail(this.#endError());
        exited(undefined);
      });
    });
  }

  get durableLsn(): number {
    return this.#durableLsn;
  }

  append(record: OrderLogRecord): Promise<number> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    if (this.#state !== 'open') return Promise.reject(new OrderLogError('closed', 'The order log is closed.'));
    const frame = this.#encode(record);
    if (frame instanceof OrderLogError) return Promise.reject(frame);
    const bytes = RECORD_HEADER_BYTES + frame.payloadBytes;
    const { pendingRecordsMax, pendingBytesMax } = this.#limits;
    if (this.#pending.length >= pendingRecordsMax || this.#pendingBytes + bytes > pendingBytesMax) {
      const message = `The disk does not keep up: ${this.#pending.length} records are waiting for the order log.`;
      return Promise.reject(new OrderLogError('full', message));
    }
    this.#pendingBytes += bytes;
    this.#queued.push(frame);
    this.#queuedBytes += bytes;
    this.#scheduleFlush();
    return new Promise((resolve, reject) => {
      this.#pending.push({ bytes, resolve, reject });
    });
  }

  onDurable(listener: (durableLsn: number) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  stats(): OrderLogStats {
    return { ...this.#writerStats, pendingRecords: this.#pending.length, pendingBytes: this.#pendingBytes };
  }

  trim(throughLsn: number, options: TrimOptions = {}): Promise<TrimReport> {
    if (!Number.isSafeInteger(throughLsn) || throughLsn < 0) {
      return Promise.reject(new RangeError(`throughLsn must be an LSN from 0 on, not ${throughLsn}.`));
    }
    const trimmed = this.#trims.then(() => this.#trim(throughLsn, options));
    this.#trims = trimmed.catch(() => {
      // The one who asked for it learns of it; the next one is another matter.
    });
    return trimmed;
  }

  async close(): Promise<void> {
    if (this.#state === 'open') {
      this.#flush();
      this.#state = 'closing';
      this.#post({ kind: 'close' });
    }
    await this.#exited;
  }

  async #trim(throughLsn: number, { archiveDirectory }: TrimOptions): Promise<TrimReport> {
    const prepared = await this.#ask({ kind: 'prepareTrim', throughLsn });
    if (prepared.kind !== 'trimmable') throw new OrderLogError('failed', `The writer answered with ${prepared.kind}.`);
    const removed: FinishedSegment[] = [];
    for (const segment of prepared.segments) {
      await this.#archiveAndRemove(segment, archiveDirectory, removed.length);
      removed.push(segment);
    }
    if (prepared.problem !== undefined) {
      throw notTrimmed('A checkpoint could not be written', removed.length, fromPlainError(prepared.problem));
    }
    const lastLsn = removed.at(-1)?.lastLsn;
    return {
      removedSegments: removed.length,
      removedBytes: removed.reduce((sum, { bytes }) => sum + bytes, 0),
      ...(lastLsn === undefined ? {} : { removedThroughLsn: lastLsn }),
    };
  }

  async #archiveAndRemove(
    { segmentNumber }: FinishedSegment,
    archiveDirectory: string | undefined,
    removedBefore: number,
  ): Promise<void> {
    const name = segmentName(segmentNumber);
    if (archiveDirectory !== undefined) {
      await archiveSegment(this.#directory, archiveDirectory, segmentNumber).catch((error: unknown) => {
        throw notTrimmed(`${name} could not be archived in ${archiveDirectory}`, removedBefore, error);
      });
    }
    const { problem } = await this.#ask({ kind: 'removeSegment', segmentNumber });
    if (problem !== undefined) {
      throw notTrimmed(`${name} could not be removed`, removedBefore, fromPlainError(problem));
    }
  }

  /** Asks the writer something, and waits for the answer. One question at a time. */
  #ask(question: ToWriter): Promise<TrimAnswer> {
    if (this.#state !== 'open') return Promise.reject(this.#endError());
    return new Promise((resolve, reject) => {
      const settle = <Value>(how: (value: Value) => void): ((value: Value) => void) => {
        return (value) => {
          this.#asked = undefined;
          how(value);
        };
      };
      this.#asked = { answer: settle(resolve), fail: settle(reject) };
      this.#post(question);
    });
  }

  #endError(): OrderLogError {
    return this.#failed ?? new OrderLogError('closed', 'The order log is closed.');
  }

  #encode(record: OrderLogRecord): QueuedFrame | OrderLogRefusedError {
    const type: number | undefined = RECORD_TYPES[record.type];
    if (type === undefined) return new OrderLogRefusedError('malformed', `There is no record type ${record.type}.`);
    const { epoch } = record;
    if (!Number.isInteger(epoch) || epoch < 0 || epoch > EPOCH_MAX) {
      return new OrderLogRefusedError('malformed', `The epoch ${epoch} is not an integer from 0 to ${EPOCH_MAX}.`);
    }
    const payload = JSON.stringify(record);
    const payloadBytes = Buffer.byteLength(payload);
    if (payloadBytes > this.#limits.payloadBytesMax) {
      const message = `A record of ${payloadBytes} bytes is too large: at most ${this.#limits.payloadBytesMax} fit.`;
      return new OrderLogRefusedError('malformed', message);
    }
    return { payload, payloadBytes, type, epoch };
  }

  /** All appends of one turn of the event loop go to the writer together. */
  #scheduleFlush(): void {
    if (this.#queuedBytes >= MESSAGE_BYTES_MAX) {
      this.#flush();
    } else if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      setImmediate(() => {
        this.#flushScheduled = false;
        this.#flush();
      });
    }
  }

  #flush(): void {
    if (this.#queued.length === 0 || this.#failed !== undefined) return;
    // Its own allocation, not a piece of the pool: it is handed over to the writer, which completes the headers in place.
    const frames = Buffer.allocUnsafeSlow(this.#queuedBytes);
    let at = 0;
    for (const { payload, payloadBytes, type, epoch } of this.#queued) {
      startFrame(frames, at, payloadBytes, type, epoch);
      frames.write(payload, at + RECORD_HEADER_BYTES);
      at += RECORD_HEADER_BYTES + payloadBytes;
    }
    this.#queued = [];
    this.#queuedBytes = 0;
    this.#post({ kind: 'append', frames }, frames.buffer);
  }

  #post(message: ToWriter, handedOver?: ArrayBuffer): void {
    this.#worker.postMessage(message, handedOver === undefined ? [] : [handedOver]);
  }

  #receive(message: FromWriter): void {
    if (message.kind === 'committed') {
      this.#writerStats = message.stats;
      this.#settle(message, message.frames);
      this.#announceDurable(message.durableLsn);
    } else if (message.kind === 'failed') {
      this.#failed = fromPlainError(message.error);
      this.#settle(message, this.#pending.length);
      this.#announceDurable(message.durableLsn);
      this.#fail(this.#failed);
    } else if (message.kind === 'closed' || message.kind === 'stats') {
      this.#writerStats = message.stats;
    } else if (message.kind === 'trimmable' || message.kind === 'segmentRemoved') {
      this.#asked?.answer(message);
    }
  }

  /** Answers the oldest appends, in order. */
  #settle(outcome: Committed | Failed, frames: number): void {
    this.#durableLsn = outcome.durableLsn;
    const answered = frames === this.#pending.length ? this.#pending : this.#pending.splice(0, frames);
    if (answered === this.#pending) this.#pending = [];
    let lsn = outcome.firstLsn;
    let nextRefusal = 0;
    for (let index = 0; index < answered.length; index += 1) {
      const append = answered[index];
      if (append === undefined) break;
      this.#pendingBytes -= append.bytes;
      const refusal = outcome.refusals[nextRefusal];
      if (refusal?.index === index) {
        nextRefusal += 1;
        append.reject(refusalError(refusal));
      } else if (lsn <= outcome.durableLsn) {
        append.resolve(lsn);
        lsn += 1;
      } else {
        append.reject(this.#failed ?? new OrderLogError('failed', 'The order log lost count of its records.'));
      }
    }
  }

  #announceDurable(durableLsn: number): void {
    for (const listener of this.#listeners) listener(durableLsn);
  }

  #fail(error: OrderLogError): void {
    this.#failed ??= error;
    this.#state = 'failed';
    const unanswered = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#queued = [];
    this.#queuedBytes = 0;
    for (const append of unanswered) append.reject(this.#failed);
    this.#asked?.fail(this.#failed);
    this.#announceFailure(this.#failed);
  }
}

function notTrimmed(what: string, removed: number, error: unknown): OrderLogError {
  const why = error instanceof Error ? error.message : String(error);
  const message = `${what}, so the order log was trimmed of ${removed} segments only: ${why}`;
  return new OrderLogError('notTrimmed', message, { cause: error });
}

function refusalError(refusal: Refusal): OrderLogError {
  const { reason, message, sameOrder } = refusal;
  return reason === 'full' ? new OrderLogError('full', message) : new OrderLogRefusedError(reason, message, sameOrder);
}
