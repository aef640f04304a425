/** The crowd's process, as the measurement sees it. */
import { fork } from 'node:child_process';
import type { OpenLoadOptions, OpenLoadResult } from '@fest/loadtest/generator/open-load';
import type { VisitKind } from '@fest/loadtest/generator/visitors';
import type { CpuReading } from '@fest/loadtest/measuring/usage';
import { endProcess } from '../core/generator.ts';

export interface CrowdPhase
  extends Pick<OpenLoadOptions, 'port' | 'arrivalsPerSecond' | 'leadInMs' | 'measuredMs' | 'connections'> {
  readonly saleId: number;
  readonly noShowShare: number;
  /** Processes whose processor time is read, by name; `crowd` comes along. */
  readonly watched: Readonly<Record<string, number>>;
}

export type ToCrowd =
  | { readonly kind: 'tokens'; readonly tokens: readonly string[] }
  | (CrowdPhase & { readonly kind: 'run' });

export interface KindResult {
  readonly due: number;
  readonly statuses: Readonly<Record<number, number>>;
  /** Of those that were served, from when they were due. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

export interface CrowdResult extends Omit<OpenLoadResult, 'kinds'> {
  readonly kinds: Readonly<Record<VisitKind, KindResult>>;
  readonly cpu: { readonly begin: CpuReading; readonly end: CpuReading };
}

export type FromCrowd = { readonly ready: true } | { readonly result: CrowdResult } | { readonly error: string };

export interface Crowd {
  readonly pid: number;
  /** Access tokens, one a person; in each phase the first so many come. */
  gather(tokens: readonly string[]): Promise<void>;
  /** One phase at a time. @throws {Error} when the process ends, or the signal aborts */
  run(phase: CrowdPhase): Promise<CrowdResult>;
  close(): Promise<void>;
}

export function startCrowd(signal: AbortSignal): Crowd {
  const child = fork(new URL('./crowd-process.ts', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Structured clone keeps the maps of the readings.
    serialization: 'advanced',
  });
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, name) => reject(new Error(`the crowd's process ended (${name ?? code})`)));
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // Nobody may be waiting when it ends.
  ended.catch(() => undefined);
  const ask = async (message: ToCrowd): Promise<FromCrowd> => {
    signal.throwIfAborted();
    const answer = new Promise<FromCrowd>((resolve, reject) => {
      child.once('message', (said: FromCrowd) => resolve(said));
      child.send(message, (error) => {
        if (error !== null) reject(error);
      });
    });
    const said = await Promise.race([answer, ended]);
    if ('error' in said) throw new Error(`the crowd failed: ${said.error}`);
    return said;
  };
  return {
    pid: child.pid ?? 0,
    async gather(tokens) {
      await ask({ kind: 'tokens', tokens });
    },
    async run(phase) {
      const said = await ask({ kind: 'run', ...phase });
      if (!('result' in said)) throw new Error('the crowd said nothing');
      return said.result;
    },
    close: () => endProcess(child),
  };
}
