/** One of several workers of a server: a server's process with a log of its own, on the port that all share. */
import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { findLogUse } from '../features/archive/log-owner.ts';
import { LIMITS } from '../limits.ts';
import { runServer } from '../server-process.ts';
import { linkToPrimary } from './group.ts';
import { workerConfig } from './worker-config.ts';

/** Between two looks whether the log is free. */
const LOOK_MS = 50;

/**
 * When a primary is killed, its workers finish what they are at while a supervisor may have started the next one: a worker
 * waits for the log of the one before as long as that may take. Later, opening the log says who has it.
 */
async function untilLogIsFree(directory: string): Promise<void> {
  const deadlineMs = performance.now() + LIMITS.stopMs;
  while (findLogUse(directory).status === 'open' && performance.now() < deadlineMs) await sleep(LOOK_MS);
}

/** @param worker from 1 */
export async function runWorker(config: Config, worker: number): Promise<void> {
  const own = workerConfig(config, worker);
  const link = linkToPrimary(worker, config.workers);
  await mkdir(own.logDirectory, { recursive: true });
  await untilLogIsFree(own.logDirectory);
  await runServer(own, { link, server: config.serverName });
}
