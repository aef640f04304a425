/** The third part of `npm run observe`: every symptom is caused once, and its alerts have to say so. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isPortAvailable } from '@fest/cli/local-stack/port-reservations';
import { choosePorts } from '@fest/cli/local-stack/ports';
import { Alertmanager } from './alertmanager.ts';
import { Prometheus } from './prometheus.ts';
import { folderIn, type Round } from './rounds.ts';
import { Stage } from './stage.ts';
import { CHECKPOINT_SYMPTOMS, GATEWAY_SYMPTOMS, GATEWAY_THAT_DOES_NOT_SAY } from './symptoms/own-stacks.ts';
import { PROMETHEUS_SYMPTOMS } from './symptoms/prometheus.ts';
import { ESTIMATE_SYMPTOM, SALE_SYMPTOMS } from './symptoms/sale.ts';
import { CLOCK_AHEAD_SECONDS, GATEWAY_THAT_FAILS, SECOND_SYMPTOMS } from './symptoms/second-stack.ts';
import { SERVER_SYMPTOMS } from './symptoms/servers.ts';
import { STORE_SYMPTOMS } from './symptoms/stores.ts';
import type { Symptom } from './symptoms/symptom.ts';
import { causeAll, type Fired, type Skipped } from './watch-alerts.ts';

export interface Alarms {
  readonly fired: readonly Fired[];
  readonly skipped: readonly Skipped[];
}

const STEADY = { capacity: 40_000, perSecond: 50, maxActive: 2_000, holdSeconds: 30 };
const STEADY_BUYERS_PER_SECOND = 10;
const STEADY_SECONDS = 1_500;
/** An alert that another symptom has left firing is waited for this long: rules look back over two minutes. */
const QUIET_SECONDS = 150;
/** Of the first server's order log: small enough to be filled. */
const SMALL_DISK = '300m';

/** A stack, and what is caused in it. The first server's order log has a small disk. */
interface Setting {
  readonly name: string;
  readonly servers: number;
  readonly env: Readonly<Record<string, string>>;
  readonly symptoms: readonly Symptom[];
}

const SETTINGS: readonly Setting[] = [
  {
    name: 'alarms',
    servers: 2,
    // A gateway that takes its time: some payments are always under way when something breaks.
    env: { FEST_LIVE_SOCKETS: '4', FEST_GATEWAY_LATENCY_MS: '1500' },
    symptoms: [ESTIMATE_SYMPTOM, ...SERVER_SYMPTOMS, ...SALE_SYMPTOMS, ...STORE_SYMPTOMS, ...PROMETHEUS_SYMPTOMS],
  },
  { name: 'alarms-3', servers: 1, env: GATEWAY_THAT_DOES_NOT_SAY, symptoms: GATEWAY_SYMPTOMS },
  { name: 'alarms-4', servers: 1, env: {}, symptoms: CHECKPOINT_SYMPTOMS },
];

/** Causes every symptom once. @param only those that have to do with alerts that are named so; commas between them */
export async function observeAlarms(round: Round, only?: string): Promise<Alarms> {
  const names = only?.split(',') ?? [''];
  const chosen = <Some extends { readonly alerts: readonly string[] }>(symptoms: readonly Some[]): readonly Some[] =>
    symptoms.filter(({ alerts }) => alerts.some((alert) => names.some((name) => alert.includes(name))));
  const second = chosen(SECOND_SYMPTOMS);
  const results: Alarms[] = [];
  for (const setting of SETTINGS) {
    const symptoms = chosen(setting.symptoms);
    if (symptoms.length > 0) results.push(await alarmsOf(round, { ...setting, symptoms }));
  }
  if (second.length > 0) results.push(await alarmsOfSecond(round, second));
  return { fired: results.flatMap(({ fired }) => fired), skipped: results.flatMap(({ skipped }) => skipped) };
}

