/** Programs that are shell scripts, in a temporary folder that is the whole PATH: what is on this machine plays no part. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export class FakePrograms {
  readonly folder = mkdtempSync(join(tmpdir(), 'fest-fake-'));
  /** A folder with `.fest` in it. */
  readonly directory = join(this.folder, 'here');
  readonly said: string[] = [];

  constructor() {
    mkdirSync(join(this.directory, '.fest'), { recursive: true });
  }

  get env(): Readonly<Record<string, string>> {
    return { PATH: join(this.folder, 'bin'), HOME: this.folder };
  }

  readonly say = (line: string): void => {
    this.said.push(line);
  };

  /** @param path in the folder; `bin/…` is in PATH. @param script lines of a POSIX shell */
  add(path: string, script: string): string {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  addK6(path: string, version: string): string {
    return this.add(path, `echo 'k6 ${version} (go1.26.8, linux/amd64)'`);
  }

  /** What fakes have written into a file of the folder; empty when they have not. */
  read(path: string): string {
    try {
      return readFileSync(join(this.folder, path), 'utf8');
    } catch {
      // No fake has written it.
      return '';
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
