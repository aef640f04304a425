import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICE_PATHS } from '@fest/server/contract/paths';
import { parseExposition } from '../exposition.ts';
import type { Stage } from '../stage.ts';
import type { Scene } from './symptom.ts';

/** Stops a process in its tracks, as a machine does that hangs; gives what lets it go on. */
export function freeze(stage: Stage, ...names: readonly string[]): () => Promise<void> {
  const pids = names.map((name) => stage.pidOf(name));
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  return async () => {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  };
}

/** Does something again and again. A round that fails is a round: faults are what this is about. */
export function again(everyMs: number, round: () => Promise<unknown>): () => Promise<void> {
  let isOver = false;
  const running = (async () => {
    while (!isOver) {
      await Promise.allSettled([round(), sleep(everyMs)]);
    }
  })();
  return async () => {
    isOver = true;
    await running;
  };
}

export function isMissing(program: string): boolean {
  return spawnSync(program, ['--version']).error !== undefined;
}

/** A program that runs until the returned function ends it. */
export function running(command: string, parameters: readonly string[]): () => Promise<void> {
  const child = spawn(command, parameters, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return async () => {
    child.kill('SIGTERM');
    await ended;
  };
}

export async function untilReady(baseUrl: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const answer = await fetch(`${baseUrl}/health/ready`).catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(100);
  }
  throw new Error(`${baseUrl} is not ready after 30 s`);
}

/** Payments at a server that a fault of a store is to meet. */
const PAYMENTS = 5;

/** After a symptom that stopped the line it takes people a while to come again. */
export async function untilPaying({ stage }: Scene): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const answers = await Promise.allSettled(stage.baseUrls.map(paymentsAt));
    if (answers.every((answer) => answer.status === 'fulfilled' && answer.value >= PAYMENTS)) return;
    await sleep(200);
  }
  throw new Error(`there are no ${PAYMENTS} payments under way at each server after two minutes`);
}

async function paymentsAt(baseUrl: string): Promise<number> {
  const answer = await fetch(`${baseUrl}${SERVICE_PATHS.metrics}`, { signal: AbortSignal.timeout(2_000) });
  const samples = parseExposition(await answer.text()).filter(({ name }) => name === 'fest_payments_in_flight');
  return samples.reduce((sum, { value }) => sum + value, 0);
}
