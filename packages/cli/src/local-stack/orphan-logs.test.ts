import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { locateLogs } from '../commands/log/log-directories.ts';
import { createFakeContext } from '../test-support/fake-context.ts';
import { createTemporaryFolder } from '../test-support/temporary-folder.ts';
import { findOrphanLogs } from './orphan-logs.ts';
import { stackPaths } from './paths.ts';

/** A stack that had a server with two workers, which was a single process before, and another one that is one. */
function leaveLogs(): { readonly folder: string; readonly logs: string } {
  const folder = createTemporaryFolder();
  const logs = join(folder, '.fest', 'log');
  for (const name of ['server-1', 'server-1/worker-1', 'server-1/worker-2', 'server-2', 'server-3/worker-1']) {
    mkdirSync(join(logs, name), { recursive: true });
    writeFileSync(join(logs, name, '00000001.seg'), '');
  }
  return { folder, logs };
}

test('the logs of servers that are not started are found, those of their workers too; the others are their servers’ business', () => {
  const { folder, logs } = leaveLogs();
  const left = (...names: string[]) => findOrphanLogs(stackPaths(folder), names).map((path) => relative(logs, path));
  expect(left('server-1')).toEqual(['server-2', 'server-3/worker-1']);
  expect(left('server-2', 'server-3')).toEqual(['server-1', 'server-1/worker-1', 'server-1/worker-2']);
  expect(findOrphanLogs(stackPaths(createTemporaryFolder()), [])).toEqual([]);
});

test.each([
  ['of the stack', '.', ['server-1', 'server-1/worker-1', 'server-1/worker-2', 'server-2', 'server-3/worker-1']],
  ['of one server', '.fest/log/server-1', ['server-1', 'server-1/worker-1', 'server-1/worker-2']],
  ['of a server without a log of its own', '.fest/log/server-3', ['server-3/worker-1']],
  ['of one worker', '.fest/log/server-1/worker-2', ['server-1/worker-2']],
])('the tools find the logs %s with those of its workers', async (_, named, expected) => {
  const { folder, logs } = leaveLogs();
  const { directories } = await locateLogs(createFakeContext({ cwd: folder }), named === '.' ? [] : [named], {
    dirs: [],
  });
  expect(directories.map((path) => relative(logs, path)).sort()).toEqual(expected);
});
