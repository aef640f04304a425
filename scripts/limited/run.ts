/** The run: a stack whose server, of the production build, is in a control group, and a load test against it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { resolveLoad } from '@fest/loadtest/bench/profiles';
import type { BenchResult } from '@fest/loadtest/bench/result';
import { describeMachine, type Machine } from '../measuring/machine.ts';
import { openStage, type Stage, type StageContext } from '../measuring/stage.ts';
import { type Consumption, type ControlGroup, openControlGroup } from './control-group.ts';
import { LIMITED, LIMITED_FILES, LIMITED_PROCS, type LimitedOptions } from './options.ts';
import { readUnitLimits, type UnitLimits } from './unit-limits.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SAMPLE_MS = 1_000;

export interface Sample {
  /** Since the load test was started. */
  readonly second: number;
  readonly bytes: number;
  readonly residentBytes: number;
  readonly cpuSeconds: number;
}

export interface LimitedMeasurement {
  readonly options: LimitedOptions;
  readonly machine: Machine;
  readonly limits: UnitLimits;
  /** By what they were set. */
  readonly kind: ControlGroup['kind'];
  /** How many files the server may really have open here. */
  readonly openFiles: number;
  /** Processes of the server: the one that was started, and its workers. */
  readonly processes: number;
  readonly before: Consumption;
  readonly after: Consumption;
  readonly samples: readonly Sample[];
  readonly seconds: number;
  /** Of `fest bench`. */
  readonly benchExitCode: number | null;
  /** What it said at its end. */
  readonly benchSummary: string;
  /** Its result; undefined when it ended without one. */
  readonly bench: Pick<BenchResult, 'verdict' | 'faults' | 'audit' | 'totals'> | undefined;
}

export async function measure(options: LimitedOptions, context: StageContext): Promise<LimitedMeasurement> {
  const limits = readUnitLimits(readFileSync(join(ROOT, 'infra/systemd/fest.service'), 'utf8'));
  const group = openControlGroup(`fest-limited-${process.pid}`, limits);
  const closing: Array<() => unknown> = [() => group.remove()];
  try {
    const { gatewayMs } = resolveLoad('festival', options.profile, {});
    const env = {
      NODE_ENV: 'production',
      FEST_WORKERS: 'auto',
      [LIMITED_PROCS]: group.procs.join(':'),
      [LIMITED_FILES]: String(limits.openFiles),
    };
    const serverEntry = join(import.meta.dirname, 'enter.ts');
    const { directory } = options;
    const stage = await openStage({ purpose: LIMITED.command, directory, gatewayMs, env, serverEntry }, context);
    closing.unshift(() => stage.close());
    const pids = readFileSync(group.procs[0] ?? '', 'utf8')
      .trim()
      .split('\n');
    const { 'server-1': pid = 0 } = stage.pids;
    if (!pids.includes(String(pid))) throw new Error(`server ${pid} is not in its control group`);
    const openFiles = Number(/^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1]);
    context.say(`The server under limits has the processes ${pids.join(', ')}.`);
    const before = group.read();
    const bench = await runBench(stage, group, options, context);
    const machine = await describeMachine(stage);
    const { kind } = group;
    const broken = stage.broken();
    if (broken !== undefined) context.say(broken);
    return {
      options,
      machine,
      limits,
      kind,
      openFiles,
      processes: pids.length,
      before,
      after: group.read(),
      ...bench,
    };
  } finally {
    for (const close of closing) await close();
  }
}

async function runBench(
  stage: Stage,
  group: ControlGroup,
  { profile, users }: LimitedOptions,
  { signal, say }: StageContext,
): Promise<Pick<LimitedMeasurement, 'samples' | 'seconds' | 'benchExitCode' | 'benchSummary' | 'bench'>> {
  const fest = join(ROOT, 'packages/cli/bin/fest.js');
  const { directory } = stage.stack.paths;
  const out = join(directory, 'bench');
  const size = users === 0 ? [] : ['--vus', String(users)];
  const args = ['bench', 'festival', '--profile', profile, ...size, '--out', out];
  say(`$ fest ${args.join(' ')}`);
  const beganMs = performance.now();
  const child = spawn(process.execPath, [fest, ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  const samples: Sample[] = [];
  const ended = once(child, 'close').then(([code]) => code as number | null);
  for (let exit: number | null | undefined; exit === undefined; ) {
    exit = await Promise.race([ended, sleep(SAMPLE_MS, undefined)]);
    const { bytes, residentBytes, cpuSeconds } = group.read();
    samples.push({ second: Math.round((performance.now() - beganMs) / 1_000), bytes, residentBytes, cpuSeconds });
  }
  return {
    samples,
    seconds: (performance.now() - beganMs) / 1_000,
    benchExitCode: await ended,
    benchSummary: Buffer.concat(said).toString().trim(),
    bench: resultIn(out),
  };
}

function resultIn(folder: string): LimitedMeasurement['bench'] {
  try {
    const { verdict, faults, audit, totals } = JSON.parse(
      readFileSync(join(folder, 'result.json'), 'utf8'),
    ) as BenchResult;
    return { verdict, faults, audit, totals };
  } catch {
    return undefined;
  }
}

/** Why it cannot be done on this machine. */
export function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'It needs control groups, which are in Linux.';
  try {
    const limits = { memoryBytes: 2 ** 31, memoryHighBytes: 2 ** 30, processors: 2, openFiles: 1_024 };
    openControlGroup(`fest-limited-try-${process.pid}`, limits).remove();
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `No control group can be made (${why}); it needs root and a writable /sys/fs/cgroup.`;
  }
}
