/**
 * Torn or corrupt? Reading has stopped at a place where record N should be and is not. Both are possible:
 *
 * - the process or the machine died while N was being written: nobody was told that N is durable, so it is cut off;
 * - N had been durable and its bytes were damaged since: cutting it off would lose a sold ticket.
 *
 * "Is there a valid record after it?" does not decide that. A batch is written with one writev and its pages reach the
 * disk in any order, so after a power loss the second half of a batch may be there and the first half not. And whatever
 * follows cannot be verified, since the CRC chain leads through the lost record.
 *
 * What does decide: a batch is only written after the fdatasync of the batch before has returned. So every header says
 * which records had been durable before it was written (`durableBefore`; for a segment header, everything before its
 * first LSN). One header anywhere behind the damage that vouches for N means that N had been durable, thus corruption.
 * Without such a header N belongs to the last batch, whose fdatasync nobody saw return: a torn end. When the writer runs
 * idle it puts a seal behind the last batch, which vouches for that one too. What is left is a machine that loses power
 * just after an acknowledgement, before the seal reaches the disk, *and* flips a bit in that same batch.
 *
 * Headers are recognised by magic and their own CRC-32, without the chain. Stale headers do not occur: segments are
 * zeroed and synced before use, and a torn end is zeroed and synced before anything is written over it.
 */
import { isNoSuchFile, type ReadableFiles } from './files.ts';
import {
  durableBefore,
  parseRecordHeader,
  parseSegmentHeader,
  RECORD_HEADER_BYTES,
  RECORD_MAGIC_BYTES,
  SEGMENT_HEADER_BYTES,
} from './format.ts';
import { READ_CHUNK_BYTES } from './limits.ts';
import { listSegments, readFully, segmentPath } from './segments.ts';

export interface DurabilityProof {
  readonly file: string;
  /** Where in it. */
  readonly offset: number;
  /** Everything up to this LSN had been durable when the bytes at this place were written. */
  readonly durableLsn: number;
}

/** Bytes behind the last readable record that are not zero. */
export interface Leftover {
  readonly segmentNumber: number;
  readonly from: number;
  /** First offset behind them. */
  readonly to: number;
}

export interface TailSearch {
  readonly proof?: DurabilityProof;
  readonly leftovers: readonly Leftover[];
}

const ZERO_CHUNK = Buffer.alloc(READ_CHUNK_BYTES);

/** Index behind the last byte that is not zero. */
function usedLength(bytes: Buffer): number {
  if (bytes.equals(ZERO_CHUNK.subarray(0, bytes.length))) return 0;
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return end;
}

/** The first header in these bytes that vouches for `lsn`. */
function findVoucher(bytes: Buffer, lsn: number): { offset: number; durableLsn: number } | undefined {
  for (let at = bytes.indexOf(RECORD_MAGIC_BYTES); at !== -1; at = bytes.indexOf(RECORD_MAGIC_BYTES, at + 1)) {
    const header = parseRecordHeader(bytes, at);
    if (header !== undefined && durableBefore(header) >= lsn) return { offset: at, durableLsn: durableBefore(header) };
  }
  return undefined;
}

async function searchSegment(
  files: ReadableFiles,
  path: string,
  segmentNumber: number,
  from: number,
  lsn: number,
): Promise<{ proof?: DurabilityProof; leftover?: Leftover }> {
  const file = await files.openForReading(path);
  try {
    // Chunks overlap by almost a header, so that none is missed on a boundary.
    const overlap = RECORD_HEADER_BYTES - 1;
    const chunk = Buffer.alloc(READ_CHUNK_BYTES);
    let usedTo = from;
    for (let at = from; ; at += chunk.length - overlap) {
      const read = await readFully(file, chunk, at);
      const bytes = chunk.subarray(0, read);
      if (at === 0) {
        const header = parseSegmentHeader(bytes.subarray(0, SEGMENT_HEADER_BYTES));
        if (header !== undefined && header.firstLsn > lsn) {
          return { proof: { file: path, offset: 0, durableLsn: header.firstLsn - 1 } };
        }
      }
      const used = usedLength(bytes);
      if (used > 0) {
        usedTo = at + used;
        const voucher = findVoucher(bytes, lsn);
        if (voucher !== undefined) {
          return { proof: { file: path, offset: at + voucher.offset, durableLsn: voucher.durableLsn } };
        }
      }
      if (read < chunk.length) break;
    }
    return usedTo > from ? { leftover: { segmentNumber, from, to: usedTo } } : {};
  } finally {
    await file.close();
  }
}

/** A segment may be trimmed just after it was listed; its place is then known to be trimmed, or missed by whoever asks. */
async function searchIfThere(...search: Parameters<typeof searchSegment>): ReturnType<typeof searchSegment> {
  try {
    return await searchSegment(...search);
  } catch (error) {
    if (isNoSuchFile(error)) return {};
    throw error;
  }
}

/**
 * Looks at everything from a place to the end of the log.
 * @param from where record `lsn` should be and is not
 */
export async function searchTail(
  files: ReadableFiles,
  directory: string,
  from: { readonly segmentNumber: number; readonly offset: number },
  lsn: number,
): Promise<TailSearch> {
  const leftovers: Leftover[] = [];
  for (const segmentNumber of await listSegments(files, directory)) {
    if (segmentNumber < from.segmentNumber) continue;
    const offset = segmentNumber === from.segmentNumber ? from.offset : 0;
    const found = await searchIfThere(files, segmentPath(directory, segmentNumber), segmentNumber, offset, lsn);
    if (found.proof !== undefined) return { proof: found.proof, leftovers };
    if (found.leftover !== undefined) leftovers.push(found.leftover);
  }
  return { leftovers };
}
