/**
 * One order log as an audit reads it: from its first record that is still there to its end, and later on from there. It may
 * run beside the writer. A log that cannot be read, or not to its end, does not end the audit: it says so.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { identifyLog } from '../features/archive/log-identity.ts';
import { findLogUse } from '../features/archive/log-owner.ts';
import { type Damage, OrderLogCorruptError, OrderLogError } from '../order-log/errors.ts';
import { asyncFiles } from '../order-log/files.ts';
import { type OrderLogReader, openOrderLogReader } from '../order-log/reader.ts';
import type { OrderLogRecord } from '../order-log/records.ts';
import { listSegments } from '../order-log/segments.ts';
import { AUDIT_LIMITS } from './limits.ts';

/**
 * - `read`: to its end
 * - `empty`: there is no log in the folder yet
 * - `corrupt`: up to a record that cannot be read; what follows is not known
 * - `unreadable`: not at all
 */
export type LogState = 'read' | 'empty' | 'corrupt' | 'unreadable';

/** Segments are taken away every few minutes, and an audit does not take that long for one of them. */
const TRIMS_AT_MOST = 5;

export class LogTail {
  readonly directory: string;
  /** 32 hexadecimal digits; undefined when there is no log, or nothing of it can be read. */
  logId: string | undefined;
  /** LSN of the first record that is there: above 1 when older segments were taken away. */
  firstLsn = 1;
  state: LogState = 'empty';
  /** Why it is not `read`. */
  problem: string | undefined;
  /** With `corrupt`: the first record that cannot be read. */
  damage: Pick<Damage, 'file' | 'offset' | 'lsn'> | undefined;
  records = 0;
  /** A server has it open. */
  inUse = false;
  #lsn = 0;
  #reader: OrderLogReader | undefined;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** LSN of the last record that was read; `firstLsn − 1` when none was. */
  get lastLsn(): number {
    return this.#lsn;
  }

  static async open(directory: string): Promise<LogTail> {
    const tail = new LogTail(directory);
    await tail.#identify();
    return tail;
  }

  /** Reads what came since. */
  async readOn(take: (record: OrderLogRecord, lsn: number) => void): Promise<void> {
    if (this.state === 'empty') await this.#identify();
    if (this.state !== 'read') return;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.#readToEnd(take);
        return;
      } catch (error) {
        await this.close();
        // Its server archives what MySQL has, also while an audit reads.
        const isTrimmed = error instanceof OrderLogError && error.code === 'trimmed';
        if (attempt >= (isTrimmed ? TRIMS_AT_MOST : 1)) return this.#fail(error);
        if (isTrimmed) await this.#identify();
        else await sleep(AUDIT_LIMITS.readAgainMs);
      }
    }
  }

  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.close();
  }

  async #identify(): Promise<void> {
    try {
      if ((await listSegments(asyncFiles, this.directory)).length === 0) return;
      const { logId, firstLsn } = await identifyLog(this.directory);
      this.logId = logId;
      this.firstLsn = firstLsn;
      this.#lsn = Math.max(this.#lsn, firstLsn - 1);
      this.inUse = findLogUse(this.directory).status === 'open';
      this.state = 'read';
    } catch (error) {
      this.state = 'unreadable';
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  async #readToEnd(take: (record: OrderLogRecord, lsn: number) => void): Promise<void> {
    this.#reader ??= await openOrderLogReader(this.directory, this.#lsn);
    for (;;) {
      // To the end, not to what its writer calls durable, which only the writer knows. What stands there can be read, by
      // us as by the writer after a crash; and nothing is concluded from a record being there too early.
      const batch = await this.#reader.readBatch(Number.MAX_SAFE_INTEGER, AUDIT_LIMITS.recordsPerBatch);
      if (batch.length === 0) return;
      for (const { lsn, record } of batch) {
        take(record, lsn);
        this.#lsn = lsn;
        this.records += 1;
      }
    }
  }

  #fail(error: unknown): void {
    if (error instanceof OrderLogCorruptError) {
      const { file, offset, lsn } = error;
      this.state = 'corrupt';
      this.damage = { file, offset, lsn };
    } else {
      // Segments of two logs in one folder, a disk that does not answer.
      this.state = error instanceof OrderLogError ? 'corrupt' : 'unreadable';
    }
    this.problem = error instanceof Error ? error.message : String(error);
  }
}
