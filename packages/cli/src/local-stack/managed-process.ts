import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FixableError, InterruptedError, messageOf } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { StackEventListener } from './events.ts';
import { STACK_LIMITS } from './limits.ts';
import { openProcessLog, readLogTail } from './process-log.ts';
import type { RecordedProcess } from './process-records.ts';
import { findStartTime, isRunning } from './processes.ts';
import type { Supervision } from './supervision.ts';

export interface ManagedProcessOptions {
  readonly name: string;
  readonly kind: RecordedProcess['kind'];
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Takes stdout and stderr. */
  readonly logFile: string;
  /** One look whether it serves; throws while it does not. */
  readonly probe: () => Promise<void>;
  readonly readyTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly supervision: Supervision;
  readonly emit: StackEventListener;
  /** 0 ≤ value < 1, spreads restarts. */
  readonly random: () => number;
}

/** A child process that is started again when it dies, until it is stopped. */
export interface ManagedProcess {
  readonly name: string;
  /** The process at this moment; undefined while there is none. */
  pid(): number | undefined;
  /** Resolves when the probe succeeded. A first start that fails throws with the end of the log; only later deaths restart. */
  start(signal?: AbortSignal): Promise<void>;
  /** Resolves when the process is gone. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

/** How long to wait before the n-th restart in a row (1, 2, …): doubled each time, the upper half of it by chance. */
export function restartDelayMs(attempt: number, random: number): number {
  const full = Math.min(STACK_LIMITS.restartFirstDelayMs * 2 ** (attempt - 1), STACK_LIMITS.restartLongestDelayMs);
  return Math.round(full / 2 + (full / 2) * random);
}

interface Run {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly startTime: string;
  readonly logOffset: number;
  readonly startedAtMs: number;
  /** Resolves, never rejects, when the process has ended. */
  readonly ended: Promise<{ readonly exitCode: number | null; readonly signal: NodeJS.Signals | null }>;
}

export function manageProcess(options: ManagedProcessOptions): ManagedProcess {
  const { name, emit, supervision } = options;
  let run: Run | undefined;
  let wanted = false;
  let failures = 0;
  let cancelRestart = new AbortController();

  const spawnOnce = (): Promise<Run> => {
    return spawnRun(options, (pid) => supervision.record({ name, kind: options.kind, pid })).then((spawned) => {
      run = spawned;
      void spawned.ended.then(() => {
        if (run === spawned) run = undefined;
        supervision.forget(spawned.pid);
      });
      return spawned;
    });
  };

  /** Starts it again after each death, with growing pauses, for as long as it is wanted. */
  const keepRunning = async (first: Run): Promise<void> => {
    let current = first;
    for (;;) {
      const { exitCode, signal } = await current.ended;
      if (!wanted) return;
      const livedMs = performance.now() - current.startedAtMs;
      failures = livedMs >= STACK_LIMITS.restartResetAfterMs ? 1 : failures + 1;
      const restartInMs = restartDelayMs(failures, options.random());
      const lastLines = readLogTail(options.logFile, current.logOffset);
      emit({
        type: 'process-exited',
        name,
        pid: current.pid,
        exitCode,
        signal,
        lastLines,
        restartInMs,
        message: `${name} (process ${current.pid}) ended with ${describeEnd(exitCode, signal)}; starting it again in ${(restartInMs / 1000).toFixed(1)} s.`,
      });
      const next = await restart(restartInMs);
      if (next === undefined) return;
      current = next;
    }
  };

  const restart = async (firstDelayMs: number): Promise<Run | undefined> => {
    let delayMs = firstDelayMs;
    for (;;) {
      await sleep(delayMs, undefined, { signal: cancelRestart.signal }).catch(() => {});
      if (!wanted) return undefined;
      try {
        const next = await spawnOnce();
        void announceRestart(next);
        return next;
      } catch (error) {
        emit({ type: 'warning', message: `${name} could not be started again: ${messageOf(error)}` });
        delayMs = STACK_LIMITS.restartLongestDelayMs;
      }
    }
  };

  const announceRestart = async (next: Run): Promise<void> => {
    try {
      await waitUntilReady(options, next, cancelRestart.signal);
      emit({ type: 'process-started', name, pid: next.pid, message: `${name} is back (process ${next.pid}).` });
    } catch (error) {
      // Its end is announced by keepRunning; one that neither ends nor gets ready is ended here.
      if (wanted && run === next) {
        emit({ type: 'warning', message: `${name} does not get ready: ${messageOf(error)}` });
        next.child.kill('SIGKILL');
      }
    }
  };

  const stop = async (): Promise<void> => {
    wanted = false;
    cancelRestart.abort();
    const current = run;
    if (current === undefined) return;
    current.child.kill('SIGTERM');
    // MariaDB loses a signal that comes while it starts. For a server a second one would mean: leave at once.
    const repeat = setInterval(() => {
      if (options.kind === 'engine') current.child.kill('SIGTERM');
    }, STACK_LIMITS.stopRepeatMs);
    const timer = setTimeout(() => {
      emit({ type: 'warning', message: `${name} did not end in ${options.stopTimeoutMs / 1000} s and is killed.` });
      current.child.kill('SIGKILL');
    }, options.stopTimeoutMs);
    await current.ended;
    clearInterval(repeat);
    clearTimeout(timer);
  };

  return {
    name,
    pid: () => run?.pid,
    async start(signal) {
      if (wanted) throw new Error(`${name} runs already`);
      wanted = true;
      failures = 0;
      cancelRestart = new AbortController();
      try {
        const first = await spawnOnce();
        await waitUntilReady(options, first, signal);
        emit({ type: 'process-started', name, pid: first.pid, message: `${name} is ready (process ${first.pid}).` });
        void keepRunning(first);
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
    kill() {
      wanted = false;
      cancelRestart.abort();
      run?.child.kill('SIGKILL');
    },
  };
}

function spawnRun(options: ManagedProcessOptions, record: (pid: number) => void): Promise<Run> {
  const log = openProcessLog(options.logFile);
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', log.descriptor, log.descriptor],
    // Its own session: a Ctrl-C in the terminal reaches only the supervisor, which stops its children in order.
    detached: true,
  });
  closeSync(log.descriptor);
  const { pid } = child;
  if (pid !== undefined) record(pid);
  const ended = new Promise<Awaited<Run['ended']>>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      // `error` also comes when a signal could not be sent; only a child that never existed is a failed start.
      if (pid === undefined) reject(cannotRun(options, error));
    });
    if (pid !== undefined)
      resolve({
        child,
        pid,
        startTime: findStartTime(pid) ?? '',
        logOffset: log.offset,
        startedAtMs: performance.now(),
        ended,
      });
  });
}

