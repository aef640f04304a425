import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createTemporaryFolder } from '../test-support/temporary-folder.ts';
import { composeProject, startDockerEngines } from './docker.ts';
import { stackPaths } from './paths.ts';
import type { RecordedCompose } from './process-records.ts';
import { ensureSecrets } from './secrets.ts';

/** A docker client that writes down how it was called. */
function createDocker(folder: string, exitCode: number) {
  const docker = join(folder, 'docker');
  const calls = join(folder, 'calls');
  writeFileSync(calls, '');
  writeFileSync(docker, `#!/bin/sh\necho "$@" >>'${calls}'\nexit ${exitCode}\n`);
  chmodSync(docker, 0o755);
  return { docker, calls: () => readFileSync(calls, 'utf8').trim().split('\n') };
}

async function startRedis(folder: string, docker: string, recorded: (RecordedCompose | undefined)[]) {
  const paths = stackPaths(folder);
  return startDockerEngines({
    docker,
    engines: ['redis'],
    secrets: ensureSecrets(paths.secrets),
    supervision: {
      paths,
      record() {},
      forget() {},
      recordCompose: (value) => void recorded.push(value),
      close: async () => {},
    },
    env: { PATH: '/bin:/usr/bin', SECRET_OF_THE_USER: 'x' },
    emit: () => {},
  });
}

test('only the missing engine is started, under a project of the folder, and stopped again', async () => {
  const folder = createTemporaryFolder();
  const { docker, calls } = createDocker(folder, 0);
  const recorded: (RecordedCompose | undefined)[] = [];
  const engines = await startRedis(folder, docker, recorded);
  expect(engines.urls.redis).toMatch(/^redis:\/\/default:[0-9a-f]+@127\.0\.0\.1:\d+$/);
  // Recorded before it is started, so that a reaper knows of it; on disk, so nothing that is not needed.
  expect(recorded[0]?.environment).not.toHaveProperty('SECRET_OF_THE_USER');
  await engines.stop();
  expect(recorded.at(-1)).toBeUndefined();
  const project = composeProject(folder);
  expect(calls()).toEqual([
    expect.stringMatching(new RegExp(`^compose -p ${project} -f .*/infra/local/compose.yaml up -d --wait redis$`)),
    expect.stringMatching(new RegExp(`^compose -p ${project} -f .*/infra/local/compose.yaml stop$`)),
  ]);
});

test('a compose that fails says what to try by hand', async () => {
  const folder = createTemporaryFolder();
  const { docker } = createDocker(folder, 1);
  await expect(startRedis(folder, docker, [])).rejects.toMatchObject({
    exitCode: 6,
    details: { fix: expect.stringContaining('docker compose -p fest-') },
  });
});

test('the compose file has both engines, on the loopback address alone', () => {
  const path = fileURLToPath(new URL('../../../../infra/local/compose.yaml', import.meta.url));
  const { services } = parse(readFileSync(path, 'utf8'));
  expect(Object.keys(services)).toEqual(['redis', 'mysql']);
  for (const service of Object.values<{ readonly ports: readonly string[] }>(services)) {
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  }
});
