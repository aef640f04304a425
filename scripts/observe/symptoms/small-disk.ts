/** The disk of the first server's order log, small enough to be filled. */
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Scene, Symptom } from './symptom.ts';

export const MIB = 1024 * 1024;

export function logOf({ stage }: Scene): string {
  const [directory] = stage.stack.state.logDirs;
  if (directory === undefined) throw new Error('the stack has no order log');
  return directory;
}

export const noSmallDisk: NonNullable<Symptom['missing']> = (scene) =>
  statSync(logOf(scene)).dev === statSync(scene.folder).dev
    ? 'the order log is not on a small disk of its own (mount needs root)'
    : undefined;

/** Takes all the room there is on the disk of a folder; gives the file that has it. */
export function fill(folder: string): string {
  const path = join(folder, 'filler');
  const file = openSync(path, 'w');
  try {
    const block = Buffer.alloc(MIB);
    for (;;) writeSync(file, block);
  } catch {
    // There is no more room.
    closeSync(file);
  }
  return path;
}
