/** Where results of load tests are, and which one is meant. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { codeOf, FixableError, messageOf } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import { stackPaths } from '../../local-stack/paths.ts';

export const RESULT_FILE = 'result.json';

/** The folder of all results of a stack's folder. */
export function benchRoot(directory: string): string {
  return join(stackPaths(directory).root, 'bench');
}

/** Names of the folders of results, newest first: they begin with when it was. */
export function listResultFolders(directory: string): readonly string[] {
  const root = benchRoot(directory);
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .toSorted((a, b) => (a < b ? 1 : -1));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw new FixableError({
      what: `${root} cannot be read`,
      why: messageOf(error),
      fix: 'Correct that, or use another folder: fest -C <folder> bench list',
      exitCode: EXIT.usage,
      cause: error,
    });
  }
}

/**
 * The file that is meant: `last`, `previous`, the id of a run, a folder, or a file. Runs that have no result (they go on, or
 * were killed) are neither the last nor the one before.
 */
export function findResultFile(directory: string, cwd: string, reference: string): string {
  const root = benchRoot(directory);
  const withResult = (): readonly string[] =>
    listResultFolders(directory).filter((name) => existsSync(join(root, name, RESULT_FILE)));
  if (reference === 'last' || reference === 'previous') {
    const names = withResult();
    const name = names[reference === 'last' ? 0 : 1];
    if (name !== undefined) return join(root, name, RESULT_FILE);
    throw unknown(`There is no ${reference} result`, names, root);
  }
  if (listResultFolders(directory).includes(reference)) return join(root, reference, RESULT_FILE);
  const path = resolve(cwd, reference);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true) return path;
  if (found?.isDirectory() === true) return join(path, RESULT_FILE);
  throw unknown(`There is no result “${reference}”`, withResult(), root);
}

const NAMED_AT_MOST = 5;

function unknown(what: string, names: readonly string[], root: string): FixableError {
  const newest = names.slice(0, NAMED_AT_MOST).join(', ');
  return new FixableError({
    what,
    why: names.length === 0 ? `${root} has no results` : `the newest of ${names.length} in ${root}: ${newest}`,
    fix: 'Name an id of fest bench list, last, previous, a folder, or a result.json.',
    exitCode: EXIT.usage,
  });
}
