/** A check, and how it judges what a tool said of the real files and of a copy with a fault. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ran, ROOT } from './tools.ts';

export interface Check {
  readonly name: string;
  /** @throws {Missing} when a tool is not here; any other error: what is wrong */
  readonly run: (directory: string) => void;
}

/** @throws what the tool said, when it refused */
export function taken({ status, said }: Ran): void {
  if (status !== 0) throw new Error(said);
}

/** @throws when the tool took it, or refused it for another reason */
export function refused({ status, said }: Ran, why: RegExp): void {
  if (status === 0) throw new Error(`a planted fault was not found (${why})`);
  if (!why.test(said)) throw new Error(`a planted fault was refused for another reason than ${why}:\n${said}`);
}

/** A copy with one text in place of another. */
export function planted(path: string, directory: string, find: string, replace: string): string {
  const text = readFileSync(join(ROOT, path), 'utf8');
  if (!text.includes(find)) throw new Error(`${path} has no "${find}" to plant a fault in`);
  const copy = join(directory, path.split('/').at(-1) ?? 'copy');
  writeFileSync(
    copy,
    text.replace(find, () => replace),
  );
  return copy;
}
