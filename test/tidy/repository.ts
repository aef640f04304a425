/** The files of this repository as git knows them, for tests about the repository itself. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** Paths relative to the root: tracked, and new ones that are not ignored; deleted ones are left out. */
export function listFiles(matching: (path: string) => boolean = () => true): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
  const paths = new Set(listed.toString('utf8').split('\0'));
  return [...paths].filter((path) => path !== '' && matching(path) && existsSync(join(ROOT, path))).sort();
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
