/**
 * A checkpoint of the writer's gate on disk: what the gate knew when the log had been written up to a place. Opening the
 * log then replays only what follows. All integers are little endian.
 *
 * | offset | size | field                                                                          |
 * | -----: | ---: | ------------------------------------------------------------------------------ |
 * |      0 |    4 | magic `FE 43 4B 50`                                                            |
 * |      4 |    4 | format version, 1                                                              |
 * |      8 |   16 | log id                                                                         |
 * |     24 |    4 | segment number of the place                                                    |
 * |     28 |    4 | chain value at the place                                                       |
 * |     32 |    8 | LSN: records up to this one are in the checkpoint                              |
 * |     40 |    8 | offset of the place in the segment                                             |
 * |     48 |    8 | LSN of the segment's first record                                              |
 * |     56 |    4 | chain value at the beginning of the segment                                    |
 * |     60 |    4 | length of the contents in bytes                                                |
 * |     64 |    8 | time of writing, Unix milliseconds                                             |
 * |     72 |   20 | reserved, zero                                                                 |
 * |     92 |    4 | CRC-32 of bytes 0–91                                                           |
 * |     96 |    n | contents, JSON in UTF-8: conflicts, epochs, and which pages of which sale follow |
 * |   96+n |    … | the pages, 32 KiB each: `TICKETS_PER_PAGE` doubles in the byte order that the contents name |
 * |    end |    4 | CRC-32 of everything before                                                    |
 */
import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';
import type { ReadableFile } from './files.ts';
import { readUInt53, writeUInt53 } from './format.ts';
import type { GateSnapshot } from './gate.ts';
import { CHECKPOINT_CONTENTS_BYTES_MAX } from './limits.ts';
import { readFully } from './segments.ts';
import { type SaleTickets, TICKETS_PER_PAGE, type TicketPage } from './ticket-tables.ts';

export const CHECKPOINT_VERSION = 1;
export const CHECKPOINT_HEADER_BYTES = 96;

const MAGIC = Buffer.from([0xfe, 0x43, 0x4b, 0x50]).readUInt32LE(0);
const CHECKED_HEADER_BYTES = 92;
const PAGE_BYTES = TICKETS_PER_PAGE * Float64Array.BYTES_PER_ELEMENT;
const TRAILER_BYTES = 4;

/** A place between two records of a log, and how to recognise it. */
export interface CheckpointPlace {
  readonly segmentNumber: number;
  /** Byte offset in the segment. */
  readonly offset: number;
  /** The last record before it. */
  readonly lsn: number;
  readonly chain: number;
  /** Of the header of this segment. */
  readonly segmentFirstLsn: number;
  readonly segmentChainStart: number;
}

export interface Checkpoint {
  /** 32 hexadecimal digits. */
  readonly logId: string;
  readonly place: CheckpointPlace;
  /** Unix milliseconds. */
  readonly writtenAt: number;
  readonly gate: GateSnapshot;
  /** Records up to the place that the gate objected to, and the first of them described. */
  readonly conflicts: number;
  readonly conflictSamples: readonly string[];
}

/** Why a checkpoint cannot be used. */
export interface Unusable {
  readonly why: string;
}

interface Contents {
  readonly byteOrder: 'LE' | 'BE';
  readonly conflicts: number;
  readonly conflictSamples: readonly string[];
  readonly epochs: readonly (readonly [number, number])[];
  readonly sales: readonly { readonly saleId: number; readonly pages: readonly number[] }[];
}

function encodeHeader(checkpoint: Checkpoint, contentsBytes: number): Buffer {
  const { place } = checkpoint;
  const bytes = Buffer.alloc(CHECKPOINT_HEADER_BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(CHECKPOINT_VERSION, 4);
  bytes.write(checkpoint.logId, 8, 16, 'hex');
  bytes.writeUInt32LE(place.segmentNumber, 24);
  bytes.writeUInt32LE(place.chain, 28);
  writeUInt53(bytes, place.lsn, 32);
  writeUInt53(bytes, place.offset, 40);
  writeUInt53(bytes, place.segmentFirstLsn, 48);
  bytes.writeUInt32LE(place.segmentChainStart, 56);
  bytes.writeUInt32LE(contentsBytes, 60);
  writeUInt53(bytes, checkpoint.writtenAt, 64);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CHECKED_HEADER_BYTES)), CHECKED_HEADER_BYTES);
  return bytes;
}

function asBytes(page: TicketPage): Buffer {
  return Buffer.from(page.buffer, page.byteOffset, page.byteLength);
}

