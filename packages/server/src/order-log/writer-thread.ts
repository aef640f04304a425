/**
 * The thread of the log's writer. Group commit without a timer: everything that arrived while the last fdatasync ran is
 * the next batch, so a lone append is synced at once and a crowd shares.
 */
import { randomBytes } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type Files, nodeFiles } from './files.ts';
import { BATCH_BYTES_MAX } from './limits.ts';
import { type DirectoryLock, lockDirectory } from './lock.ts';
import { type FromWriter, type ToWriter, toPlainError, type WriterThreadData } from './messages.ts';
import { LogWriter, type WriterStats } from './writer.ts';

async function loadFiles(data: WriterThreadData): Promise<Files> {
  if (data.filesModule === undefined) return nodeFiles;
  const module: { files: Files } = await import(data.filesModule);
  return module.files;
}

/** Drains the port into batches until it is empty. */
class WriterLoop {
  readonly #port: MessagePort;
  readonly #writer: LogWriter;
  readonly #lock: DirectoryLock;
  #maintaining = false;
  #trimAsked = false;
  #ended = false;

  constructor(port: MessagePort, writer: LogWriter, lock: DirectoryLock) {
    this.#port = port;
    this.#writer = writer;
    this.#lock = lock;
    port.on('message', (message: ToWriter) => this.#drain(message));
    this.#maintainWhenIdle();
  }

  #drain(first: ToWriter): void {
    let message: ToWriter | undefined = first;
    while (message !== undefined && !this.#ended) {
      const buffers: Buffer[] = [];
      let bytes = 0;
      while (message?.kind === 'append' && bytes < BATCH_BYTES_MAX) {
        const { buffer, byteOffset, byteLength } = message.frames;
        buffers.push(Buffer.from(buffer, byteOffset, byteLength));
        bytes += byteLength;
        message = this.#receive();
      }
      if (buffers.length > 0) this.#commit(buffers);
      if (message !== undefined && message.kind !== 'append') {
        this.#obey(message);
        message = this.#receive();
      }
    }
    if (this.#ended) return;
    this.#writer.seal();
    this.#reportFailure();
    this.#maintainWhenIdle();
  }

  /** Everything but appends; comes after the appends that were sent before. */
  #obey(message: Exclude<ToWriter, { kind: 'append' }>): void {
    if (this.#ended) return;
    if (message.kind === 'close') {
      this.#close();
    } else if (message.kind === 'prepareTrim') {
      this.#prepareTrim(message.throughLsn);
    } else {
      this.#removeSegment(message.segmentNumber);
    }
  }

  #prepareTrim(throughLsn: number): void {
    try {
      this.#writer.prepareTrim(throughLsn);
      this.#trimAsked = true;
      this.#answerTrim();
    } catch (error) {
      this.#post({ kind: 'trimmable', segments: [], problem: toPlainError(error) });
    }
  }

  #removeSegment(segmentNumber: number): void {
    try {
      this.#writer.removeSegment(segmentNumber);
      this.#post({ kind: 'segmentRemoved' });
    } catch (error) {
      this.#post({ kind: 'segmentRemoved', problem: toPlainError(error) });
    }
  }

  #answerTrim(): void {
    if (!this.#trimAsked || this.#ended) return;
    const prepared = this.#writer.preparedTrim();
    if (prepared === undefined) return;
    this.#trimAsked = false;
    const { segments, problem } = prepared;
    this.#post({ kind: 'trimmable', segments, ...(problem === undefined ? {} : { problem: toPlainError(problem) }) });
  }

  #receive(): ToWriter | undefined {
    return receiveMessageOnPort(this.#port)?.message;
  }

  #commit(buffers: Buffer[]): void {
    const { failure, ...result } = this.#writer.commit(buffers);
    if (failure === undefined) {
      this.#post({ kind: 'committed', ...result, stats: this.#writer.stats() });
      // One step a batch, so that a writer that never runs idle still has its next segment in time.
      this.#writer.maintain();
      this.#reportFailure();
      this.#answerTrim();
      return;
    }
    const { firstLsn, durableLsn, refusals } = result;
    this.#end({ kind: 'failed', error: toPlainError(failure), firstLsn, durableLsn, refusals });
  }

  #maintainWhenIdle(): void {
    if (this.#maintaining) return;
    this.#maintaining = true;
    setImmediate(() => {
      this.#maintaining = false;
      if (this.#ended) return;
      const before = this.#writer.stats();
      if (this.#writer.maintain()) this.#maintainWhenIdle();
      this.#reportFailure();
      this.#reportStats(before);
      this.#answerTrim();
    });
  }

  /** What happened between commits would otherwise be known only with the next one. */
  #reportStats(before: WriterStats): void {
    const stats = this.#writer.stats();
    const { checkpoints, checkpointFailures, outOfSpace } = before;
    const isSame =
      stats.checkpoints === checkpoints &&
      stats.checkpointFailures === checkpointFailures &&
      stats.outOfSpace === outOfSpace;
    if (!isSame && !this.#ended) this.#post({ kind: 'stats', stats });
  }

  /** For failures outside a commit: none of the frames that are still under way is on disk. */
  #reportFailure(): void {
    const { failure, durableLsn } = this.#writer;
    if (failure === undefined || this.#ended) return;
    this.#end({ kind: 'failed', error: toPlainError(failure), firstLsn: durableLsn + 1, durableLsn, refusals: [] });
  }

  #close(): void {
    if (this.#ended) return;
    this.#writer.close();
    this.#reportFailure();
    this.#end({ kind: 'closed', stats: this.#writer.stats() });
  }

  #end(message: FromWriter): void {
    if (this.#ended) return;
    this.#ended = true;
    if (message.kind === 'failed') this.#writer.close();
    this.#lock.release(message.kind === 'closed');
    this.#post(message);
    this.#port.close();
  }

  #post(message: FromWriter): void {
    this.#port.postMessage(message);
  }
}

async function start(port: MessagePort, data: WriterThreadData): Promise<void> {
  let lock: DirectoryLock | undefined;
  try {
    const files = await loadFiles(data);
    files.ensureDirectory(data.directory);
    files.syncDirectory(dirname(resolve(data.directory)));
    lock = lockDirectory(data.directory, new Date());
    const writer = await LogWriter.open({
      files,
      directory: data.directory,
      segmentBytes: data.segmentBytes,
      preallocateRetryMs: data.preallocateRetryMs,
      checkpointLogBytes: data.checkpointLogBytes,
      newLogId: () => randomBytes(16).toString('hex'),
      now: Date.now,
    });
    const opened: FromWriter = {
      kind: 'opened',
      logId: writer.logId,
      recovery: writer.recovery,
      stats: writer.stats(),
      ...(lock.uncleanOwner === undefined ? {} : { uncleanOwner: lock.uncleanOwner }),
    };
    new WriterLoop(port, writer, lock);
    port.postMessage(opened);
  } catch (error) {
    lock?.release(false);
    const notOpened: FromWriter = { kind: 'notOpened', error: toPlainError(error) };
    port.postMessage(notOpened);
    port.close();
  }
}

if (parentPort !== null) await start(parentPort, workerData);
