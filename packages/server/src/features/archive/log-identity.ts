/** Which log is in a directory, without reading it. */
import { asyncFiles } from '../../order-log/files.ts';
import { findLogStart } from '../../order-log/log-start.ts';
import { findSegmentHeader, listSegments } from '../../order-log/segments.ts';

export interface LogIdentity {
  readonly directory: string;
  /** 32 hexadecimal digits; undefined when there is no log in the directory, or none of its headers is intact. */
  readonly logId: string | undefined;
  /** The first record it has or will have: above 1 when the log was trimmed. */
  readonly firstLsn: number;
}

/** @throws when the directory cannot be read */
export async function identifyLog(directory: string): Promise<LogIdentity> {
  const { firstLsn, logId } = await findLogStart(asyncFiles, directory);
  return { directory, logId: logId ?? (await findLogId(directory)), firstLsn };
}

/** All segments have it; that of the first may be damaged. */
async function findLogId(directory: string): Promise<string | undefined> {
  for (const segmentNumber of await listSegments(asyncFiles, directory)) {
    const header = await findSegmentHeader(asyncFiles, directory, segmentNumber);
    if (header !== undefined) return header.logId;
  }
  return undefined;
}
