import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTemporaryFolder } from '../test-support/temporary-folder.ts';
import { findDocker, findExecutable } from './engine-facts.ts';

function writeProgram(folder: string, name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

test('a program is found on PATH only when it can be executed', () => {
  const folder = createTemporaryFolder();
  writeFileSync(join(folder, 'fest-engine'), 'not executable');
  expect(findExecutable(['fest-engine'], { PATH: folder })).toBeUndefined();
  chmodSync(join(folder, 'fest-engine'), 0o755);
  expect(findExecutable(['fest-engine'], { PATH: folder })).toBe(join(folder, 'fest-engine'));
});

test('a docker client without an engine counts as no Docker', async () => {
  const folder = createTemporaryFolder();
  writeProgram(folder, 'docker', 'echo "Cannot connect to the Docker daemon" >&2; exit 1');
  const docker = await findDocker({ PATH: `${folder}:/bin:/usr/bin` });
  expect(docker).toMatchObject({ available: false, reason: expect.stringContaining('Cannot connect') });
});

test('an engine without compose counts as no Docker', async () => {
  const folder = createTemporaryFolder();
  writeProgram(folder, 'docker', '[ "$1" = version ] || exit 1');
  expect(await findDocker({ PATH: `${folder}:/bin:/usr/bin` })).toMatchObject({ available: false });
  writeProgram(folder, 'docker', 'exit 0');
  expect(await findDocker({ PATH: `${folder}:/bin:/usr/bin` })).toMatchObject({ available: true });
});