async function alarmsOf({ folder, say, signal }: Round, { name, servers, env, symptoms }: Setting): Promise<Alarms> {
  const directory = join(folder, name);
  const unmount = mountSmallDisk(join(directory, '.fest/log/server-1'), say);
  try {
    const stage = await Stage.open({ directory, servers, env, say, signal });
    return await onStage(stage, { folder, say, signal }, symptoms);
  } finally {
    unmount();
  }
}

async function alarmsOfSecond({ folder, say, signal }: Round, symptoms: readonly Symptom[]): Promise<Alarms> {
  const redis = await startRedisAhead(folderIn(folder, 'redis-ahead'));
  const isCausable = (alerts: readonly string[]): boolean => redis !== undefined || !alerts.includes('FestClockOff');
  const skipped = symptoms
    .filter(({ alerts }) => !isCausable(alerts))
    .map(({ alerts }) => ({ alerts, why: 'there is no C compiler (cc)' }));
  try {
    const env = {
      FEST_WORKERS: '2',
      ...GATEWAY_THAT_FAILS,
      ...(redis === undefined ? {} : { FEST_REDIS_URL: redis.url }),
    };
    const stage = await Stage.open({ directory: join(folder, 'alarms-2'), servers: 1, env, say, signal });
    const causable = symptoms.filter(({ alerts }) => isCausable(alerts));
    const alarms = await onStage(stage, { folder, say, signal }, causable);
    return { fired: alarms.fired, skipped: [...alarms.skipped, ...skipped] };
  } finally {
    redis?.process.kill('SIGTERM');
  }
}

/** People buy all the time, and one symptom after the other is caused. */
async function onStage(stage: Stage, { folder, say, signal }: Round, symptoms: readonly Symptom[]): Promise<Alarms> {
  const name = `prometheus-${stage.pidOf('server-1')}`;
  const alertmanager = await Alertmanager.start(folderIn(folder, `alertmanager-of-${name}`));
  const prometheus = await Prometheus.start({
    folder: folderIn(folder, name),
    baseUrls: stage.baseUrls,
    waits: 'short',
    alertmanager: alertmanager?.address,
  });
  const leaving = new AbortController();
  let buying: Promise<unknown> = Promise.resolve();
  try {
    const saleId = await stage.openSale('steady', STEADY);
    const tokens = await stage.buyers(STEADY_BUYERS_PER_SECOND * STEADY_SECONDS);
    buying = stage.sell(saleId, tokens, STEADY_SECONDS * 1_000, AbortSignal.any([leaving.signal, signal]));
    await sleep(10_000);
    return await causeAll({ stage, saleId, folder, prometheus, alertmanager }, symptoms, prometheus, {
      say,
      signal,
      quietSeconds: QUIET_SECONDS,
    });
  } finally {
    leaving.abort();
    await buying;
    await prometheus.stop();
    await alertmanager?.stop();
    await stage.stack.stop();
  }
}

/** A disk of its own for an order log, if this may be done here; gives what takes it away again. */
function mountSmallDisk(directory: string, say: (line: string) => void): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_DISK},mode=700`, 'none', directory], {
    encoding: 'utf8',
  });
  if (mounted.status !== 0) {
    say(`!!! The order log gets no small disk: ${mounted.stderr || String(mounted.error)}`);
    return () => undefined;
  }
  return () => void spawnSync('umount', [directory]);
}

/** A Redis that believes it is some seconds later; undefined where there is no C compiler for what makes it believe so. */
async function startRedisAhead(
  folder: string,
): Promise<{ readonly url: string; readonly process: ChildProcess } | undefined> {
  const library = join(folder, 'clock-ahead.so');
  const source = join(import.meta.dirname, 'clock-ahead.c');
  if (spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source]).status !== 0) return undefined;
  const { port } = await choosePorts({ port: 7_400, explicit: false, count: 1 }, isPortAvailable);
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder], {
    stdio: 'ignore',
    env: { ...process.env, LD_PRELOAD: library, CLOCK_AHEAD_SECONDS: String(CLOCK_AHEAD_SECONDS) },
  });
  await sleep(1_000);
  return { url: `redis://127.0.0.1:${port}`, process: child };
}
