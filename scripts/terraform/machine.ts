/** What a server's machine gets from the service module, as files of a test: its templates, rendered as Terraform does. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const TEMPLATES = resolve(import.meta.dirname, '../../infra/terraform/modules/service/templates');

/** The text of one of the module's files. */
export function templateOf(name: string): string {
  return readFileSync(join(TEMPLATES, name), 'utf8');
}

/**
 * As Terraform's `templatefile`, of which the module's templates use no more than `${name}`.
 * @throws {Error} when a value is missing, or not used
 */
export function renderTemplate(text: string, values: Readonly<Record<string, string>>): string {
  const unused = new Set(Object.keys(values));
  const rendered = text.replaceAll(/(\$?)\$\{(\w+)\}/g, (whole, escaped: string, name: string) => {
    if (escaped !== '') return whole.slice(1);
    const value = values[name];
    if (value === undefined) throw new Error(`there is no value for ${name}`);
    unused.delete(name);
    return value;
  });
  if (unused.size > 0) throw new Error(`not used: ${[...unused].join(', ')}`);
  return rendered;
}

/** Lines `NAME=value`, as systemd's `EnvironmentFile=` reads plain values. */
export function parseEnvironment(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

export interface Ran {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
  /** What was called of the programs that are not really there, one line each. */
  readonly calls: readonly string[];
}

/** A folder that takes the place of a machine's root, with programs of Amazon Linux and AWS that only note how they were called. */
export class Machine {
  readonly root: string;
  constructor(root: string) {
    this.root = root;
    for (const folder of ['bin', 'etc/fest', 'dev', 'var/lib', 'var/log', 'srv', 'opt', 'run', 'tmp'])
      mkdirSync(join(root, folder), { recursive: true });
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  write(path: string, text: string): void {
    writeFileSync(this.path(path), text);
  }

  /** Shell text of a program; `$*` are its arguments. */
  program(name: string, text: string): void {
    writeFileSync(
      this.path('bin', name),
      `#!/usr/bin/env bash\necho "${name} $*" >>"${this.path('calls')}"\n${text}\n`,
    );
    chmodSync(this.path('bin', name), 0o755);
  }

  /** Runs one of the module's programs with its absolute paths in this folder. */
  run(name: string, words: readonly string[], environment: Readonly<Record<string, string>> = {}): Ran {
    const script = this.path('bin', name);
    const here = (folder: string): string => `${this.root}${folder}`;
    const text = [
      '/etc/fest/',
      '/dev/disk/by-id/',
      '/var/lib/fest',
      '/var/log/fest',
      '/srv/fest-gateway',
      '/opt/fest',
    ].reduce(
      (before, folder) => before.replaceAll(folder, folder.startsWith('/dev') ? here('/dev/') : here(folder)),
      templateOf(name),
    );
    writeFileSync(script, text);
    chmodSync(script, 0o755);
    writeFileSync(this.path('calls'), '');
    const ended = spawnSync(script, [...words], {
      cwd: this.root,
      env: {
        PATH: `${this.path('bin')}:/usr/bin:/bin`,
        RUNTIME_DIRECTORY: this.path('run'),
        TMPDIR: this.path('tmp'),
        ...environment,
      },
      encoding: 'utf8',
    });
    const calls = readFileSync(this.path('calls'), 'utf8').split('\n').filter(Boolean);
    return { code: ended.status, output: ended.stdout, errors: ended.stderr, calls };
  }

  append(path: string, text: string): void {
    appendFileSync(this.path(path), text);
  }
}
