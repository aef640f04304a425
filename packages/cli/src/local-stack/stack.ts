import { rmSync } from 'node:fs';
import { workerCount } from '@fest/server/config';
import { ownLogDirectories } from '@fest/server/workers/worker-config';
import { FixableError, messageOf } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { Environment } from './engine-facts.ts';
import { type Engines, startEnginesUnder } from './engines.ts';
import type { StackEvent, StackEventListener } from './events.ts';
import { STACK_LIMITS } from './limits.ts';
import { type LocalState, removeLocalState, writeLocalState } from './local-state.ts';
import { LOCAL_ROLES, orderLogDirectory, type StackPaths, sessionPath, stackPaths } from './paths.ts';
import { ensureSecrets, type LocalSecrets } from './secrets.ts';
import { localAccounts, type StackServer, serverName, startServers } from './servers.ts';
import { openSupervision, type Supervision } from './supervision.ts';

export const DEFAULT_PORT = 8080;

export interface StartLocalStackOptions {
  /** Everything of the stack is kept in its `.fest`. */
  readonly directory: string;
  /** Usually `process.env`: `PATH`, the engines' URLs, and what is passed on to the servers. */
  readonly env: Environment;
  /** Server processes, on ports that follow each other; default 1. */
  readonly servers?: number;
  /** The first server's port. One that was asked for is used or refused; without it 8080, or the next free one. */
  readonly port?: number | undefined;
  /** Whether missing engines may be installed with apt-get; default true. */
  readonly install?: boolean;
  /** Hears everything from the beginning; further listeners with {@link LocalStack.onEvent}. */
  readonly onEvent?: StackEventListener;
  /** Abandons a start that is under way: what was started is stopped again. */
  readonly signal?: AbortSignal;
  /** Named to whoever tries to start a second stack here; default `fest up`. */
  readonly purpose?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly random?: () => number;
  /** A program to run in place of the built server; for tests of the stack itself. */
  readonly serverEntry?: string;
}

export interface LocalStack {
  /** What `.fest/local.json` holds at this moment. */
  readonly state: LocalState;
  readonly paths: StackPaths;
  /** Where each server's output goes, by its name. */
  readonly serverLogs: Readonly<Record<string, string>>;
  /** Adds a listener; returns what removes it. */
  onEvent(listener: StackEventListener): () => void;
  /** Stops servers, then engines, each gracefully. Safe to call again. */
  stop(): Promise<void>;
  /** Ends everything at once, for a second Ctrl-C. */
  kill(): void;
}

/** Brings up engines and servers in a folder and keeps them running until {@link LocalStack.stop}. */
export async function startLocalStack(options: StartLocalStackOptions): Promise<LocalStack> {
  const count = options.servers ?? 1;
  checkCount(count);
  const paths = stackPaths(options.directory);
  const listeners = new Set<StackEventListener>(options.onEvent === undefined ? [] : [options.onEvent]);
  const emit = (event: StackEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const supervision = await openSupervision({ paths, purpose: options.purpose ?? 'fest up', emit });
  let engines: Engines | undefined;
  try {
    const secrets = ensureSecrets(paths.secrets);
    engines = await startEnginesUnder(supervision, secrets, { ...options, onEvent: emit });
    const { redisUrl, mysqlUrl } = engines;
    // Loaded here: `fest --help` and most commands do without the server's parts.
    const { bringInOrphanLogs } = await import('./orphan-logs.ts');
    const serverNames = Array.from({ length: count }, (_, index) => serverName(index + 1));
    await bringInOrphanLogs({ paths, serverNames, mysqlUrl, now: options.now ?? Date.now, emit });
    emit({ type: 'progress', message: count === 1 ? 'Starting the server.' : `Starting ${count} servers.` });
    const { servers, stop: stopServers } = await startServers({
      supervision,
      secrets,
      redisUrl,
      mysqlUrl,
      count,
      port: options.port ?? DEFAULT_PORT,
      explicitPort: options.port !== undefined,
      env: options.env,
      emit,
      random: options.random ?? Math.random,
      signal: options.signal,
      entry: options.serverEntry,
    });
    const startedAt = new Date(options.now?.() ?? Date.now()).toISOString();
    return assembleStack({
      supervision,
      engines,
      servers,
      stopServers,
      secrets,
      listeners,
      startedAt,
      env: options.env,
    });
  } catch (error) {
    await engines?.stop();
    await supervision.close();
    throw error;
  }
}

interface StackParts {
  readonly supervision: Supervision;
  readonly engines: Engines;
  readonly servers: readonly StackServer[];
  readonly stopServers: () => Promise<void>;
  readonly secrets: LocalSecrets;
  readonly env: Environment;
  readonly listeners: Set<StackEventListener>;
  readonly startedAt: string;
}

function assembleStack(parts: StackParts): LocalStack {
  const { supervision, engines, servers, listeners } = parts;
  const { paths } = supervision;
  let state = describeState(parts);
  let stopping: Promise<void> | undefined;
  writeLocalState(paths.localState, state);
  // A server that was started again has another process id.
  listeners.add((event) => {
    if (event.type !== 'process-started' || stopping !== undefined) return;
    state = describeState(parts);
    writeLocalState(paths.localState, state);
  });
  const forgetState = (): void => {
    removeLocalState(paths.localState);
    for (const role of LOCAL_ROLES) rmSync(sessionPath(paths, role), { force: true });
  };
  const stop = async (): Promise<void> => {
    forgetState();
    const outcomes = await Promise.allSettled([parts.stopServers()]);
    outcomes.push(...(await Promise.allSettled([engines.stop()])));
    await supervision.close();
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw new Error(`the stack did not stop cleanly: ${messageOf(failed.reason)}`);
  };
  return {
    get state() {
      return state;
    },
    paths,
    serverLogs: Object.fromEntries(servers.map(({ name, logFile }) => [name, logFile])),
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
    kill() {
      stopping ??= Promise.resolve();
      for (const { process } of servers) process.kill();
      engines.redis.process?.kill();
      engines.mysql.process?.kill();
      forgetState();
    },
  };
}

function describeState(parts: Omit<StackParts, 'listeners' | 'stopServers'>): LocalState {
  const { supervision, engines, servers, secrets, env } = parts;
  // As the servers read it, which have started with it.
  const workers = workerCount(env.FEST_WORKERS ?? '1');
  const logsOf = ({ name }: StackServer): readonly string[] =>
    ownLogDirectories({ logDirectory: orderLogDirectory(supervision.paths, name), workers });
  return {
    schema: 'fest.local/1',
    pid: process.pid,
    startedAt: parts.startedAt,
    baseUrls: servers.map((server) => server.baseUrl),
    redisUrl: engines.redisUrl,
    mysqlUrl: engines.mysqlUrl,
    logDirs: servers.flatMap(logsOf),
    gatewayDir: supervision.paths.gateway,
    servers: servers.map((server) => ({ name: server.name, pid: server.process.pid() ?? 0, port: server.port })),
    accounts: localAccounts(secrets),
  };
}

function checkCount(count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= STACK_LIMITS.servers) return;
  throw new FixableError({
    what: `${count} is not a number of servers`,
    fix: `Give a whole number from 1 to ${STACK_LIMITS.servers}.`,
    exitCode: EXIT.usage,
  });
}
