/** The process of the ceilings, as the measurement sees it. */
import { fork } from 'node:child_process';
import { queuePositionText } from '@fest/server/features/waiting-room/poll-answer';
import { endProcess } from './generator.ts';

export const CEILING_PATHS = { constant: '/constant', increment: '/increment', script: '/script' } as const;
export type CeilingPath = keyof typeof CEILING_PATHS;

/** The body of every ceiling's answer: that of a poll of somebody far behind, as the server itself writes it. */
export const CEILING_ANSWER = queuePositionText({
  number: 123_456,
  position: 120_000,
  admitted: false,
  etaSeconds: 2_400,
  etaSecondsMax: 2_700,
  pollAfterMs: 30_000,
  phase: 'open',
});

export interface FromCeilings {
  readonly port: number;
}

export interface Ceilings {
  readonly pid: number;
  readonly port: number;
  close(): Promise<void>;
}

const START_MS = 30_000;

/** @throws {Error} when it does not start */
export async function startCeilings(redisUrl: string, signal: AbortSignal): Promise<Ceilings> {
  signal.throwIfAborted();
  const child = fork(new URL('./ceilings-process.ts', import.meta.url), {
    // In the environment: the arguments of a process are seen by everybody.
    env: { ...process.env, REDIS_URL: redisUrl },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const close = () => endProcess(child);
  try {
    const port = await new Promise<number>((resolve, reject) => {
      child.once('message', (message: FromCeilings) => resolve(message.port));
      child.once('error', reject);
      child.once('exit', (code, name) => reject(new Error(`the ceilings did not start (${name ?? code})`)));
      AbortSignal.any([signal, AbortSignal.timeout(START_MS)]).addEventListener('abort', () =>
        reject(signal.aborted ? signal.reason : new Error(`the ceilings did not start within ${START_MS / 1_000} s`)),
      );
    });
    return { pid: child.pid ?? 0, port, close };
  } catch (error) {
    await close();
    throw error;
  }
}
