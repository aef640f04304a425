/**
 * What stands in for base images: this machine's own programs (`/usr`, bound, read-only), a copy of its `/etc`, and the empty folders
 * of any system. Nothing else of the machine is seen inside.
 */
import { copyFileSync, cpSync, existsSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const EMPTY = ['dev', 'proc', 'tmp', 'usr', 'root', 'opt', 'srv', 'run', 'var/lib', 'var/tmp', 'var/log', 'var/cache'];
const OF_USR = ['bin', 'sbin', 'lib', 'lib64', 'lib32'];
/** How npm is set up here, which base images do not know. */
const NPM_SETTINGS = '/root/.npmrc';

/** @returns the lowest folder of every overlay */
export function makeSystem(directory: string): string {
  const system = join(directory, 'system');
  for (const path of EMPTY) mkdirSync(join(system, path), { recursive: true, mode: 0o755 });
  for (const name of OF_USR) if (existsSync(join('/usr', name))) symlinkSync(join('usr', name), join(system, name));
  cpSync('/etc', join(system, 'etc'), {
    recursive: true,
    verbatimSymlinks: true,
    // Sockets and the like are of this machine's services.
    filter: (source) =>
      ['isFile', 'isDirectory', 'isSymbolicLink'].some((kind) => lstatSync(source)[kind as 'isFile']()),
  });
  if (existsSync(NPM_SETTINGS)) copyFileSync(NPM_SETTINGS, join(system, NPM_SETTINGS));
  return system;
}

/** Shell lines that finish an overlay at `$root`. */
export const MOUNT_SYSTEM = `mount --bind /usr "$root/usr"
mount -o remount,ro,bind "$root/usr"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"`;
