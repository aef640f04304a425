/** What the checks ask about orders. */

import type { SaleEvidence } from '../evidence.ts';
import { ARCHIVED, type LogPlace, SEEN } from '../order-rows.ts';

/**
 * Not cancelled, and not about to be. A cancellation begins in MySQL, before any log has it: a server may die in between, and
 * a rebuild then counts the tickets as given back. Everything else is decided by the logs, where all of them were read.
 */
export function isLive({ books, sources }: SaleEvidence, row: number): boolean {
  if (books.has(row, SEEN.cancelBegun)) return false;
  const status = books.archivedStatus(row);
  if (status === ARCHIVED.cancelling) return false;
  if (sources.logsComplete && books.has(row, SEEN.order)) return true;
  return status !== ARCHIVED.cancelled;
}

/** True when the snapshot of MySQL must have the record at this place. */
export function isApplied({ sources }: SaleEvidence, { log, lsn }: LogPlace): boolean {
  return lsn <= (sources.logs[log]?.appliedLsn ?? 0);
}

/** The logs of which something was read, for command lines: all of them, so that one replay mends everything. */
export function logsOf({ sources }: SaleEvidence): readonly { readonly directory: string; readonly inUse: boolean }[] {
  return sources.logs.flatMap(({ directory, state, inUse }) =>
    directory === undefined || (state !== 'read' && state !== 'corrupt') ? [] : [{ directory, inUse }],
  );
}
