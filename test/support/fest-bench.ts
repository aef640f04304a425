/** `fest bench …` as a process of its own, with the k6 of this run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { k6Program } from './k6.ts';
import { FEST } from './spawned-stack.ts';

export interface FestBench {
  readonly child: ChildProcess;
  /** On standard error, so far. */
  readonly said: () => string;
  readonly ended: Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }>;
}

const started: ChildProcess[] = [];

export function bench(directory: string, args: readonly string[], env: Record<string, string> = {}): FestBench {
  const child = spawn(process.execPath, [FEST, '-C', directory, 'bench', ...args], {
    env: { ...process.env, K6_BIN: k6Program().path, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve)).then((exitCode) => ({
    exitCode,
    stdout,
    stderr,
  }));
  return { child, said: () => stderr, ended };
}

/** @throws {Error} when it ends, or two minutes pass, before it says that */
export async function saidBy(run: FestBench, pattern: RegExp): Promise<void> {
  for (const deadline = Date.now() + 120_000; !pattern.test(run.said()); await sleep(50)) {
    if (run.child.exitCode !== null || Date.now() > deadline)
      throw new Error(`it never said ${pattern}:\n${run.said()}`);
  }
}

/** After each test: whatever is still running. */
export async function endBenches(): Promise<void> {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGINT');
    await new Promise((resolve) => child.once('close', resolve));
  }
}
