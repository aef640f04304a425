/** k6 as a child: how it is called, followed and ended. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { totalmem } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { BENCH_PLAN_VARIABLE, type BenchPlan } from '../bench/plan.ts';
import { containerArguments } from './container.ts';
import { goMemory } from './go-memory.ts';
import type { K6Program } from './k6-program.ts';
import { K6_LIMITS } from './limits.ts';
import { runProgram } from './run-program.ts';
import { SAMPLE_OUTPUT } from './sample-reader.ts';

/** Beside these, k6 sees no variable that begins with `K6_`. */
const K6_VARIABLES = {
  K6_NO_USAGE_REPORT: 'true',
  // A script that asks for an extension is a mistake here, and no reason to fetch a program.
  K6_AUTO_EXTENSION_RESOLUTION: 'false',
} as const;

export interface K6Process {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Ends it without waiting for anything, for somebody who leaves; nothing happens when it has ended. */
  killNow(): void;
  /** When it has ended and all it wrote was read. Rejects when it could not be started. */
  readonly ended: Promise<{
    readonly exitCode: number | null;
    readonly exitSignal: NodeJS.Signals | null;
    readonly abortedByUs: boolean;
    readonly killedByUs: boolean;
  }>;
}

export interface StartK6Options {
  readonly k6: K6Program;
  readonly script: string;
  readonly planPath: string;
  readonly plan: BenchPlan;
  readonly folder: string;
  readonly summaryPath: string;
  readonly signal: AbortSignal;
  readonly abortGraceMs: number;
  readonly onStarted: (pid: number) => void;
}

export function startK6(options: StartK6Options): K6Process {
  const { k6, folder, signal } = options;
  const name = `fest-k6-${process.pid}-${randomBytes(4).toString('hex')}`;
  const child = spawn(k6.path, commandLine(options, name), {
    cwd: folder,
    env: k6.kind === 'binary' ? { ...k6.environment, ...variablesOf(k6) } : { ...k6.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C reaches us, and k6 once, from us. The second signal would end it without `teardown`.
    detached: true,
  });
  let abortedByUs = false;
  let killedByUs = false;
  let killing: NodeJS.Timeout | undefined;
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const killNow = (): void => {
    if (child.pid === undefined || hasEnded()) return;
    killedByUs = true;
    if (k6.kind === 'container') askToKill(k6, name);
    child.kill('SIGKILL');
  };
  const kill = (): void => {
    killedByUs = true;
    if (k6.kind === 'container') {
      const settings = { env: k6.environment, timeoutMs: K6_LIMITS.containerAnswerTimeoutMs };
      // Should that fail, the client goes all the same, and the container with its bounded load is left to the engine.
      void runProgram(k6.path, ['kill', name], { ...settings, signal: new AbortController().signal }).then(() =>
        child.kill('SIGKILL'),
      );
    } else child.kill('SIGKILL');
  };
  const abort = (): void => {
    if (hasEnded()) return;
    abortedByUs = true;
    // A client of containers passes it on.
    child.kill('SIGINT');
    killing = setTimeout(kill, options.abortGraceMs);
  };
  child.once('spawn', () => {
    if (signal.aborted) abort();
    if (k6.kind === 'container') void findContainerPid(k6, name, child).then((pid) => pid && options.onStarted(pid));
    else if (child.pid !== undefined) options.onStarted(child.pid);
  });
  signal.addEventListener('abort', abort, { once: true });
  const ended = once(child, 'close').then(([exitCode, exitSignal]) => {
    clearTimeout(killing);
    signal.removeEventListener('abort', abort);
    return { exitCode, exitSignal, abortedByUs, killedByUs };
  });
  return { stdout: child.stdout, stderr: child.stderr, killNow, ended };
}

/** The container outlives its client, and the request to end it outlives us: whoever leaves does not wait for the engine. */
function askToKill(k6: Extract<K6Program, { kind: 'container' }>, name: string): void {
  const asking = spawn(k6.path, ['kill', name], { env: { ...k6.environment }, stdio: 'ignore', detached: true });
  // Then its load, which is bounded, is left to the engine.
  asking.on('error', () => undefined);
  asking.unref();
}

function variablesOf({ environment }: K6Program): Readonly<Record<string, string>> {
  return { ...goMemory(environment, totalmem()), ...K6_VARIABLES };
}

function commandLine(options: StartK6Options, name: string): readonly string[] {
  const { k6, script, plan, planPath, folder, summaryPath } = options;
  const run = [
    'run',
    '--quiet',
    '--no-color',
    '--no-usage-report',
    '--log-output=stderr',
    '--log-format=text',
    // To standard output, which is the same for a container. Nothing else writes there before the summary at the end.
    `--out=${SAMPLE_OUTPUT}`,
    `--summary-export=${summaryPath}`,
    '--include-system-env-vars=false',
    `--env=${BENCH_PLAN_VARIABLE}=${planPath}`,
    script,
  ];
  if (k6.kind === 'binary') return run;
  const files = Object.values(plan.files).map((file) => (isAbsolute(file) ? file : join(dirname(planPath), file)));
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  return [
    ...containerArguments({
      k6,
      name,
      writable: folder,
      readable: [dirname(script), ...files.map((file) => dirname(file))],
      variables: variablesOf(k6),
      user: uid === undefined || gid === undefined ? undefined : { uid, gid },
    }),
    ...run,
  ];
}

/** Process id of k6 in a container, as this machine sees it; undefined when the engine is elsewhere, or does not tell in time. */
async function findContainerPid(
  k6: Extract<K6Program, { kind: 'container' }>,
  name: string,
  child: { readonly exitCode: number | null },
): Promise<number | undefined> {
  if (process.platform !== 'linux' || k6.environment.DOCKER_HOST?.startsWith('tcp:')) return undefined;
  const settings = { env: k6.environment, timeoutMs: K6_LIMITS.containerAnswerTimeoutMs };
  for (let waitedMs = 0; waitedMs < K6_LIMITS.containerAnswerTimeoutMs; waitedMs += K6_LIMITS.lockPollMs) {
    if (child.exitCode !== null) return undefined;
    const args = ['inspect', '--format', '{{.State.Pid}}', name];
    const { stdout } = await runProgram(k6.path, args, { ...settings, signal: new AbortController().signal });
    const pid = Number(stdout.trim());
    if (pid > 0) return pid;
    await sleep(K6_LIMITS.lockPollMs);
  }
  return undefined;
}