/** Polls the probe until it succeeds; throws when the process ends first or the deadline passes. */
async function waitUntilReady(options: ManagedProcessOptions, run: Run, signal?: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + options.readyTimeoutMs;
  let end: Awaited<Run['ended']> | undefined;
  void run.ended.then((value) => {
    end = value;
  });
  for (;;) {
    let reason: string;
    try {
      await options.probe();
      // Somebody else's process may have answered on the port that this one failed to get.
      if (isRunning({ pid: run.pid, startTime: run.startTime })) return;
      reason = 'another process answers in its place';
    } catch (error) {
      reason = messageOf(error);
      if (error instanceof FixableError) throw error;
    }
    if (signal?.aborted === true) throw new InterruptedError(`Interrupted while ${options.name} was starting`);
    if (end !== undefined) throw startFailed(options, run, `it ended with ${describeEnd(end.exitCode, end.signal)}`);
    if (performance.now() > deadlineMs) {
      throw startFailed(options, run, `it was not ready after ${options.readyTimeoutMs / 1000} s (${reason})`);
    }
    await sleep(STACK_LIMITS.pollMs);
  }
}

function describeEnd(exitCode: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${exitCode}` : signal;
}

/** A first start that failed; `logLines` let the caller see whether another port would help. */
export class StartFailedError extends FixableError {
  readonly logLines: readonly string[];

  constructor(options: ManagedProcessOptions, logLines: readonly string[], why: string) {
    super({
      what: `${options.name} did not start`,
      why: [why, ...logLines.map((line) => `  | ${line}`)].join('\n'),
      fix: `The whole log is ${options.logFile}`,
      exitCode: EXIT.unreachable,
    });
    this.logLines = logLines;
  }

  /** Whether somebody else has taken the port since it was chosen. */
  get isPortTaken(): boolean {
    return this.logLines.some((line) => /address already in use|EADDRINUSE/i.test(line));
  }
}

function startFailed(options: ManagedProcessOptions, run: Run, why: string): StartFailedError {
  return new StartFailedError(options, readLogTail(options.logFile, run.logOffset), why);
}

function cannotRun(options: ManagedProcessOptions, error: Error): FixableError {
  return new FixableError({
    what: `${options.name} cannot be started`,
    why: error.message,
    exitCode: EXIT.unreachable,
    cause: error,
  });
}
