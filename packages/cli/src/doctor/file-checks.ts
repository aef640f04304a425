/**
 * What fest itself keeps on this machine. These are the findings that `fest doctor --fix` may put right: taking rights away from
 * others changes no content, the lock and the state of a stack that is gone say nothing any more, and a folder for what is written
 * next is empty. Folders of order logs are left out: one that is missing may be a disk that is not mounted.
 */
import { chmodSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findLocalState } from '../local-stack/local-state.ts';
import { acquireLock, findLockOwner } from '../local-stack/lock.ts';
import { LOCAL_ROLES, type StackPaths, sessionPath } from '../local-stack/paths.ts';
import { findProcessRecords } from '../local-stack/process-records.ts';
import { isRunning } from '../local-stack/processes.ts';
import { ensurePrivateDirectory } from '../private-files.ts';
import type { CheckDefinition, Finding } from './check.ts';

/** Any right of the group or of others. */
const RIGHTS_OF_OTHERS = 0o077;

export interface FilePlaces {
  readonly paths: StackPaths;
  /** Where sessions of `fest login` are kept. */
  readonly credentials: string;
}

export function fileChecks(places: FilePlaces): readonly CheckDefinition[] {
  const { paths, credentials } = places;
  return [
    { name: 'private files', look: async () => lookAtRights(places) },
    { name: 'folders', look: async () => lookAtFolders(places) },
    { name: 'stack lock', look: async () => lookAtLock(paths.lock) },
    { name: 'session lock', look: async () => lookAtLock(`${credentials}.lock`) },
    { name: 'local stack', look: async () => lookAtStack(paths) },
  ];
}

/** Files and folders with passwords, keys or tokens. */
function listSecretPlaces({ paths, credentials }: FilePlaces): readonly string[] {
  const inStack = [paths.localState, paths.secrets, ...LOCAL_ROLES.map((role) => sessionPath(paths, role))];
  return [paths.root, ...inStack, dirname(credentials), credentials].filter((path) => existsSync(path));
}

function lookAtRights(places: FilePlaces): Finding {
  const all = listSecretPlaces(places);
  const open = all.filter((path) => (statSync(path).mode & RIGHTS_OF_OTHERS) !== 0);
  if (all.length === 0) return { status: 'skip', detail: 'there are none yet' };
  if (open.length === 0) return { status: 'ok', detail: `${all.length} files and folders are for their owner alone` };
  return {
    status: 'fail',
    detail: `others on this machine may read ${open.join(', ')}`,
    remedy: `Take that away: chmod go-rwx ${open.join(' ')}`,
    fix: {
      does: `others may not read ${open.join(', ')} any more`,
      apply: async () => {
        for (const path of open) chmodSync(path, statSync(path).mode & 0o777 & ~RIGHTS_OF_OTHERS);
      },
    },
  };
}

/** Where the output of processes goes: nothing that is missing there was ever a truth. */
function lookAtFolders({ paths }: FilePlaces): Finding {
  if (!existsSync(paths.root)) return { status: 'skip', detail: `no stack was started in ${paths.directory} yet` };
  if (existsSync(paths.logs)) return { status: 'ok', detail: `${paths.logs} is there` };
  return {
    status: 'warn',
    detail: `${paths.logs} is missing, where the output of processes goes`,
    remedy: 'Nothing to do: the next start makes it.',
    fix: { does: `made ${paths.logs}`, apply: async () => ensurePrivateDirectory(paths.logs) },
  };
}

function lookAtLock(path: string): Finding {
  if (!existsSync(path)) return { status: 'ok', detail: 'nobody has it' };
  const owner = findLockOwner(path);
  if (owner !== undefined) return { status: 'ok', detail: `process ${owner.pid} has it (${owner.purpose})` };
  return {
    status: 'warn',
    detail: `${path} is of a process that is gone`,
    remedy: 'Nothing to do: the next fest that needs it takes it over.',
    fix: {
      does: `took ${path} away, whose process is gone`,
      // As whoever comes next would: of two that do so at once one is right.
      apply: async () => {
        const lock = await acquireLock(path, 'fest doctor');
        if (lock.status === 'acquired') lock.release();
      },
    },
  };
}

function lookAtStack(paths: StackPaths): Finding {
  const owner = findLockOwner(paths.lock);
  const state = findLocalState(paths.localState);
  if (owner !== undefined && state !== undefined) {
    return { status: 'ok', detail: `runs in ${paths.directory} as process ${owner.pid} (${owner.purpose})` };
  }
  if (owner !== undefined) {
    const detail = `is starting or stopping (process ${owner.pid})`;
    return { status: 'warn', detail, remedy: 'Ask again in a moment.' };
  }
  if (state === undefined) {
    return { status: 'skip', detail: `none runs in ${paths.directory}`, remedy: 'Start one: fest up' };
  }
  const detail = `${paths.localState} is there, but process ${state.pid} that wrote it is gone`;
  const left = (findProcessRecords(paths.pids)?.processes ?? []).filter(isRunning);
  if (left.length > 0) {
    const names = left.map(({ name }) => name).join(', ');
    const remedy = 'Start it again: `fest up` stops what was left, in order.';
    return { status: 'fail', detail: `${detail}, and left ${names} running`, remedy };
  }
  return {
    status: 'fail',
    detail,
    remedy: 'Start it again: `fest up` clears away what was left.',
    fix: { does: `took ${paths.localState} away, whose stack is gone`, apply: () => forgetStack(paths) },
  };
}

/** Only under the stack's lock: a stack that starts meanwhile writes the same files. */
async function forgetStack(paths: StackPaths): Promise<void> {
  const lock = await acquireLock(paths.lock, 'fest doctor');
  if (lock.status === 'taken') return;
  try {
    const files = readdirSync(paths.root).filter((name) => /^(local|session(-\w+)?)\.json$/.test(name));
    for (const name of files) rmSync(join(paths.root, name), { force: true });
  } finally {
    lock.release();
  }
}
