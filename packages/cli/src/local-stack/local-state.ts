import { rmSync } from 'node:fs';
import { isRecord, readJsonIfPresent, writePrivateFile } from '../private-files.ts';

export interface LocalAccount {
  readonly email: string;
  readonly password: string;
}

export interface LocalServer {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
}

/** `.fest/local.json`: where everything of a running stack is. It exists while all of it is up. */
export interface LocalState {
  readonly schema: 'fest.local/1';
  /** The process that runs the stack. */
  readonly pid: number;
  readonly startedAt: string;
  readonly baseUrls: readonly string[];
  readonly redisUrl: string;
  readonly mysqlUrl: string;
  readonly logDirs: readonly string[];
  readonly gatewayDir: string;
  readonly servers: readonly LocalServer[];
  readonly accounts: {
    readonly operator: LocalAccount;
    readonly organizer: LocalAccount;
    readonly staff: LocalAccount;
  };
}

export function writeLocalState(path: string, state: LocalState): void {
  writePrivateFile(path, `${JSON.stringify(state, undefined, 2)}\n`);
}

export function removeLocalState(path: string): void {
  rmSync(path, { force: true });
}

/** The state of the stack that runs (or was killed) in a folder; undefined when there is none. */
export function findLocalState(path: string): LocalState | undefined {
  const value = readJsonIfPresent(path);
  return isLocalState(value) ? value : undefined;
}

function isLocalState(value: unknown): value is LocalState {
  return (
    isRecord(value) &&
    value.schema === 'fest.local/1' &&
    typeof value.pid === 'number' &&
    Array.isArray(value.baseUrls) &&
    typeof value.redisUrl === 'string' &&
    typeof value.mysqlUrl === 'string' &&
    Array.isArray(value.servers) &&
    isRecord(value.accounts)
  );
}
