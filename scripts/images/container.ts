/** Runs a built stage as an engine would with `--read-only --tmpfs /tmp`: its own root, which nobody can write, its user, its volumes. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuiltStage } from './layers.ts';
import { MOUNT_SYSTEM } from './system.ts';

export interface ContainerOptions {
  readonly image: BuiltStage;
  /** A folder of its own, for the mount point. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** Path in the container → folder here. */
  readonly volumes: Readonly<Record<string, string>>;
}

export interface Container {
  readonly child: ChildProcess;
  /** Everything it said. */
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  /** Of its first process, as this machine counts. */
  pid(): number;
  stop(): Promise<number | null>;
}

function scriptOf({ image, directory, volumes }: ContainerOptions): string {
  const root = join(directory, 'root');
  mkdirSync(root, { recursive: true });
  const [user = 0, group = user] = image.user.split(':').map(Number);
  const binds = Object.entries(volumes).map(([path, folder]) => {
    mkdirSync(folder, { recursive: true });
    chownSync(folder, user, group);
    return `mount --bind "${folder}" "$root${path}"`;
  });
  return `set -e
root='${root}'
mount -t overlay overlay -o "ro,lowerdir=${image.layers.join(':')}" "$root"
${MOUNT_SYSTEM}
${binds.join('\n')}
exec chroot --userspec=${user}:${group} --groups= "$root" /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "${image.workdir}" "$@"`;
}

const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child'];

export function startContainer(options: ContainerOptions): Container {
  const { image, env } = options;
  const words = [...image.entrypoint, ...image.command];
  const child = spawn('unshare', [...NAMESPACES, 'sh', '-c', scriptOf(options), 'sh', ...words], {
    env: { ...image.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const pid = (): number => {
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
    return Number(children.split(' ')[0]);
  };
  return {
    child,
    output: () => Buffer.concat(chunks).toString(),
    ended,
    pid,
    stop() {
      if (child.exitCode === null && child.signalCode === null) process.kill(pid(), 'SIGTERM');
      return ended;
    },
  };
}

/** One more process in an image of its own kind, as health checks are; ends by itself. */
export function runInImage(
  options: ContainerOptions,
  words: readonly string[],
): { status: number | null; output: string } {
  const { image, env } = options;
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    [...NAMESPACES, 'sh', '-c', scriptOf(options), 'sh', ...words],
    {
      env: { ...image.env, ...env },
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  return { status, output: `${stdout}${stderr}` };
}
