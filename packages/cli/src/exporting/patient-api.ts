/** Asks a server again for a while when it is away or busy: an export of many pages should outlive a restart. */
import { setTimeout as sleep } from 'node:timers/promises';
import { FixableError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';

/** A server that is restarted is back within this time. */
const PATIENCE_MS = 30_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 4_000;

const PASSING = new Set(['overloaded', 'store_unavailable', 'sale_recovering', 'rate_limited']);

export interface Patience {
  readonly signal: AbortSignal;
  /** Tells that it waits, and why. */
  readonly onWait: (why: string) => void;
}

export async function askPatiently<Answer>(ask: () => Promise<Answer>, { signal, onWait }: Patience): Promise<Answer> {
  let pauseMs = FIRST_PAUSE_MS;
  for (let waitedMs = 0; ; waitedMs += pauseMs, pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error) || waitedMs >= PATIENCE_MS || signal.aborted) throw error;
      onWait(error.details.what);
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

function isPassing(error: unknown): error is FixableError {
  if (!(error instanceof FixableError)) return false;
  return error.exitCode === EXIT.unreachable || PASSING.has(error.details.problemCode ?? '');
}
