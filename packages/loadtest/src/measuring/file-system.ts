import { statfsSync } from 'node:fs';

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

/** Where an fdatasync costs nothing, and nothing is durable. */
export const IN_MEMORY: readonly string[] = ['tmpfs', 'ramfs'];

/** The kind of file system a path is on: `ext4`, or `type 0x…` of one that has no name here. @throws when it does not exist */
export function fileSystemOf(path: string): string {
  const { type } = statfsSync(path);
  return FILE_SYSTEMS.get(type) ?? `type 0x${type.toString(16)}`;
}
