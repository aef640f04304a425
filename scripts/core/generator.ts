/** The generator's process, as the measurement sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import type { GenerateResult } from '@fest/loadtest/generator/generate';
import type { CpuReading } from '@fest/loadtest/measuring/usage';
import type { Job } from './jobs.ts';

export interface ToGenerator {
  readonly job: Job;
  readonly port: number;
  readonly lanes: number;
  /** Units before and after the measured window. */
  readonly leadIn: number;
  readonly leadOut: number;
  /** Processes whose processor time is read, by name; `generator` comes along. */
  readonly watched: Readonly<Record<string, number>>;
}

export interface BlockResult extends GenerateResult {
  readonly captured: readonly string[];
  /** Undefined when there was no window. */
  readonly cpu: { readonly begin: CpuReading; readonly end: CpuReading } | undefined;
}

export type FromGenerator = { readonly result: BlockResult } | { readonly error: string };

export interface Generator {
  readonly pid: number;
  /** One block at a time. @throws {Error} when the process ends, or the signal aborts */
  run(message: ToGenerator): Promise<BlockResult>;
  close(): Promise<void>;
}

export function startGenerator(signal: AbortSignal): Generator {
  const child = fork(new URL('./generator-process.ts', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Structured clone keeps the maps of the readings.
    serialization: 'advanced',
  });
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, name) => reject(new Error(`the generator ended (${name ?? code})`)));
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // Nobody may be waiting when it ends.
  ended.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    async run(message) {
      signal.throwIfAborted();
      const said = await Promise.race([answerTo(child, message), ended]);
      if ('error' in said) throw new Error(`the generator failed: ${said.error}`);
      return said.result;
    },
    close: () => endProcess(child),
  };
}

function answerTo(child: ChildProcess, message: ToGenerator): Promise<FromGenerator> {
  return new Promise((resolve, reject) => {
    child.once('message', (said: FromGenerator) => resolve(said));
    child.send(message, (error) => {
      if (error !== null) reject(error);
    });
  });
}

export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
