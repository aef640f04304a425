import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { EXIT } from '../exit-codes.ts';
import { createTemporaryFolder } from '../test-support/temporary-folder.ts';
import { stackPaths } from './paths.ts';
import { findProcessRecords } from './process-records.ts';
import { isRunning } from './processes.ts';
import { openSupervision } from './supervision.ts';

const MODULE = fileURLToPath(new URL('./supervision.ts', import.meta.url));
const PATHS = fileURLToPath(new URL('./paths.ts', import.meta.url));

/** A supervisor of its own process: it runs a detached child in the folder and says when it does. */
async function spawnSupervisor(folder: string) {
  const script = `
    import { spawn } from 'node:child_process';
    import { openSupervision } from ${JSON.stringify(MODULE)};
    import { stackPaths } from ${JSON.stringify(PATHS)};
    const supervision = await openSupervision({ paths: stackPaths(${JSON.stringify(folder)}), purpose: 'fest up', emit() {} });
    const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    supervision.record({ name: 'server-1', kind: 'server', pid: child.pid });
    console.log('ready');
    setInterval(() => {}, 1000);`;
  const file = join(folder, 'supervisor.ts');
  writeFileSync(file, script);
  const supervisor = spawn(process.execPath, [file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH },
  });
  onTestFinished(() => void supervisor.kill('SIGKILL'));
  await once(supervisor.stdout, 'data');
  const child = findProcessRecords(stackPaths(folder).pids)?.processes[0];
  if (child === undefined) throw new Error('the child was not recorded');
  return { supervisor, child };
}

test('a supervisor that is killed with -9 leaves nothing running: the reaper stops its children', async () => {
  const folder = createTemporaryFolder();
  const { supervisor, child } = await spawnSupervisor(folder);
  expect(isRunning(child)).toBe(true);
  supervisor.kill('SIGKILL');
  await expect.poll(() => isRunning(child), { timeout: 5_000 }).toBe(false);
});

test('the next start clears away what is left, and a folder is supervised once', async () => {
  const folder = createTemporaryFolder();
  const paths = stackPaths(folder);
  const { supervisor, child } = await spawnSupervisor(folder);
  const options = { paths, purpose: 'fest demo', emit: () => {} };
  await expect(openSupervision(options)).rejects.toMatchObject({
    exitCode: EXIT.refused,
    message: expect.stringContaining(`process ${supervisor.pid}`),
  });
  supervisor.kill('SIGKILL');
  await once(supervisor, 'exit');
  const supervision = await openSupervision(options);
  expect(isRunning(child)).toBe(false);
  expect(statSync(paths.pids).mode & 0o777).toBe(0o600);
  await supervision.close();
  expect([paths.pids, paths.lock].some(existsSync)).toBe(false);
});
