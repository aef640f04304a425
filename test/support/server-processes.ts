/** Servers as processes of their own, from the sources, on the stores of a test: for tests that need more than one core. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICE_PATHS } from '@fest/server/contract/paths';
import type { TestApp } from './test-app.ts';

const MAIN = new URL('../../packages/server/src/main.ts', import.meta.url).pathname;
const READY_MS = 60_000;
/** Longer than a server takes at most, with a lame duck of some seconds. */
const STOP_MS = 30_000;

export interface ServerProcess {
  readonly name: string;
  readonly baseUrl: string;
  readonly logDirectory: string;
  pid(): number;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
  /** Tells it to stop, and waits until it has; resolves with its exit code. */
  stop(): Promise<number | null>;
  /** After `kill` or `stop`: on the same port and log. Resolves when it is ready. @param changed set over its environment */
  restart(changed?: Readonly<Record<string, string>>): Promise<void>;
}

export interface ServerProcesses {
  readonly servers: readonly ServerProcess[];
  close(): Promise<void>;
}

export interface ServerProcessesOptions {
  /** How many files each process may have open (`ulimit -n`); as many as the test itself when absent. */
  readonly openFiles?: number;
}

/** Beside a server of the test's own process: the same deployment. `environment` is set over what they need. */
export async function startServerProcesses(
  besides: TestApp,
  count: number,
  environment: Readonly<Record<string, string>> = {},
  { openFiles }: ServerProcessesOptions = {},
): Promise<ServerProcesses> {
  const program = [process.execPath, MAIN];
  const [command = '', ...args] =
    openFiles === undefined ? program : ['/bin/sh', '-c', `ulimit -n ${openFiles} && exec "$0" "$@"`, ...program];
  const directory = await mkdtemp(join(tmpdir(), 'fest-servers-'));
  const children = new Map<string, ChildProcess>();
  const close = async (): Promise<void> => {
    await Promise.all([...children.values()].map(stop));
    await rm(directory, { recursive: true, force: true });
  };
  const start = async (place: Place, changed: Readonly<Record<string, string>> = {}): Promise<void> => {
    const child = spawn(command, args, {
      env: { ...process.env, ...environmentOf(besides, place), ...environment, ...changed },
      stdio: ['ignore', process.env.FEST_TEST_LOG_LEVEL === undefined ? 'ignore' : 'inherit', 'inherit'],
    });
    children.set(place.name, child);
    await untilReady(baseUrlOf(place), child);
  };
  const describe = (place: Place): ServerProcess => ({
    name: place.name,
    baseUrl: baseUrlOf(place),
    logDirectory: place.logDirectory,
    async kill() {
      const child = children.get(place.name);
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
    pid: () => children.get(place.name)?.pid ?? 0,
    async stop() {
      const child = children.get(place.name);
      if (child === undefined) return null;
      await stop(child);
      return child.exitCode;
    },
    restart: (changed) => start(place, changed),
  });
  try {
    const ports = await findFreePorts(count);
    const places = ports.map((port, index): Place => {
      const name = `process-${index + 1}`;
      return { name, port, logDirectory: join(directory, name) };
    });
    await Promise.all(places.map((place) => start(place)));
    return { servers: places.map(describe), close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Place {
  readonly name: string;
  readonly port: number;
  readonly logDirectory: string;
}

function baseUrlOf({ port }: Place): string {
  return `http://127.0.0.1:${port}`;
}

function environmentOf(
  { stores, services: { config } }: TestApp,
  { name, port, logDirectory }: Place,
): Record<string, string> {
  return {
    FEST_PORT: String(port),
    FEST_SERVER_NAME: name,
    FEST_REDIS_URL: stores.redisUrl,
    FEST_MYSQL_URL: stores.mysqlUrl,
    FEST_LOG_DIR: logDirectory,
    FEST_GATEWAY_DIR: stores.gatewayDirectory,
    FEST_JWT_SECRET: config.jwtSecret,
    FEST_QUEUE_TOKEN_SECRET: config.queueTokenSecret,
    FEST_TICKET_SIGNING_SEED: config.ticketSigningSeed.toString('base64'),
    FEST_LAME_DUCK_MS: '0',
    FEST_LOG_LEVEL: process.env.FEST_TEST_LOG_LEVEL ?? 'fatal',
  };
}

/** Different ones: all are taken before the first is given back. */
async function findFreePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port was given');
    return address.port;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

async function untilReady(baseUrl: string, child: ChildProcess): Promise<void> {
  for (const deadlineMs = performance.now() + READY_MS; ; await sleep(50)) {
    const answer = await fetch(`${baseUrl}${SERVICE_PATHS.ready}`, { headers: { connection: 'close' } }).catch(
      () => undefined,
    );
    const health = (await answer?.json()) as { workers?: { status: string }[] } | undefined;
    const areAllThere = health?.workers?.every(({ status }) => status !== 'away') ?? true;
    if (answer?.status === 200 && areAllThere) return;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the server at ${baseUrl} ended while it was starting`);
    if (performance.now() > deadlineMs) throw new Error(`the server at ${baseUrl} was not ready in time`);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const inTime = await Promise.race([ended.then(() => true), sleep(STOP_MS, false, { ref: false })]);
  if (inTime) return;
  child.kill('SIGKILL');
  await ended;
}
