/** What the drill does to its deployment: drops the database, restarts servers on another, asks `fest`. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from '../measuring/stage.ts';
import { connect } from './backup.ts';

const FEST = resolve(import.meta.dirname, '../../packages/cli/bin/fest.js');
/** Who sign up at once: passwords are hashed two at a time. */
const AT_ONCE = 8;
const POLL_MS = 250;

export async function inTurn<Result>(
  count: number,
  work: (index: number) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) results[index] = await work(index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}

/** Nothing is under way any more that MySQL does not have. */
export async function untilArchived(baseUrls: readonly string[], signal: AbortSignal): Promise<void> {
  const lagOf = async (url: string): Promise<number> => {
    const answer = await fetch(`${url}/health/ready`, { signal });
    return ((await answer.json()) as { applierLag: number }).applierLag;
  };
  while ((await Promise.all(baseUrls.map(lagOf))).some((lag) => lag > 0)) await sleep(POLL_MS, undefined, { signal });
}

/** With everything in it, whoever uses it. */
export async function dropDatabase(url: string): Promise<void> {
  const connection = await connect(url);
  try {
    await connection.query('DROP DATABASE ??', [new URL(url).pathname.slice(1)]);
  } finally {
    await connection.end();
  }
}

/** One server after the other: the new address into the environment file, then a restart as the runbook has it. */
export async function restartOn(
  stage: Stage,
  {
    environmentFile,
    mysqlUrl,
    say,
    signal,
  }: {
    readonly environmentFile: string;
    readonly mysqlUrl: string;
    readonly say: (line: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  writeFileSync(environmentFile, `FEST_MYSQL_URL='${mysqlUrl}'\n`, { mode: 0o600 });
  for (const { name, pid } of stage.stack.state.servers) {
    // To kill 0 would end the drill itself.
    if (pid <= 0) throw new Error(`${name} does not run`);
    const { promise, resolve: isBack } = Promise.withResolvers<void>();
    const forget = stage.stack.onEvent((event) => {
      if (event.type === 'process-started' && event.name === name) isBack();
    });
    try {
      process.kill(pid, 'SIGTERM');
      await Promise.race([promise, interruption(signal)]);
      say(`${name} is back, with the new FEST_MYSQL_URL`);
    } finally {
      forget();
    }
  }
}

function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** `fest` beside the stores, as on a server. @returns its exit code; null: it was killed */
export function festIn(
  directory: string,
  env: Readonly<Record<string, string>>,
  say: (line: string) => void,
): (...args: readonly string[]) => number | null {
  return (...args) => {
    say(`$ fest ${args.join(' ')}`);
    const { status, stdout, stderr } = spawnSync(process.execPath, [FEST, ...args], {
      env: { PATH: process.env.PATH, ...env },
      cwd: directory,
      encoding: 'utf8',
    });
    say(`${stdout}${stderr}`.trim());
    return status;
  };
}