/** The bytes of a checkpoint, piece by piece: the pages are not copied, and may belong to the gate. */
export function* encodeCheckpoint(checkpoint: Checkpoint): Generator<Buffer, void, void> {
  const { gate, conflicts, conflictSamples } = checkpoint;
  const sales = gate.sales.map(({ saleId, pages }) => ({ saleId, pages: pages.map(([pageNumber]) => pageNumber) }));
  const described: Contents = { byteOrder: endianness(), conflicts, conflictSamples, epochs: gate.epochs, sales };
  const contents = Buffer.from(JSON.stringify(described));
  const header = encodeHeader(checkpoint, contents.length);
  let check = crc32(contents, crc32(header));
  yield header;
  yield contents;
  for (const { pages } of gate.sales) {
    for (const [, page] of pages) {
      const bytes = asBytes(page);
      check = crc32(bytes, check);
      yield bytes;
    }
  }
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32LE(check);
  yield trailer;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isPair(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((each) => Number.isSafeInteger(each));
}

function isSale(value: unknown): value is Contents['sales'][number] {
  if (typeof value !== 'object' || value === null || !('saleId' in value) || !('pages' in value)) return false;
  return Number.isSafeInteger(value.saleId) && Array.isArray(value.pages) && value.pages.every(isCount);
}

/** The contents, or undefined when they are not what this version writes. */
function parseContents(bytes: Buffer): Contents | undefined {
  let contents: Partial<Record<keyof Contents, unknown>>;
  try {
    contents = JSON.parse(bytes.toString());
  } catch {
    // Damaged: the checksum behind it would say the same.
    return undefined;
  }
  const { byteOrder, conflicts, conflictSamples, epochs, sales } = contents;
  if (byteOrder !== 'LE' && byteOrder !== 'BE') return undefined;
  if (!isCount(conflicts) || !Array.isArray(conflictSamples)) return undefined;
  if (!Array.isArray(epochs) || !epochs.every(isPair)) return undefined;
  if (!Array.isArray(sales) || !sales.every(isSale)) return undefined;
  return { byteOrder, conflicts, conflictSamples: conflictSamples.map(String), epochs, sales };
}

interface ParsedHeader {
  readonly logId: string;
  readonly place: CheckpointPlace;
  readonly contentsBytes: number;
  readonly writtenAt: number;
}

function parseHeader(bytes: Buffer): ParsedHeader | Unusable {
  if (bytes.length < CHECKPOINT_HEADER_BYTES) return { why: 'it is too short' };
  if (bytes.readUInt32LE(0) !== MAGIC) return { why: 'it does not begin with its magic number' };
  if (bytes.readUInt32LE(CHECKED_HEADER_BYTES) !== crc32(bytes.subarray(0, CHECKED_HEADER_BYTES))) {
    return { why: 'the checksum of its header does not match' };
  }
  const version = bytes.readUInt32LE(4);
  if (version !== CHECKPOINT_VERSION) return { why: `its format ${version} is not known here` };
  return {
    logId: bytes.toString('hex', 8, 24),
    place: {
      segmentNumber: bytes.readUInt32LE(24),
      chain: bytes.readUInt32LE(28),
      lsn: readUInt53(bytes, 32),
      offset: readUInt53(bytes, 40),
      segmentFirstLsn: readUInt53(bytes, 48),
      segmentChainStart: bytes.readUInt32LE(56),
    },
    contentsBytes: bytes.readUInt32LE(60),
    writtenAt: readUInt53(bytes, 64),
  };
}

/** Reads a file from its beginning and keeps the checksum of what it has read. */
class CheckedReader {
  check = 0;
  readonly #file: ReadableFile;
  #at = 0;

  constructor(file: ReadableFile) {
    this.#file = file;
  }

  async read(into: Buffer): Promise<Buffer> {
    const bytes = into.subarray(0, await readFully(this.#file, into, this.#at));
    this.#at += bytes.length;
    this.check = crc32(bytes, this.check);
    return bytes;
  }
}

export interface ReadCheckpointOptions {
  /** Verify the pages, but do not keep them: the gate of the result knows no tickets. */
  readonly withoutTickets?: boolean;
}

async function readSales(
  reader: CheckedReader,
  sales: Contents['sales'],
  { withoutTickets = false }: ReadCheckpointOptions,
): Promise<SaleTickets[]> {
  const read: SaleTickets[] = [];
  let page: TicketPage = new Float64Array(TICKETS_PER_PAGE);
  for (const { saleId, pages } of sales) {
    const tickets: [number, TicketPage][] = [];
    for (const pageNumber of pages) {
      await reader.read(asBytes(page));
      if (withoutTickets) continue;
      tickets.push([pageNumber, page]);
      page = new Float64Array(TICKETS_PER_PAGE);
    }
    read.push({ saleId, pages: tickets });
  }
  return read;
}

/**
 * Reads a checkpoint and verifies every byte of it, in the memory that its gate takes.
 * @throws what the file system throws; damage is a result
 */
export async function readCheckpoint(
  file: ReadableFile,
  options: ReadCheckpointOptions = {},
): Promise<Checkpoint | Unusable> {
  const reader = new CheckedReader(file);
  const header = parseHeader(await reader.read(Buffer.alloc(CHECKPOINT_HEADER_BYTES)));
  if ('why' in header) return header;
  if (header.contentsBytes > CHECKPOINT_CONTENTS_BYTES_MAX) return { why: 'its contents are impossibly long' };
  const contents = parseContents(await reader.read(Buffer.alloc(header.contentsBytes)));
  if (contents === undefined) return { why: 'its contents are damaged' };
  if (contents.byteOrder !== endianness()) return { why: 'it was written on a machine of the other byte order' };
  const pages = contents.sales.reduce((sum, sale) => sum + sale.pages.length, 0);
  const expectedBytes = CHECKPOINT_HEADER_BYTES + header.contentsBytes + pages * PAGE_BYTES + TRAILER_BYTES;
  const bytes = await file.size();
  if (bytes !== expectedBytes) return { why: `it has ${bytes} bytes instead of ${expectedBytes}` };
  const sales = await readSales(reader, contents.sales, options);
  const { check } = reader;
  const trailer = await reader.read(Buffer.alloc(TRAILER_BYTES));
  if (trailer.length < TRAILER_BYTES || trailer.readUInt32LE() !== check) return { why: 'its checksum does not match' };
  const { logId, place, writtenAt } = header;
  const { conflicts, conflictSamples, epochs } = contents;
  return { logId, place, writtenAt, gate: { sales, epochs }, conflicts, conflictSamples };
}
