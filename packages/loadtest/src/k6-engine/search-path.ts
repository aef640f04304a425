import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Environment } from './run-program.ts';

/** All programs of that name in PATH, the first first. */
export function findInPath(name: string, env: Environment): readonly string[] {
  const folders = new Set((env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''));
  return [...folders].map((folder) => join(folder, name)).filter(isProgram);
}

/** A file that may be run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not for us.
    return false;
  }
}
