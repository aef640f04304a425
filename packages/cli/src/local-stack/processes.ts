import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../errors.ts';
import { STACK_LIMITS } from './limits.ts';

/** A process that is named so that a later process with the same id is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in whatever unit the system tells; only compared for equality. */
  readonly startTime: string;
}

/** When a process started; undefined when it is gone, or has ended and only waits for its parent to notice. */
export function findStartTime(pid: number): string | undefined {
  return process.platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid);
}

function startTimeFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function startTimeFromPs(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const [state = '', ...start] = line.split(/\s+/);
    return line === '' || state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}

export function isRunning(identity: ProcessIdentity): boolean {
  return findStartTime(identity.pid) === identity.startTime;
}

/** Sends a signal to that very process; false when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    throw error;
  }
}

/**
 * Asks a process to end, waits, and kills it when it did not.
 * @param options.repeatSignal ask again and again: MariaDB loses a signal that comes while it starts, but a server takes a
 *   second one for an order to leave at once
 */
export async function stopProcess(
  identity: ProcessIdentity,
  options: { readonly timeoutMs: number; readonly repeatSignal: boolean },
): Promise<'gone' | 'ended' | 'killed'> {
  if (!signalProcess(identity, 'SIGTERM')) return 'gone';
  const { timeoutMs, repeatSignal } = options;
  let signalledAtMs = 0;
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += STACK_LIMITS.pollMs) {
    if (!isRunning(identity)) return 'ended';
    if (repeatSignal && waitedMs - signalledAtMs >= STACK_LIMITS.stopRepeatMs) {
      signalProcess(identity, 'SIGTERM');
      signalledAtMs = waitedMs;
    }
    await sleep(STACK_LIMITS.pollMs);
  }
  signalProcess(identity, 'SIGKILL');
  return 'killed';
}
