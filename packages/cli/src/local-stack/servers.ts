import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FixableError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { ensurePrivateDirectory } from '../private-files.ts';
import type { Environment } from './engine-facts.ts';
import type { StackEventListener } from './events.ts';
import { STACK_LIMITS } from './limits.ts';
import type { LocalState } from './local-state.ts';
import { type ManagedProcess, manageProcess, StartFailedError } from './managed-process.ts';
import { orderLogDirectory, type StackPaths } from './paths.ts';
import { isPortAvailable, reservePorts } from './port-reservations.ts';
import { choosePorts, LOOPBACK } from './ports.ts';
import type { LocalSecrets } from './secrets.ts';
import type { Supervision } from './supervision.ts';

export interface StackServer {
  readonly name: string;
  readonly port: number;
  readonly baseUrl: string;
  readonly logFile: string;
  readonly process: ManagedProcess;
}

export interface StartServersOptions {
  readonly supervision: Supervision;
  readonly secrets: LocalSecrets;
  readonly redisUrl: string;
  readonly mysqlUrl: string;
  readonly count: number;
  readonly port: number;
  /** Whether the port was asked for: then it is that one or none. */
  readonly explicitPort: boolean;
  readonly env: Environment;
  readonly emit: StackEventListener;
  readonly random: () => number;
  readonly signal?: AbortSignal | undefined;
  /** Another program than the built server. */
  readonly entry?: string | undefined;
}

export interface StackServers {
  readonly servers: readonly StackServer[];
  stop(): Promise<void>;
}

/** Starts server processes on ports that follow each other and waits until all are ready. */
export async function startServers(options: StartServersOptions): Promise<StackServers> {
  const { emit, explicitPort, count } = options;
  const entry = options.entry ?? findServerEntry();
  for (let attempt = 1, from = options.port; ; attempt += 1) {
    const { port } = await choosePorts({ port: from, explicit: explicitPort, count }, isPortAvailable);
    const release = await reservePorts(port, count);
    const isLastAttempt = attempt >= STACK_LIMITS.portAttempts;
    if (release === undefined) {
      if (isLastAttempt) throw new Error(`port ${port} was taken by another stack again and again`);
      continue;
    }
    if (port !== options.port) {
      emit({ type: 'progress', message: `Port ${options.port} is taken by another process; using ${port}.` });
    }
    const servers = Array.from({ length: count }, (_, index) => prepareServer(options, entry, index + 1, port + index));
    const stop = async (): Promise<void> => {
      await Promise.all(servers.map((server) => server.process.stop()));
      release();
    };
    const results = await Promise.allSettled(servers.map((server) => server.process.start(options.signal)));
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    if (failures.length === 0) return { servers, stop };
    await stop();
    const lostRace = failures.every((error) => error instanceof StartFailedError && error.isPortTaken);
    if (explicitPort || !lostRace || isLastAttempt) throw failures[0];
    from = port + 1;
  }
}

/** Of the n-th server of a stack; its order log's folder is named after it. */
export function serverName(number: number): string {
  return `server-${number}`;
}

function prepareServer(options: StartServersOptions, entry: string, number: number, port: number): StackServer {
  const { supervision } = options;
  const name = serverName(number);
  const baseUrl = `http://${LOOPBACK}:${port}`;
  const logFile = join(supervision.paths.logs, `${name}.log`);
  const managed = manageProcess({
    name,
    kind: 'server',
    command: process.execPath,
    args: [entry],
    cwd: supervision.paths.directory,
    env: serverEnvironment({ ...options, paths: supervision.paths, name, port }),
    logFile,
    probe: () => probeServer(baseUrl),
    readyTimeoutMs: STACK_LIMITS.serverReadyTimeoutMs,
    stopTimeoutMs: STACK_LIMITS.serverStopTimeoutMs + (Number(options.env.FEST_LAME_DUCK_MS) || 0),
    supervision,
    emit: options.emit,
    random: options.random,
  });
  return { name, port, baseUrl, logFile, process: managed };
}

/** Settings of the command line: a server has no use for them. */
const CLI_ONLY = ['FEST_URL', 'FEST_DIR', 'FEST_SERVERS', 'FEST_EMAIL', 'FEST_PASSWORD', 'FEST_PROFILE'];

/** What a server process is told. What the user set for servers (`FEST_GATEWAY_DECLINE_RATE`, …) goes along. */
export function serverEnvironment(options: {
  readonly env: Environment;
  readonly paths: StackPaths;
  readonly secrets: LocalSecrets;
  readonly redisUrl: string;
  readonly mysqlUrl: string;
  readonly name: string;
  readonly port: number;
}): Record<string, string | undefined> {
  const { paths, secrets, name } = options;
  const logFolder = orderLogDirectory(paths, name);
  ensurePrivateDirectory(logFolder);
  ensurePrivateDirectory(paths.gateway);
  const inherited = Object.fromEntries(Object.entries(options.env).filter(([key]) => !CLI_ONLY.includes(key)));
  return {
    // No load balancer has to notice that a server of one's own machine stops.
    FEST_LAME_DUCK_MS: '0',
    FEST_ENVIRONMENT: 'local',
    ...inherited,
    FEST_HOST: LOOPBACK,
    FEST_PORT: String(options.port),
    FEST_REDIS_URL: options.redisUrl,
    FEST_MYSQL_URL: options.mysqlUrl,
    FEST_LOG_DIR: logFolder,
    FEST_GATEWAY_DIR: paths.gateway,
    FEST_SERVER_NAME: name,
    FEST_JWT_SECRET: secrets.jwtSecret,
    FEST_QUEUE_TOKEN_SECRET: secrets.queueTokenSecret,
    FEST_TICKET_SIGNING_SEED: secrets.ticketSigningSeed,
    FEST_BOOTSTRAP_ACCOUNTS: JSON.stringify(
      Object.entries(localAccounts(secrets)).map(([role, account]) => ({
        ...account,
        name: `Local ${role}`,
        roles: [role],
      })),
    ),
  };
}

/** The accounts every local stack has, one for each role that is not a buyer's. */
export function localAccounts(secrets: LocalSecrets): LocalState['accounts'] {
  return {
    operator: { email: 'operator@local.fest', password: secrets.operatorPassword },
    organizer: { email: 'organizer@local.fest', password: secrets.organizerPassword },
    staff: { email: 'staff@local.fest', password: secrets.staffPassword },
  };
}

async function probeServer(baseUrl: string): Promise<void> {
  const response = await fetch(`${baseUrl}/health/ready`, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(STACK_LIMITS.probeTimeoutMs),
  });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`/health/ready answered ${response.status}`);
}

function findServerEntry(): string {
  const path = fileURLToPath(import.meta.resolve('@fest/server/main'));
  if (existsSync(path)) return path;
  throw new FixableError({
    what: 'The server is not built yet',
    why: `${path} does not exist`,
    fix: 'Run `npm run build` in the project folder.',
    exitCode: EXIT.usage,
  });
}
