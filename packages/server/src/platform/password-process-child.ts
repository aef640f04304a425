/** The process that hashes passwords: takes work, answers with keys, a few at a time. See `password-process.ts`. */
import { scrypt } from 'node:crypto';
import { constants, getPriority, setPriority } from 'node:os';
import type { ScryptDone, ScryptJob } from './password-process.ts';

/** Before the first hash: the threads that hash begin with the niceness of the one that starts them. */
function stepBack(niceness: number): void {
  try {
    // On top of what the operator gave the server: a lower value than that could not be set without privileges.
    setPriority(Math.min(getPriority() + niceness, constants.priority.PRIORITY_LOW));
  } catch (error) {
    // A sandbox may forbid even this. Slow orders are better than no logins.
    process.emitWarning(`Passwords are hashed at normal priority, and logins may delay orders: ${error}`);
  }
}

function hash({ id, password, salt, keyBytes, options }: ScryptJob): void {
  // A server that is gone wants nothing any more.
  const tell = (done: ScryptDone): void => void process.send?.(done, undefined, undefined, () => undefined);
  try {
    scrypt(password, salt, keyBytes, options, (error, key) => {
      tell(error === null ? { id, key } : { id, error: error.message });
    });
  } catch (error) {
    tell({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

stepBack(Number(process.argv[2]));
process.on('message', (job) => hash(job as ScryptJob));
// It ends with its channel to the server, not by Ctrl-C, which a terminal sends to all processes: the server has to finish.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
