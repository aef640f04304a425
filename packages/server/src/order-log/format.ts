/**
 * The order log on disk. All integers are little endian.
 *
 * A segment file is one segment header followed by records without gaps, followed by zeros up to its preallocated size.
 *
 * Segment header, 64 bytes:
 *
 * | offset | size | field                                                                          |
 * | -----: | ---: | ------------------------------------------------------------------------------ |
 * |      0 |    4 | magic `FE 53 45 47`                                                            |
 * |      4 |    4 | format version, 1                                                              |
 * |      8 |   16 | log id: random, drawn when the log was created, the same in all its segments   |
 * |     24 |    4 | segment number, 1, 2, 3 …                                                      |
 * |     28 |    4 | chain value the first record continues from                                    |
 * |     32 |    8 | LSN of the first record                                                        |
 * |     40 |    8 | time of writing, Unix milliseconds                                             |
 * |     48 |   12 | reserved, zero                                                                 |
 * |     60 |    4 | CRC-32 of bytes 0–59                                                           |
 *
 * Record, 32 bytes and the payload:
 *
 * | offset | size | field                                                                          |
 * | -----: | ---: | ------------------------------------------------------------------------------ |
 * |      0 |    4 | magic `FE 52 45 43`                                                            |
 * |      4 |    4 | payload length in bytes                                                        |
 * |      8 |    8 | LSN                                                                            |
 * |     16 |    4 | epoch of the sale                                                              |
 * |     20 |    1 | type: `RECORD_TYPES`, or 0 for a seal                                          |
 * |     21 |    1 | reserved, zero                                                                 |
 * |     22 |    2 | position in its batch, 0 for the first record of a write + fdatasync           |
 * |     24 |    4 | chained CRC-32: bytes 0–23, then the payload, continued from the previous record's value |
 * |     28 |    4 | CRC-32 of bytes 0–27: the header can be recognised without knowing the chain   |
 * |     32 |    n | payload, JSON in UTF-8                                                         |
 *
 * A **seal** has no payload and repeats the LSN of the record before it. It is written when the writer runs idle, after
 * the fdatasync of the last batch, and says that everything up to this LSN had been durable. So every header proves
 * something about the past: see `durableBefore`, and `proof.ts` for how a torn end is told from corruption by it.
 *
 * The magics begin with a byte that UTF-8 never contains: a payload cannot be mistaken for a header. Zeros where a magic
 * should be are the end of the data.
 */
import { crc32 } from 'node:zlib';

export const SEGMENT_HEADER_BYTES = 64;
export const RECORD_HEADER_BYTES = 32;
export const FORMAT_VERSION = 1;
/** The chain value of the very first record. */
export const CHAIN_START = 0;
export const SEAL_TYPE = 0;

export const RECORD_MAGIC_BYTES = Buffer.from([0xfe, 0x52, 0x45, 0x43]);
export const RECORD_MAGIC = RECORD_MAGIC_BYTES.readUInt32LE(0);
const SEGMENT_MAGIC = Buffer.from([0xfe, 0x53, 0x45, 0x47]).readUInt32LE(0);

const CHAINED_HEADER_BYTES = 24;
const CHECKED_HEADER_BYTES = 28;
const CHECKED_SEGMENT_HEADER_BYTES = 60;

export interface SegmentHeader {
  /** 32 hexadecimal digits. */
  readonly logId: string;
  readonly segmentNumber: number;
  readonly chainStart: number;
  readonly firstLsn: number;
  /** Unix milliseconds. */
  readonly writtenAt: number;
}

export interface RecordHeader {
  readonly payloadBytes: number;
  readonly lsn: number;
  readonly epoch: number;
  /** A number of `RECORD_TYPES`, or `SEAL_TYPE`. */
  readonly type: number;
  readonly positionInBatch: number;
}

/** 64-bit integers are stored as two halves: LSNs stay far below 2^53, and BigInt would cost an allocation each. */
export function writeUInt53(bytes: Buffer, value: number, offset: number): void {
  bytes.writeUInt32LE(value % 0x1_0000_0000, offset);
  bytes.writeUInt32LE(Math.floor(value / 0x1_0000_0000), offset + 4);
}

export function readUInt53(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset + 4) * 0x1_0000_0000 + bytes.readUInt32LE(offset);
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.writeUInt32LE(SEGMENT_MAGIC, 0);
  bytes.writeUInt32LE(FORMAT_VERSION, 4);
  bytes.write(header.logId, 8, 16, 'hex');
  bytes.writeUInt32LE(header.segmentNumber, 24);
  bytes.writeUInt32LE(header.chainStart, 28);
  writeUInt53(bytes, header.firstLsn, 32);
  writeUInt53(bytes, header.writtenAt, 40);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CHECKED_SEGMENT_HEADER_BYTES)), CHECKED_SEGMENT_HEADER_BYTES);
  return bytes;
}

