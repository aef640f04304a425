import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ensurePrivateDirectory } from '../private-files.ts';
import { STACK_LIMITS } from './limits.ts';

export interface OpenLog {
  /** For the child's stdout and stderr; close it once the child is spawned. */
  readonly descriptor: number;
  /** Where this run's output begins. */
  readonly offset: number;
}

/** Opens a process's log for appending. One that has grown large is moved to `<name>.1` first, over the one before. */
export function openProcessLog(path: string): OpenLog {
  ensurePrivateDirectory(dirname(path));
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > STACK_LIMITS.logRotateBytes) renameSync(path, `${path}.1`);
  const descriptor = openSync(path, 'a', 0o600);
  return { descriptor, offset: fstatSync(descriptor).size };
}

/** The last lines a process wrote, at most {@link STACK_LIMITS.logTailLines}, from `offset` on. */
export function readLogTail(
  path: string,
  offset: number,
  lines: number = STACK_LIMITS.logTailLines,
): readonly string[] {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(descriptor);
    const start = Math.max(Math.min(offset, size), size - STACK_LIMITS.logTailBytes);
    const buffer = Buffer.alloc(size - start);
    const length = readSync(descriptor, buffer, 0, buffer.length, start);
    const text = buffer.toString('utf8', 0, length);
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-lines);
  } finally {
    closeSync(descriptor);
  }
}
