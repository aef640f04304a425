/** Benchmarks' commands as processes, in a folder of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

export interface BenchRun {
  readonly child: ChildProcess;
  readonly printed: () => string;
  readonly said: () => string;
  readonly ended: Promise<number | null>;
}

export interface BenchCommand {
  run(...args: readonly string[]): BenchRun;
  /** For `--json` and the like; gone after the tests. */
  file(name: string): string;
  readFile(name: string): string;
  /** For `--directory`. */
  readonly directory: () => string;
  /** What measurements have left there: nothing, once they have ended. */
  readonly leftBehind: () => readonly string[];
}

/** For the tests of a file; `name` as in `npm run bench:<name>`. What is still running after a test is killed. */
export function benchCommand(name: string): BenchCommand {
  const started: ChildProcess[] = [];
  let directory = '';
  let results = '';
  beforeAll(() => {
    // On a disk: in memory the commands refuse to measure.
    directory = mkdtempSync(join(ROOT, 'node_modules', `.bench-${name}-`));
    results = mkdtempSync(join(tmpdir(), `fest-bench-${name}-`));
  });
  afterEach(() => {
    for (const child of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  });
  afterAll(() => {
    for (const folder of [directory, results]) rmSync(folder, { recursive: true, force: true });
  });
  return {
    run(...args) {
      const script = join(ROOT, `scripts/bench-${name}.ts`);
      const child = spawn(process.execPath, [script, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
      started.push(child);
      const [out, err]: [string[], string[]] = [[], []];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk.toString()));
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      return { child, printed: () => out.join(''), said: () => err.join(''), ended };
    },
    file: (file) => join(results, file),
    readFile: (file) => readFileSync(join(results, file), 'utf8'),
    directory: () => directory,
    leftBehind: () => readdirSync(directory),
  };
}
