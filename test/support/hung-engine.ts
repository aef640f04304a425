/** An engine that hangs, as a machine that swaps or a disk that does not answer makes it. */
import type { Engine } from '@fest/cli/local-stack/engines';

/** The engine does nothing while `work` runs; its sockets stay open. */
export async function whileHung<Result>({ process: engine }: Engine, work: () => Promise<Result>): Promise<Result> {
  const pid = engine?.pid();
  if (pid === undefined) throw new Error('not a private engine');
  process.kill(pid, 'SIGSTOP');
  try {
    return await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}
