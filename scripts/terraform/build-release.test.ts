/** bin/build-release: what of the repository is on a server's machine. npm is replaced, which would take minutes; git, tar and the sum are not. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Machine } from './machine.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PROGRAM = join(ROOT, 'infra/terraform/bin/build-release');
/** A built module is as deep as its source. */
const DOCUMENTATION = 'packages/server/src/platform/documentation.ts';

let machine: Machine;
let printed: string;
let files: readonly string[];

beforeAll(() => {
  machine = new Machine(mkdtempSync(join(tmpdir(), 'fest-release-')));
  machine.program(
    'npm',
    `case $1 in
  ci) mkdir -p node_modules/node/bin packages/server/node_modules/x && touch node_modules/node/bin/node packages/server/node_modules/x/index.js ;;
  run) mkdir -p packages/server/dist packages/cli/dist && touch packages/server/dist/main.js packages/cli/dist/main.js ;;
esac`,
  );
  const ran = spawnSync(PROGRAM, ['--output', machine.path('out')], {
    env: {
      PATH: `${machine.path('bin')}:/usr/bin:/bin`,
      TMPDIR: machine.path('tmp'),
      HOME: machine.root,
      // A clone of another user's, as in a container, is none that git reads from unless it is told.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
    },
    encoding: 'utf8',
  });
  expect(ran.status, ran.stderr).toBe(0);
  printed = ran.stdout;
  const [archive = ''] = readdirSync(machine.path('out'));
  files = execFileSync('tar', ['-tzf', machine.path('out', archive)], { encoding: 'utf8' })
    .trim()
    .split('\n');
}, 60_000);

afterAll(() => rmSync(machine.root, { recursive: true }));

describe('the archive of a release', () => {
  test('has a page for each problem where the server looks for it', () => {
    const [, relative = ''] =
      /new URL\('([^']*\/problems\/)', import\.meta\.url\)/.exec(readFileSync(join(ROOT, DOCUMENTATION), 'utf8')) ?? [];
    const folder = posix.join(posix.dirname(DOCUMENTATION.replace('/src/', '/dist/')), relative);
    const pages = readdirSync(join(ROOT, 'docs/problems')).map((page) => `${folder}${page}`);
    expect(pages.length).toBeGreaterThan(20);
    expect(pages.filter((page) => !files.includes(page))).toEqual([]);
  });

  test('has what runs: builds, dependencies, programs, and a Node of its own', () => {
    for (const file of [
      'packages/server/dist/main.js',
      'packages/server/package.json',
      'packages/server/node_modules/x/index.js',
      'packages/cli/dist/main.js',
      'packages/cli/bin/fest.js',
      'node_modules/node/bin/node',
    ])
      expect(files).toContain(file);
  });

  test('has neither sources, tests nor other documents', () => {
    expect(files.filter((file) => /^packages\/[^/]+\/src\/|^test\/|^infra\/|^docs\/(?!problems\/)/.test(file))).toEqual(
      [],
    );
  });

  test('is the one that is printed for terraform.tfvars', () => {
    const [archive = ''] = readdirSync(machine.path('out'));
    const [sum] = execFileSync('sha256sum', [machine.path('out', archive)], { encoding: 'utf8' }).split(' ');
    expect(printed).toContain(`sha256 = "${sum}"`);
    expect(printed).toContain(`key    = "releases/${archive}"`);
  });
});
