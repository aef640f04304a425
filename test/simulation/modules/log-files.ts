/** In the place of `order-log/files.ts` in the server's code: the disk is that of the simulated machine. */
import type { Files, ReadableFiles } from '@fest/server/order-log/files';
import { requireSimulated } from '../engine/environment.ts';
import { asProcess } from '../world/machine.ts';

export * from '@fest/server/order-log/files';

function disk(): Files {
  return asProcess(requireSimulated().loop.current).machine.disk;
}

export const nodeFiles: Files = {
  list: (directory) => disk().list(directory),
  openForReading: (path) => disk().openForReading(path),
  openForWriting: (path) => disk().openForWriting(path),
  create: (path) => disk().create(path),
  rename: (from, to) => disk().rename(from, to),
  remove: (path) => disk().remove(path),
  ensureDirectory: (path) => disk().ensureDirectory(path),
  syncDirectory: (path) => disk().syncDirectory(path),
};

export const asyncFiles: ReadableFiles = nodeFiles;
