/** What the measurement runs on: Redis, MySQL and the built server in a temporary folder of their own. */
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProcessRecords } from '@fest/cli/local-stack/process-records';
import { type LocalStack, startLocalStack } from '@fest/cli/local-stack/stack';
import { Servers } from '@fest/loadtest/buyers/servers';

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
  /** Settings of the servers that are not at their defaults. */
  readonly settings?: Readonly<Record<`FEST_${string}`, string>>;
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
      env: {
        ...withoutFestVariables(env),
        ...gatewayEnvironment(options.gatewayMs),
        ...UNLIMITED,
        ...options.settings,
      },
      purpose: options.purpose,
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

/** Type numbers of statfs(2), from linux/magic.h and the file systems' own sources. */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x2fc12fc1, 'zfs'],
  [0x794c7630, 'overlayfs'],
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);
const IN_MEMORY: readonly string[] = ['tmpfs', 'ramfs'];

/** A folder on a disk: in memory an fdatasync costs nothing, and the acknowledgement would look better than it is. */
function findDisk(asked: string | undefined): { readonly parent: string; readonly fileSystem: string } {
  const candidates = asked === undefined ? [tmpdir(), '/var/tmp', process.cwd()] : [asked];
  for (const parent of candidates) {
    const { type } = statfsSync(parent);
    const fileSystem = FILE_SYSTEMS.get(type) ?? `type 0x${type.toString(16)}`;
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
