/** An engine that hangs, as a machine that swaps or a disk that does not answer makes it. */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '@fest/cli/local-stack/engines';

/** The engine does nothing while `work` runs; its sockets stay open. */
export async function whileHung<Result>({ process: engine }: Engine, work: () => Promise<Result>): Promise<Result> {
  const pid = engine?.pid();
  if (pid === undefined) throw new Error('not a private engine');
  process.kill(pid, 'SIGSTOP');
  try {
    await untilStopped(pid);
    return await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** A signal takes a moment on a busy machine, and a question may still be answered in it. */
async function untilStopped(pid: number): Promise<void> {
  for (const deadlineMs = performance.now() + 5_000; ; await sleep(10)) {
    const { stdout } = spawnSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' });
    if (stdout.trim().startsWith('T')) return;
    if (performance.now() > deadlineMs) throw new Error(`process ${pid} does not stop: ${stdout}`);
  }
}
