/** `npm run terraform:check` where what it needs is not there: nobody takes that for a result. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const SCRIPT = resolve(import.meta.dirname, '../check-terraform.ts');

let programs: string;
beforeEach(() => {
  programs = mkdtempSync(join(tmpdir(), 'fest-programs-'));
});
afterEach(() => rmSync(programs, { recursive: true }));

const check = (environment: Readonly<Record<string, string>>, ...words: readonly string[]) =>
  spawnSync(process.execPath, [SCRIPT, ...words], { env: { PATH: programs, ...environment }, encoding: 'utf8' });

/** A Terraform that takes every file for formatted, and says this of everything else. */
function terraform(text: string, status: number): void {
  const program = join(programs, 'terraform');
  writeFileSync(program, `#!/bin/sh\n[ "$1" = fmt ] && exit 0\necho '${text}'\nexit ${status}\n`);
  chmodSync(program, 0o755);
}

test.each([{}, { CI: 'true' }])(
  'without Terraform it is skipped aloud, with an exit code of its own (%j)',
  (environment) => {
    const { status, stdout } = check(environment);
    expect(status).toBe(77);
    expect(stdout).toBe('!!! SKIPPED: infra/terraform is NOT checked: there is no terraform in PATH\n');
  },
);

test('without a provider it is skipped the same way, and says what helps', () => {
  terraform('Error: Failed to query available provider packages', 1);
  const { status, stdout } = check({}, 'budget');
  expect(status).toBe(77);
  expect(stdout).toContain('!!! SKIPPED');
  expect(stdout).toContain('TF_PLUGIN_DIR');
});

test('a Terraform that fails for another reason is a failure, not a skip', () => {
  terraform('Error: Unsupported argument', 1);
  const { status, stdout } = check({}, 'budget');
  expect(status).toBe(1);
  expect(stdout).toContain('Unsupported argument');
});

test('a module that is not there is named', () => {
  terraform('', 0);
  const { status, stdout } = check({}, 'nowhere');
  expect(status).toBe(2);
  expect(stdout).toContain('modules/network');
});
