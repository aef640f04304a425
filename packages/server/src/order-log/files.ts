/**
 * The only way the order log touches the disk. Tests pass their own implementation to fail a write or an fdatasync, to
 * run out of space, or to lose whatever was not synced.
 *
 * Writing is synchronous on purpose: it happens in the writer's own thread, and never waits for a thread of libuv's pool
 * that is busy with something else. Reading may be either: the writer's recovery reads synchronously, everybody else not.
 */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writevSync,
} from 'node:fs';
import { open, readdir } from 'node:fs/promises';

type Eventually<T> = T | Promise<T>;

export interface ReadableFile {
  /** Reads at a byte position; returns the number of bytes read, 0 at the end of the file. */
  read(into: Buffer, position: number): Eventually<number>;
  /** Size in bytes. */
  size(): Eventually<number>;
  close(): Eventually<void>;
}

export interface ReadableFiles {
  list(directory: string): Eventually<readonly string[]>;
  /** @throws an error with `code: 'ENOENT'` when there is no such file */
  openForReading(path: string): Eventually<ReadableFile>;
}

/** One that does not make its reader wait for the event loop. */
export interface SynchronousFile extends ReadableFile {
  read(into: Buffer, position: number): number;
  size(): number;
  close(): void;
}

export interface WritableFile extends SynchronousFile {
  /** Writes at a byte position; may write less than asked for, returns how many bytes it wrote. */
  write(parts: readonly Buffer[], position: number): number;
  /** Returns when the data written so far, and the size needed to read it back, are on disk. */
  datasync(): void;
}

export interface Files extends ReadableFiles {
  list(directory: string): readonly string[];
  openForReading(path: string): SynchronousFile;
  /** Opens an existing file for reading and writing. */
  openForWriting(path: string): WritableFile;
  /** Creates an empty file, or empties an existing one. */
  create(path: string): WritableFile;
  rename(from: string, to: string): void;
  /** Removes a file; it need not exist. */
  remove(path: string): void;
  ensureDirectory(path: string): void;
  /** Makes created, renamed and removed names durable. */
  syncDirectory(path: string): void;
}

/** Writes everything, continuing after a short write. */
export function writeFully(file: WritableFile, parts: readonly Buffer[], position: number): void {
  let rest = parts;
  let at = position;
  while (rest.length > 0) {
    let written = file.write(rest, at);
    if (written <= 0) throw new Error(`A write at offset ${at} wrote nothing.`);
    at += written;
    let index = 0;
    for (let part = rest[0]; part !== undefined && written >= part.length; part = rest[index]) {
      written -= part.length;
      index += 1;
    }
    const partial = rest[index];
    rest = partial === undefined ? [] : [partial.subarray(written), ...rest.slice(index + 1)];
  }
}

function openSynchronously(path: string, flags: string): WritableFile {
  const fd = openSync(path, flags);
  return {
    read: (into, position) => readSync(fd, into, 0, into.length, position),
    size: () => fstatSync(fd).size,
    close: () => closeSync(fd),
    write: (parts, position) => writevSync(fd, parts, position),
    datasync: () => fdatasyncSync(fd),
  };
}

export const nodeFiles: Files = {
  list: (directory) => readdirSync(directory),
  openForReading: (path) => openSynchronously(path, 'r'),
  openForWriting: (path) => openSynchronously(path, 'r+'),
  create: (path) => openSynchronously(path, 'w+'),
  rename: renameSync,
  remove: (path) => rmSync(path, { force: true }),
  ensureDirectory: (path) => {
    mkdirSync(path, { recursive: true });
  },
  syncDirectory: (path) => {
    const fd = openSync(path, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
};

/** For readers in a thread that has other things to do. */
export const asyncFiles: ReadableFiles = {
  list: (directory) => readdir(directory),
  openForReading: async (path) => {
    const handle = await open(path, 'r');
    return {
      read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
      size: async () => (await handle.stat()).size,
      close: () => handle.close(),
    };
  },
};

export function isNoSuchFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** The disk, or this user's share of it, is full. */
export function isOutOfSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
