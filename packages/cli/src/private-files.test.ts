import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readJsonIfPresent, writePrivateFile } from './private-files.ts';
import { createTemporaryFolder } from './test-support/temporary-folder.ts';

test('a private file is for its owner alone, whatever the umask, and leaves no temporary file', () => {
  const folder = createTemporaryFolder();
  const path = join(folder, 'deep', 'secret.json');
  for (const content of ['{"a":1}', '{"a":2}']) writePrivateFile(path, content);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'deep')).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(folder, 'deep'))).toEqual(['secret.json']);
  expect(readJsonIfPresent(path)).toEqual({ a: 2 });
});
