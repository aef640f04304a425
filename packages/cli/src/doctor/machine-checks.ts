import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  chooseEngineSource,
  describeSource,
  type EngineFacts,
  type EngineName,
  installCommand,
} from '../local-stack/engine-choice.ts';
import { isPortAvailable } from '../local-stack/port-reservations.ts';
import { LOOPBACK } from '../local-stack/ports.ts';
import type { Finding } from './check.ts';

const NODE_MAJOR_NEEDED = 24;
/** A new MariaDB takes 120 MiB, a demo's logs some tens more. */
const DISK_NEEDED_BYTES = 500 * 1024 * 1024;
const DISK_COMFORTABLE_BYTES = 2 * 1024 * 1024 * 1024;

export function checkNode(version: string): Finding {
  if (Number.parseInt(version, 10) >= NODE_MAJOR_NEEDED) return { status: 'ok', detail: `Node ${version}` };
  return {
    status: 'fail',
    detail: `Node ${version} is older than ${NODE_MAJOR_NEEDED}`,
    remedy: 'Run fest with `npx fest` in the project folder, which brings its own Node.',
  };
}

export async function checkDisk(directory: string): Promise<Finding> {
  let folder = directory;
  // The folder of a stack that was never started may not exist yet.
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  const detail = `${(freeBytes / 1024 ** 3).toFixed(1)} GiB free in ${folder}`;
  if (freeBytes >= DISK_COMFORTABLE_BYTES) return { status: 'ok', detail };
  const remedy = 'Free some space, or use a folder on another disk: fest -C <folder> …';
  return { status: freeBytes < DISK_NEEDED_BYTES ? 'fail' : 'warn', detail, remedy };
}

/** Where an engine would come from. */
export function checkEngineSource(engine: EngineName, facts: EngineFacts): Finding {
  const source = chooseEngineSource(engine, facts);
  const detail = describeSource(engine, source);
  if (source.kind === 'missing') {
    const remedy = `Install it: ${installCommand([engine], facts.platform)}`;
    return { status: 'fail', detail: `${detail} (${source.reasons.join('; ')})`, remedy };
  }
  if (source.kind === 'install') return { status: 'warn', detail, remedy: 'Nothing to do: `fest up` installs it.' };
  return { status: 'ok', detail };
}

/** Whether `fest up` could listen where it wants to. */
export async function checkPorts(options: {
  readonly port: number;
  readonly explicit: boolean;
  readonly count: number;
  /** Ports of the stack that runs in this folder. */
  readonly own: readonly number[];
}): Promise<Finding> {
  const busy: number[] = [];
  for (let port = options.port; port < options.port + options.count; port += 1) {
    if (!options.own.includes(port) && !(await isPortAvailable(port))) busy.push(port);
  }
  const range = options.count === 1 ? String(options.port) : `${options.port} to ${options.port + options.count - 1}`;
  if (options.own.includes(options.port))
    return { status: 'ok', detail: `${LOOPBACK}:${options.port} is this stack's` };
  if (busy.length === 0) return { status: 'ok', detail: `${LOOPBACK}:${range} is free` };
  const detail = `${LOOPBACK}:${busy.join(', ')} is taken`;
  if (options.explicit)
    return { status: 'fail', detail, remedy: 'End what listens there, or choose another with --port.' };
  return { status: 'warn', detail, remedy: 'Nothing to do: `fest up` takes the next free port.' };
}
