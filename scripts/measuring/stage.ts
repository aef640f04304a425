/** What the measurement runs on: Redis, MySQL and the built server in a temporary folder of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProcessRecords } from '@fest/cli/local-stack/process-records';
import { type LocalStack, startLocalStack } from '@fest/cli/local-stack/stack';
import { Servers } from '@fest/loadtest/buyers/servers';
import { fileSystemOf, IN_MEMORY } from '@fest/loadtest/measuring/file-system';

export interface Stage {
  readonly stack: LocalStack;
  readonly baseUrl: string;
  readonly servers: Servers;
  /** Type of the file system the order log is on. */
  readonly fileSystem: string;
  /** Process ids of the stack's own processes, by name (`server-1`, `redis`, `mysql`). */
  readonly pids: Readonly<Record<string, number>>;
  /** What happened when a process of the stack ended by itself. */
  readonly broken: () => string | undefined;
  close(): Promise<void>;
}

export interface StageOptions {
  /** The command that starts it, for whoever looks what is running. */
  readonly purpose: string;
  /** Where the temporary folder is made; undefined: the first of the usual places that is on a disk. */
  readonly directory: string | undefined;
  /** What the simulated gateway takes for every payment, milliseconds. */
  readonly gatewayMs: number;
  /** Default 1. */
  readonly servers?: number;
  /** What servers are told beside that. */
  readonly env?: Readonly<Record<string, string>>;
  /** A program that is started in place of the built server, and becomes it. */
  readonly serverEntry?: string;
}

export interface StageContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Starts Redis, MySQL and the built server in a temporary folder. What the user's environment sets for servers does not count. */
export async function openStage(options: StageOptions, { env, say, signal }: StageContext): Promise<Stage> {
  const { parent, fileSystem } = findDisk(options.directory);
  const directory = mkdtempSync(join(parent, 'fest-bench-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  let broken: string | undefined;
  let stack: LocalStack;
  try {
    stack = await startLocalStack({
      directory,
      servers: options.servers ?? 1,
      env: { ...withoutFestVariables(env), ...gatewayEnvironment(options.gatewayMs), ...UNLIMITED, ...options.env },
      purpose: options.purpose,
      ...(options.serverEntry === undefined ? {} : { serverEntry: options.serverEntry }),
      signal,
      onEvent: (event) => {
        if (event.type === 'process-exited') broken = event.message;
        if (event.type !== 'process-started') say(event.message);
      },
    });
  } catch (error) {
    remove();
    throw error;
  }
  const [baseUrl = ''] = stack.state.baseUrls;
  const servers = new Servers([baseUrl]);
  const records = findProcessRecords(stack.paths.pids)?.processes ?? [];
  return {
    stack,
    baseUrl,
    servers,
    fileSystem,
    pids: Object.fromEntries(records.map(({ name, pid }) => [name, pid])),
    broken: () => broken,
    async close() {
      await servers.close();
      await stack.stop();
      remove();
    },
  };
}

/** A folder on a disk: in memory an fdatasync costs nothing, and the acknowledgement would look better than it is. */
function findDisk(asked: string | undefined): { readonly parent: string; readonly fileSystem: string } {
  const candidates = asked === undefined ? [tmpdir(), '/var/tmp', process.cwd()] : [asked];
  for (const parent of candidates) {
    const fileSystem = fileSystemOf(parent);
    if (!IN_MEMORY.includes(fileSystem)) return { parent, fileSystem };
  }
  throw new Error(
    `${candidates.join(', ')}: in memory, where nothing is durable. Name a folder on a disk with --directory.`,
  );
}

function withoutFestVariables(env: StageContext['env']): StageContext['env'] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('FEST_')));
}

/** Few accounts stand for many here. The bounds are kept count of all the same: what that costs is measured too. */
const UNLIMITED: Readonly<Record<string, string>> = {
  FEST_JOINS_PER_ACCOUNT: '60000000',
  FEST_HOLDS_PER_ACCOUNT: '60000000',
};

/** A gateway that always takes the same time and never fails: what is left is the server's own work. */
function gatewayEnvironment(latencyMs: number): Readonly<Record<string, string>> {
  return {
    FEST_GATEWAY_LATENCY_MS: String(latencyMs),
    FEST_GATEWAY_LATENCY_SIGMA: '0',
    FEST_GATEWAY_DECLINE_RATE: '0',
    FEST_GATEWAY_TIMEOUT_RATE: '0',
    FEST_GATEWAY_UNKNOWN_RATE: '0',
  };
}
