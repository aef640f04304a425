/** What is in an order log at a glance: its segments and where it ends, without reading all of it. */
import { OrderLogCorruptError } from '../../order-log/errors.ts';
import { asyncFiles } from '../../order-log/files.ts';
import { openOrderLogReader } from '../../order-log/reader.ts';
import { findSegmentHeader, listSegments, segmentName, segmentPath } from '../../order-log/segments.ts';
import { identifyLog } from './log-identity.ts';
import { findLogUse, type LogUse } from './log-owner.ts';

const BATCH_RECORDS = 10_000;

export interface SegmentOverview {
  readonly name: string;
  /** Size of the file, preallocated zeros included. */
  readonly bytes: number;
  /** Absent as long as the segment is only preallocated, or when its header is damaged. */
  readonly firstLsn?: number;
  readonly lastLsn?: number;
  readonly records: number;
}

export interface LogOverview {
  readonly directory: string;
  /** Absent when there is no log. */
  readonly logId?: string;
  readonly use: LogUse;
  readonly firstLsn: number;
  /** `firstLsn - 1` without records. */
  readonly lastLsn: number;
  readonly records: number;
  readonly bytes: number;
  readonly segments: readonly SegmentOverview[];
  /** Something in its newest segment cannot be read. The others are not looked at. */
  readonly damage?: string;
}

/** @throws when the directory cannot be read */
export async function overviewLog(directory: string): Promise<LogOverview> {
  const { logId, firstLsn } = await identifyLog(directory);
  const found: { name: string; bytes: number; firstLsn: number | undefined }[] = [];
  for (const segmentNumber of await listSegments(asyncFiles, directory)) {
    const header = await findSegmentHeader(asyncFiles, directory, segmentNumber);
    const bytes = await sizeOf(segmentPath(directory, segmentNumber));
    found.push({ name: segmentName(segmentNumber), bytes, firstLsn: header?.firstLsn });
  }
  const newest = found.findLast((segment) => segment.firstLsn !== undefined);
  const end = await findEnd(directory, newest?.firstLsn ?? firstLsn);
  const { lastLsn, damage } = end;
  return {
    directory,
    ...(logId === undefined ? {} : { logId }),
    use: findLogUse(directory),
    firstLsn,
    lastLsn,
    records: Math.max(0, lastLsn - firstLsn + 1),
    bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
    segments: found.map((segment, index) => withEnd(segment, found.slice(index + 1), lastLsn)),
    ...(damage === undefined ? {} : { damage }),
  };
}

type FoundSegment = { readonly name: string; readonly bytes: number; readonly firstLsn: number | undefined };

/** A segment ends where the next one begins. */
function withEnd(
  { name, bytes, firstLsn }: FoundSegment,
  after: readonly FoundSegment[],
  end: number,
): SegmentOverview {
  if (firstLsn === undefined) return { name, bytes, records: 0 };
  const next = after.find((segment) => segment.firstLsn !== undefined)?.firstLsn;
  const lastLsn = next === undefined ? end : next - 1;
  const records = Math.max(0, lastLsn - firstLsn + 1);
  return { name, bytes, firstLsn, ...(records === 0 ? {} : { lastLsn }), records };
}

async function findEnd(directory: string, fromLsn: number): Promise<{ lastLsn: number; damage?: string }> {
  const reader = await openOrderLogReader(directory, fromLsn - 1);
  try {
    while ((await reader.readBatch(Number.MAX_SAFE_INTEGER, BATCH_RECORDS)).length > 0);
    return { lastLsn: reader.lsn };
  } catch (error) {
    if (!(error instanceof OrderLogCorruptError)) throw error;
    return { lastLsn: reader.lsn, damage: error.message };
  } finally {
    await reader.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  const file = await asyncFiles.openForReading(path);
  try {
    return await file.size();
  } finally {
    await file.close();
  }
}
