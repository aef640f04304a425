/** How many files, and so connections, a process may have open. */
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { LIMITS } from '../limits.ts';

/** The soft limit of /proc/self/limits, which Node has raised to the hard one; undefined when it says none. */
export function parseOpenFilesLimit(limits: string): number | undefined {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

/** Undefined where /proc is not, or without a limit. */
export function openFilesLimit(): number | undefined {
  try {
    return parseOpenFilesLimit(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    // Another system than Linux.
    return undefined;
  }
}

/**
 * So many sockets as were wanted and leave room for everything else. A process that runs out of files cannot accept those who
 * are to buy.
 */
export function seatsFor(wanted: number, logger: Logger, limit: number | undefined = openFilesLimit()): number {
  const room = Math.max(0, (limit ?? Number.POSITIVE_INFINITY) - LIMITS.liveSpareFiles);
  if (wanted <= room) return wanted;
  logger.warn(
    { wanted, openFiles: limit, room },
    'fewer live sockets than FEST_LIVE_SOCKETS: the limit on open files (ulimit -n) is too low for them',
  );
  return room;
}