/**
 * Reads a segment header; undefined when it is not one (zeros, torn, damaged).
 * @throws {RangeError} when it is intact but of a format version that this program does not know
 */
export function parseSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.readUInt32LE(0) !== SEGMENT_MAGIC) return undefined;
  const check = crc32(bytes.subarray(0, CHECKED_SEGMENT_HEADER_BYTES));
  if (bytes.readUInt32LE(CHECKED_SEGMENT_HEADER_BYTES) !== check) return undefined;
  const version = bytes.readUInt32LE(4);
  if (version !== FORMAT_VERSION) {
    throw new RangeError(
      `Order log format ${version} is not known here (only ${FORMAT_VERSION}): use a newer release.`,
    );
  }
  return {
    logId: bytes.toString('hex', 8, 24),
    segmentNumber: bytes.readUInt32LE(24),
    chainStart: bytes.readUInt32LE(28),
    firstLsn: readUInt53(bytes, 32),
    writtenAt: readUInt53(bytes, 40),
  };
}

/**
 * A frame is a record on its way to the writer: room for the header, then the payload. The main thread fills in what it
 * knows (length, epoch, type) so that the writer can complete the header in place and write the buffer as it came.
 */
export function startFrame(bytes: Buffer, offset: number, payloadBytes: number, type: number, epoch: number): void {
  bytes.writeUInt32LE(payloadBytes, offset + 4);
  bytes.writeUInt32LE(epoch, offset + 16);
  bytes.writeUInt32LE(type, offset + 20);
}

export function framePayloadBytes(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset + 4);
}

export function frameType(bytes: Buffer, offset: number): number {
  return bytes.readUInt8(offset + 20);
}

/** Completes the header of a frame in place; returns the chain value for the next record. */
export function completeFrame(
  bytes: Buffer,
  offset: number,
  lsn: number,
  positionInBatch: number,
  chain: number,
): number {
  const end = offset + RECORD_HEADER_BYTES + framePayloadBytes(bytes, offset);
  bytes.writeUInt32LE(RECORD_MAGIC, offset);
  writeUInt53(bytes, lsn, offset + 8);
  bytes.writeUInt8(0, offset + 21);
  bytes.writeUInt16LE(positionInBatch, offset + 22);
  const headerChain = crc32(bytes.subarray(offset, offset + CHAINED_HEADER_BYTES), chain);
  const nextChain = crc32(bytes.subarray(offset + RECORD_HEADER_BYTES, end), headerChain);
  bytes.writeUInt32LE(nextChain, offset + 24);
  bytes.writeUInt32LE(crc32(bytes.subarray(offset, offset + CHECKED_HEADER_BYTES)), offset + 28);
  return nextChain;
}

/** A seal: everything up to `durableLsn` has been fdatasynced. */
export function encodeSeal(durableLsn: number, chain: number): { bytes: Buffer; chain: number } {
  const bytes = Buffer.alloc(RECORD_HEADER_BYTES);
  startFrame(bytes, 0, 0, SEAL_TYPE, 0);
  return { bytes, chain: completeFrame(bytes, 0, durableLsn, 0, chain) };
}

/** Reads a record header that starts at `offset`; undefined when there is none or it is damaged. */
export function parseRecordHeader(bytes: Buffer, offset: number): RecordHeader | undefined {
  if (offset + RECORD_HEADER_BYTES > bytes.length || bytes.readUInt32LE(offset) !== RECORD_MAGIC) return undefined;
  const check = crc32(bytes.subarray(offset, offset + CHECKED_HEADER_BYTES));
  if (bytes.readUInt32LE(offset + CHECKED_HEADER_BYTES) !== check) return undefined;
  return {
    payloadBytes: framePayloadBytes(bytes, offset),
    lsn: readUInt53(bytes, offset + 8),
    epoch: bytes.readUInt32LE(offset + 16),
    type: bytes.readUInt8(offset + 20),
    positionInBatch: bytes.readUInt16LE(offset + 22),
  };
}

/** The chain value stored in a record's header. */
export function storedChain(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset + CHAINED_HEADER_BYTES);
}

/** The chain value that the record at `offset` should have. */
export function computedChain(bytes: Buffer, offset: number, payloadBytes: number, chain: number): number {
  const payloadStart = offset + RECORD_HEADER_BYTES;
  const headerChain = crc32(bytes.subarray(offset, offset + CHAINED_HEADER_BYTES), chain);
  return crc32(bytes.subarray(payloadStart, payloadStart + payloadBytes), headerChain);
}

/**
 * What the mere existence of this header proves: records up to the returned LSN had been durable when it was written.
 * A batch is written only after the fdatasync of the one before has returned, a seal only after that of its own.
 */
export function durableBefore(header: RecordHeader): number {
  return header.type === SEAL_TYPE ? header.lsn : header.lsn - header.positionInBatch - 1;
}
