/** The run: a stack for stores and accounts, a server of the production build in a control group, and a load test against it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureSecrets } from '@fest/cli/local-stack/secrets';
import { serverEnvironment } from '@fest/cli/local-stack/servers';
import { resolveLoad } from '@fest/loadtest/bench/profiles';
import { describeMachine, type Machine } from '../measuring/machine.ts';
import { openStage, type Stage, type StageContext } from '../measuring/stage.ts';
import { type Consumption, type ControlGroup, openControlGroup } from './control-group.ts';
import { LIMITED, type LimitedOptions } from './options.ts';
import { readUnitLimits, type UnitLimits } from './unit-limits.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const READY_WITHIN_MS = 60_000;
const SAMPLE_MS = 1_000;

export interface LimitedMeasurement {
  readonly options: LimitedOptions;
  readonly machine: Machine;
  readonly limits: UnitLimits;
  /** By what they were set. */
  readonly kind: ControlGroup['kind'];
  readonly before: Consumption;
  readonly after: Consumption;
  /** Seconds since the load began, and what the server had then. */
  readonly samples: readonly { readonly second: number; readonly bytes: number; readonly cpuSeconds: number }[];
  readonly seconds: number;
  /** Of `fest bench`. */
  readonly benchExitCode: number | null;
  /** What it said at its end. */
  readonly benchSummary: string;
}

export async function measure(options: LimitedOptions, context: StageContext): Promise<LimitedMeasurement> {
  const limits = readUnitLimits(readFileSync(join(ROOT, 'infra/systemd/fest.service'), 'utf8'));
  const group = openControlGroup(`fest-limited-${process.pid}`, limits);
  const closing: Array<() => unknown> = [() => group.remove()];
  try {
    const { gatewayMs } = resolveLoad('festival', options.profile, {});
    const stage = await openStage({ purpose: LIMITED.command, directory: options.directory, gatewayMs }, context);
    closing.unshift(() => stage.close());
    const server = await startServer(stage, group, { limits, gatewayMs });
    closing.unshift(() => stopServer(server.child));
    // The stack's own server made tables and accounts; from here on it must neither admit nor answer.
    const own = stage.pids['server-1'] ?? 0;
    process.kill(own, 'SIGSTOP');
    closing.unshift(() => process.kill(own, 'SIGCONT'));
    context.say(`The server under limits answers at ${server.url}.`);
    const before = group.read();
    const bench = await runBench(stage, server.url, group, options, context);
    return {
      options,
      machine: await describeMachine(stage),
      limits,
      kind: group.kind,
      before,
      after: group.read(),
      ...bench,
    };
  } finally {
    for (const close of closing) await close();
  }
}

async function startServer(
  stage: Stage,
  group: ControlGroup,
  { limits, gatewayMs }: { readonly limits: UnitLimits; readonly gatewayMs: number },
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const { state, paths } = stage.stack;
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  listener.close();
  const env = serverEnvironment({
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      FEST_WORKERS: 'auto',
      FEST_GATEWAY_LATENCY_MS: String(gatewayMs),
      FEST_GATEWAY_LATENCY_SIGMA: '0',
      FEST_GATEWAY_DECLINE_RATE: '0',
      FEST_GATEWAY_TIMEOUT_RATE: '0',
      FEST_GATEWAY_UNKNOWN_RATE: '0',
    },
    paths,
    secrets: ensureSecrets(paths.secrets),
    redisUrl: state.redisUrl,
    mysqlUrl: state.mysqlUrl,
    name: 'limited-1',
    port,
  });
  // In the group before its first instruction, so that all its memory is counted there.
  const enter = group.procs.map((file) => `echo $$ > '${file}'`).join(' && ');
  const script = `${enter} && ulimit -n ${limits.openFiles} && exec "$0" packages/server/dist/main.js`;
  const child = spawn('sh', ['-c', script, join(ROOT, 'node_modules/.bin/node')], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline; await sleep(250)) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const status = await fetch(`${url}/health/ready`).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return { child, url };
  }
  throw new Error(`${url} was not ready within ${READY_WITHIN_MS / 1_000} s`);
}

async function stopServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function runBench(
  stage: Stage,
  url: string,
  group: ControlGroup,
  { profile, users }: LimitedOptions,
  { signal, say }: StageContext,
): Promise<Pick<LimitedMeasurement, 'samples' | 'seconds' | 'benchExitCode' | 'benchSummary'>> {
  const fest = join(ROOT, 'packages/cli/bin/fest.js');
  const size = users === 0 ? [] : ['--vus', String(users)];
  const args = [fest, 'bench', 'festival', '--profile', profile, ...size, '--target', url];
  say(`$ fest ${args.slice(1).join(' ')}`);
  const beganMs = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: stage.stack.paths.directory,
    env: { ...process.env },
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  const samples: LimitedMeasurement['samples'][number][] = [];
  const ended = once(child, 'close').then(([code]) => code as number | null);
  for (let exit: number | null | undefined; exit === undefined; ) {
    exit = await Promise.race([ended, sleep(SAMPLE_MS, undefined)]);
    const { bytes, cpuSeconds } = group.read();
    samples.push({ second: Math.round((performance.now() - beganMs) / 1_000), bytes, cpuSeconds });
  }
  return {
    samples,
    seconds: (performance.now() - beganMs) / 1_000,
    benchExitCode: await ended,
    benchSummary: Buffer.concat(said).toString().trim(),
  };
}

/** Why it cannot be done on this machine. */
export function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'It needs control groups, which are in Linux.';
  try {
    openControlGroup(`fest-limited-try-${process.pid}`, {
      memoryBytes: 2 ** 31,
      processors: 2,
      openFiles: 1_024,
    }).remove();
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const systemd = spawnSync('systemd-run', ['--version'], { stdio: 'ignore' }).status === 0;
    const instead = systemd
      ? ' Where systemd runs: systemd-run --scope -p MemoryMax=2G -p CPUQuota=200% npm run bench:limited'
      : '';
    return `No control group can be made (${why}); it needs root and a writable /sys/fs/cgroup.${instead}`;
  }
}
