import { join, resolve } from 'node:path';

/** Where a stack keeps what in its folder. */
export interface StackPaths {
  readonly directory: string;
  readonly root: string;
  readonly localState: string;
  readonly session: string;
  readonly secrets: string;
  readonly pids: string;
  readonly lock: string;
  readonly redis: string;
  readonly mysql: string;
  readonly logs: string;
  readonly gateway: string;
}

export function stackPaths(directory: string): StackPaths {
  const absolute = resolve(directory);
  const root = join(absolute, '.fest');
  return {
    directory: absolute,
    root,
    localState: join(root, 'local.json'),
    session: join(root, 'session.json'),
    secrets: join(root, 'secrets.json'),
    pids: join(root, 'pids.json'),
    lock: join(root, 'lock.json'),
    redis: join(root, 'redis'),
    mysql: join(root, 'mysql'),
    logs: join(root, 'logs'),
    gateway: join(root, 'gateway'),
  };
}

/** The accounts that a stack has. */
export const LOCAL_ROLES = ['operator', 'organizer', 'staff'] as const;
export type LocalRole = (typeof LOCAL_ROLES)[number];

/** Where the session of one of the stack's accounts is kept. */
export function sessionPath(paths: StackPaths, role: LocalRole): string {
  return role === 'operator' ? paths.session : join(paths.root, `session-${role}.json`);
}

/** The folder of the order log of one server. */
export function orderLogDirectory(paths: StackPaths, serverName: string): string {
  return join(paths.root, 'log', serverName);
}
