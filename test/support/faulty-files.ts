/**
 * The order log's disk for real processes, with faults from outside: the `filesModule` of `openOrderLog`. A file whose path
 * stands in FEST_FAULTY_FILES says what goes wrong next:
 *
 *     { "operation": "datasync", "fault": "EIO" }
 *
 * - `operation`: `write` or `datasync`.
 * - `fault`: a system code such as `EIO` or `ENOSPC`; or, of writes only, `short`: writes half and reports that as done.
 * - `files`: how the path of the file ends; `.seg` by default. The next segment on its way is `.seg.unfinished`, a
 *   checkpoint on its way `.checkpoint.unfinished`.
 * - `skip`: operations that still succeed, 0 by default.
 * - `times`: operations that are hit, 1 by default.
 *
 * Whoever finds the order takes it by renaming the file, to the same path with `.taken`: so it is carried out by one
 * process, and the harness sees that somebody has it. Put a complete file there (write it elsewhere, rename it).
 *
 * A failed datasync behaves as Linux does, seen from after a restart of the machine: what was written since the last good
 * one never reaches the disk. In truth the page cache goes on showing it for a while, which would hide a server that
 * acknowledges all the same; so its bytes are put back here to what they had been before the process hears of the failure.
 */
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { type Files, nodeFiles, type WritableFile, writeFully } from '../../packages/server/src/order-log/files.ts';

export interface FaultOrder {
  readonly operation: 'write' | 'datasync';
  readonly fault: string;
  readonly files?: string;
  readonly skip?: number;
  readonly times?: number;
}

/** What a range of a file had been before it was written to. */
interface Before {
  readonly position: number;
  readonly bytes: Buffer;
}

class Faults {
  readonly #path: string | undefined;
  #order: (FaultOrder & { skip: number; times: number }) | undefined;

  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** The fault that this operation suffers; undefined when it succeeds. */
  next(operation: FaultOrder['operation'], path: string): string | undefined {
    this.#order ??= this.#take();
    const order = this.#order;
    if (order === undefined || order.operation !== operation || !path.endsWith(order.files ?? '.seg')) return undefined;
    if (order.skip > 0) {
      order.skip -= 1;
      return undefined;
    }
    order.times -= 1;
    if (order.times === 0) this.#order = undefined;
    return order.fault;
  }

  #take(): (FaultOrder & { skip: number; times: number }) | undefined {
    if (this.#path === undefined || !existsSync(this.#path)) return undefined;
    const taken = `${this.#path}.taken`;
    try {
      renameSync(this.#path, taken);
    } catch {
      // Another process was faster.
      return undefined;
    }
    const order: FaultOrder = JSON.parse(readFileSync(taken, 'utf8'));
    return { ...order, skip: order.skip ?? 0, times: order.times ?? 1 };
  }
}

const faults = new Faults(process.env.FEST_FAULTY_FILES);

function systemError(code: string, operation: string, path: string): Error {
  return Object.assign(new Error(`${code}: planted, ${operation} '${path}'`), { code });
}

/** The first `bytes` bytes of these parts. */
function firstBytes(parts: readonly Buffer[], bytes: number): Buffer {
  return Buffer.concat(parts).subarray(0, bytes);
}

class FaultyFile implements WritableFile {
  readonly #path: string;
  readonly #file: WritableFile;
  /** Since the last good datasync, oldest first. */
  #unsynced: Before[] = [];

  constructor(path: string, file: WritableFile) {
    this.#path = path;
    this.#file = file;
  }

  read(into: Buffer, position: number): number {
    return this.#file.read(into, position);
  }

  size(): number {
    return this.#file.size();
  }

  close(): void {
    this.#file.close();
  }

  write(parts: readonly Buffer[], position: number): number {
    const fault = faults.next('write', this.#path);
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    this.#remember(position, bytes);
    if (fault === undefined) return this.#file.write(parts, position);
    // Also a write that fails may have got halfway.
    const half = firstBytes(parts, Math.max(1, Math.floor(bytes / 2)));
    writeFully(this.#file, [half], position);
    if (fault === 'short') return half.length;
    throw systemError(fault, 'write', this.#path);
  }

  datasync(): void {
    const fault = faults.next('datasync', this.#path);
    if (fault !== undefined) this.#forget();
    this.#file.datasync();
    this.#unsynced = [];
    if (fault !== undefined) throw systemError(fault, 'fdatasync', this.#path);
  }

  #remember(position: number, length: number): void {
    // What lies behind the end of the file comes back as zeros, which is what a reader takes for nothing.
    const bytes = Buffer.alloc(length);
    let filled = 0;
    for (let read = -1; read !== 0 && filled < length; filled += read) {
      read = this.#file.read(bytes.subarray(filled), position + filled);
    }
    this.#unsynced.push({ position, bytes });
  }

  #forget(): void {
    for (const { position, bytes } of this.#unsynced.reverse()) writeFully(this.#file, [bytes], position);
  }
}

export const files: Files = {
  ...nodeFiles,
  openForWriting: (path) => new FaultyFile(path, nodeFiles.openForWriting(path)),
  create: (path) => new FaultyFile(path, nodeFiles.create(path)),
};
