/** What the checks ask about orders. */

import type { SaleEvidence } from '../evidence.ts';
import { ARCHIVED, type LogPlace, SEEN } from '../order-rows.ts';

/**
 * Not cancelled, and not about to be. Logs decide where all of them were read; a cancellation by a server whose log was not
 * read is in MySQL before anything else.
 */
export function isLive({ books, sources }: SaleEvidence, row: number): boolean {
  if (books.has(row, SEEN.cancelBegun)) return false;
  if (sources.logsComplete && books.has(row, SEEN.order)) return true;
  const status = books.archivedStatus(row);
  return status !== ARCHIVED.cancelling && status !== ARCHIVED.cancelled;
}

/** True when the snapshot of MySQL must have the record at this place. */
export function isApplied({ sources }: SaleEvidence, { log, lsn }: LogPlace): boolean {
  return lsn <= (sources.logs[log]?.appliedLsn ?? 0);
}

/** The logs that were read, for command lines. */
export function logsOf({ sources }: SaleEvidence): readonly { readonly directory: string; readonly inUse: boolean }[] {
  return sources.logs.flatMap(({ directory, state, inUse }) =>
    directory === undefined || state !== 'read' ? [] : [{ directory, inUse }],
  );
}

/** The log a row was read from. */
export function logOf({ books, sources }: SaleEvidence, row: number): ReturnType<typeof logsOf> {
  const log = sources.logs[books.place(row).log];
  return log?.directory === undefined ? [] : [{ directory: log.directory, inUse: log.inUse }];
}
