import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { findLeftLogs } from './worker-logs.ts';

const ALL = ['.', 'worker-1', 'worker-2', 'worker-3', 'worker-10'];

test.each([
  ['one process', 1, ['worker-1', 'worker-10', 'worker-2', 'worker-3']],
  ['two workers', 2, ['.', 'worker-10', 'worker-3']],
  ['ten workers', 10, ['.']],
])('%s notices the logs of all others, and no folder of another kind', (_, workers, left) => {
  const logDirectory = mkdtempSync(join(tmpdir(), 'fest-worker-logs-'));
  for (const name of [...ALL, 'archive', 'worker-x', 'worker-4']) {
    mkdirSync(join(logDirectory, name), { recursive: true });
    if (name !== 'worker-4') writeFileSync(join(logDirectory, name, '00000001.seg'), '');
  }
  const found = findLeftLogs({ logDirectory, workers });
  expect(found.map((directory) => relative(logDirectory, directory) || '.')).toEqual(left);
  rmSync(logDirectory, { recursive: true });
});

test('without a folder there are none', () => {
  expect(findLeftLogs({ logDirectory: join(tmpdir(), 'fest-there-is-none'), workers: 2 })).toEqual([]);
});
