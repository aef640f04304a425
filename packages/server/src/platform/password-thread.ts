/** One of the threads that hash passwords: takes a job, answers with the key, one at a time. See `password-threads.ts`. */
import { scryptSync } from 'node:crypto';
import { constants, getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { PasswordThreadData, ScryptJob } from './password-threads.ts';

/**
 * Only on Linux is the niceness a thread's own: setpriority(2) with PRIO_PROCESS and 0 sets that of the calling thread,
 * against POSIX, where it belongs to the process. Elsewhere this would slow down the whole server, so it is left alone.
 */
function stepBack(niceness: number): void {
  if (process.platform !== 'linux') return;
  try {
    // On top of what the operator gave the process: a lower value than that could not be set without privileges.
    setPriority(Math.min(getPriority() + niceness, constants.priority.PRIORITY_LOW));
  } catch (error) {
    // A sandbox may forbid even this. Slow orders are better than no logins.
    process.emitWarning(`Passwords are hashed at normal priority, and logins may delay orders: ${error}`);
  }
}

if (parentPort !== null) {
  const port = parentPort;
  const { niceness }: PasswordThreadData = workerData;
  stepBack(niceness);
  port.on('message', ({ password, salt, keyBytes, options }: ScryptJob) => {
    // What it throws ends this thread, and the main thread tells whoever waits for the key.
    port.postMessage(scryptSync(password, salt, keyBytes, options));
  });
}
