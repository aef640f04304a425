import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../errors.ts';
import { STACK_LIMITS } from './limits.ts';
import type { ProcessRecords, RecordedCompose } from './process-records.ts';
import { isRunning, stopProcess } from './processes.ts';

/**
 * Stops what a dead supervisor left running: servers first, all at once, then the engines they write to. Only processes
 * with the recorded id and start time are touched.
 * @returns the names of what was still running
 */
export async function stopLeftovers(records: ProcessRecords): Promise<readonly string[]> {
  const stopped: string[] = [];
  for (const kind of ['server', 'engine'] as const) {
    const running = records.processes.filter((candidate) => candidate.kind === kind && isRunning(candidate));
    const timeoutMs = kind === 'server' ? STACK_LIMITS.serverStopTimeoutMs : STACK_LIMITS.engineStopTimeoutMs;
    await Promise.all(
      running.map((candidate) => stopProcess(candidate, { timeoutMs, repeatSignal: kind === 'engine' })),
    );
    stopped.push(...running.map(({ name }) => name));
  }
  if (records.compose !== undefined) {
    await stopCompose(records.compose).catch((error: unknown) => {
      throw new Error(`docker compose stop failed: ${messageOf(error)}`);
    });
  }
  return stopped;
}

/** Stops the containers of a stack; their volumes stay. */
export async function stopCompose(compose: RecordedCompose): Promise<void> {
  await promisify(execFile)(compose.docker, ['compose', '-p', compose.project, '-f', compose.file, 'stop'], {
    env: compose.environment,
    timeout: STACK_LIMITS.engineStopTimeoutMs * 2,
  });
}
