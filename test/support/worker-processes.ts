/** The workers of a server process, seen from outside. */
import { readdirSync, readFileSync } from 'node:fs';
import { SERVICE_PATHS } from '@fest/server/contract/paths';
import { KeptClient } from './kept-client.ts';
import type { ServerProcess } from './server-processes.ts';

export interface ServerHealth {
  readonly status: string;
  readonly serverName: string;
  readonly checks: { readonly draining: boolean };
  readonly workers?: readonly { readonly worker: number; readonly status: string }[];
}

/** Process ids by the number of the worker. */
export function workerPids(server: ServerProcess): ReadonlyMap<number, number> {
  const pids = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // Behind the name of the program, which may hold anything: state, parent.
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      if (parent !== server.pid()) continue;
      const [, worker] = /(?:^|\0)FEST_WORKER=(\d+)/.exec(readFileSync(`/proc/${name}/environ`, 'utf8')) ?? [];
      if (worker !== undefined) pids.set(Number(worker), Number(name));
    } catch {
      // It ended meanwhile.
    }
  }
  return pids;
}

export function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

/** A connection to one worker; connections go round, so it may take some. */
export async function connectTo(server: ServerProcess, worker: number): Promise<KeptClient> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const client = new KeptClient(server.baseUrl);
    const { body } = await client.ask<ServerHealth>(SERVICE_PATHS.ready);
    if (body.serverName.endsWith(`-worker-${worker}`)) return client;
    client.close();
  }
  throw new Error(`no connection came to worker ${worker}`);
}

export async function healthOf(server: ServerProcess): Promise<ServerHealth> {
  const client = new KeptClient(server.baseUrl);
  try {
    return (await client.ask<ServerHealth>(SERVICE_PATHS.ready)).body;
  } finally {
    client.close();
  }
}
