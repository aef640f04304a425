/**
 * Walks a log from a record to its end in constant memory and verifies every byte on the way: the one implementation
 * below the reader, recovery and inspection.
 *
 * It may run beside the writer. Bytes of the end may then be half written when they are read, so before it calls them
 * damaged it reads them again, after it has seen whatever vouches for them: by then they were complete.
 */
import { dirname } from 'node:path';
import { type Damage, OrderLogCorruptError } from './errors.ts';
import { isNoSuchFile, type ReadableFile, type ReadableFiles } from './files.ts';
import {
  CHAIN_START,
  computedChain,
  parseRecordHeader,
  RECORD_HEADER_BYTES,
  RECORD_MAGIC,
  SEAL_TYPE,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  storedChain,
} from './format.ts';
import { PAYLOAD_BYTES_MAX, READ_CHUNK_BYTES } from './limits.ts';
import { findLogStart, type LogStart, trimmedError } from './log-start.ts';
import { type DurabilityProof, type Leftover, searchTail } from './proof.ts';
import { findSegmentHeader, listSegments, readFully, segmentPath } from './segments.ts';

export interface ScannedRecord {
  readonly lsn: number;
  /** A number of `RECORD_TYPES`. */
  readonly type: number;
  /** Valid until the next call of `next`. */
  readonly payload: Buffer;
}

/** The place behind the last record that was read. */
export interface LogPosition {
  /** 0 when the log has no segment yet. */
  readonly segmentNumber: number;
  readonly offset: number;
  readonly chain: number;
  readonly lsn: number;
  /** From here on everything may be in the page cache only: the last batch, with a seal right before it; or the last seal. */
  readonly unsyncedOffset: number;
  /** A seal proves that the last batch had been durable. */
  readonly sealed: boolean;
  /** Of the segment's header. */
  readonly segmentFirstLsn: number;
  readonly segmentChainStart: number;
}

/** A place that a scan should come through, since a checkpoint says that the log had been written up to there. */
export interface AwaitedPlace {
  readonly segmentNumber: number;
  readonly offset: number;
  readonly lsn: number;
  readonly chain: number;
}

type Step = { readonly kind: 'read'; readonly bytes: number } | { readonly kind: 'more' } | Stop;
interface Stop {
  readonly kind: 'stop';
  readonly what: string;
}

const stop = (what: string): Stop => ({ kind: 'stop', what });

export class LogScanner {
  readonly #files: ReadableFiles;
  readonly #directory: string;
  #file: ReadableFile | undefined;
  #segmentNumber = 0;
  #logId: string | undefined;
  #lsn = 0;
  #chain = CHAIN_START;
  #unsyncedOffset = 0;
  #nextPositionInBatch = 0;
  #sealed = false;
  #segmentFirstLsn = 1;
  #segmentChainStart = CHAIN_START;
  #awaited: AwaitedPlace | undefined;
  #cameThrough = false;
  /** Offset in the file where the next record should begin. */
  #offset = 0;
  #buffer: Buffer = Buffer.allocUnsafeSlow(READ_CHUNK_BYTES);
  #bufferOffset = 0;
  #bufferedBytes = 0;
  #bufferReachesEnd = false;
  #finishedBytes = 0;
  #found: ScannedRecord[] = [];
  #leftovers: readonly Leftover[] = [];

  private constructor(files: ReadableFiles, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  /**
   * Starts in the newest segment that holds the record after `afterLsn`: `next` may return earlier ones first.
   * @throws {OrderLogError} `trimmed` when that record was removed from the log
   */
  static async open(files: ReadableFiles, directory: string, afterLsn = 0): Promise<LogScanner> {
    const start = await findLogStart(files, directory);
    if (afterLsn + 1 < start.firstLsn) throw trimmedError(directory, afterLsn + 1, start);
    const newest = afterLsn === 0 ? undefined : await findNewest(files, directory, afterLsn);
    return LogScanner.openAt(files, directory, newest === undefined ? start : { ...newest, logId: undefined });
  }

  /**
   * Starts at the beginning of a segment, whatever comes before it.
   * @param awaited see `cameThrough`
   */
  static openAt(files: ReadableFiles, directory: string, start: LogStart, awaited?: AwaitedPlace): LogScanner {
    const scanner = new LogScanner(files, directory);
    scanner.#segmentNumber = start.segmentNumber - 1;
    scanner.#lsn = start.firstLsn - 1;
    scanner.#chain = start.chainStart;
    scanner.#logId = start.logId;
    scanner.#awaited = awaited;
    return scanner;
  }

  /** Whether the scan has come through the awaited place, with the LSN and the chain value that it should have there. */
  get cameThrough(): boolean {
    return this.#cameThrough;
  }

  /** Undefined as long as nothing says so. */
  get logId(): string | undefined {
    return this.#logId;
  }

  get position(): LogPosition {
    return {
      segmentNumber: this.#segmentNumber,
      offset: this.#offset,
      chain: this.#chain,
      lsn: this.#lsn,
      unsyncedOffset: this.#unsyncedOffset,
      sealed: this.#sealed,
      segmentFirstLsn: this.#segmentFirstLsn,
      segmentChainStart: this.#segmentChainStart,
    };
  }

  /** Bytes of valid data passed so far, headers included. */
  get dataBytes(): number {
    return this.#finishedBytes + this.#offset;
  }

  /** What lies behind the end, known once `next` has returned nothing: empty, or a torn end. */
  get leftovers(): readonly Leftover[] {
    return this.#leftovers;
  }

  /**
   * The next records, at most a chunk full; none at the end. May be called again later, when there may be more.
   * @throws {OrderLogCorruptError} when records that had been durable cannot be read
   */
  async next(): Promise<readonly ScannedRecord[]> {
    this.#found = [];
    let stopped = await this.#readOn();
    while (stopped !== undefined && this.#found.length === 0) {
      if (!(await this.#enterNextSegment())) {
        if (!(await this.#isPassable(stopped))) break;
      }
      stopped = await this.#readOn();
    }
    return this.#found;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#bufferedBytes = 0;
    await file?.close();
  }

  /** Parses what is buffered and reads on until there is something to return; a stop is only believed when read twice. */
  async #readOn(): Promise<Stop | undefined> {
    if (this.#file === undefined) return stop('there is no segment');
    let fresh = false;
    for (;;) {
      const step = this.#parse();
      if (step.kind === 'read') {
        this.#advance(step.bytes);
        continue;
      }
      if (this.#found.length > 0) return undefined;
      if (step.kind === 'stop' && fresh) return step;
      await this.#fill();
      fresh = true;
    }
  }

  #advance(bytes: number): void {
    this.#offset += bytes;
    const awaited = this.#awaited;
    if (awaited === undefined || awaited.offset !== this.#offset) return;
    if (awaited.segmentNumber !== this.#segmentNumber) return;
    this.#cameThrough = awaited.lsn === this.#lsn && awaited.chain === this.#chain;
  }

  /** Reads a chunk, or one larger record, from the current offset on. */
  async #fill(): Promise<void> {
    if (this.#file === undefined) return;
    const header = parseRecordHeader(this.#buffered(), 0);
    const atStart = this.#bufferOffset === this.#offset;
    const needed = atStart && header !== undefined ? RECORD_HEADER_BYTES + header.payloadBytes : 0;
    const size =
      needed > READ_CHUNK_BYTES && needed <= RECORD_HEADER_BYTES + PAYLOAD_BYTES_MAX ? needed : READ_CHUNK_BYTES;
    if (this.#buffer.length !== size) this.#buffer = Buffer.allocUnsafeSlow(size);
    this.#bufferOffset = this.#offset;
    this.#bufferedBytes = await readFully(this.#file, this.#buffer, this.#offset);
    this.#bufferReachesEnd = this.#bufferedBytes < size;
  }

  #buffered(): Buffer {
    return this.#buffer.subarray(0, this.#bufferedBytes);
  }

  /** Verifies the record at the current offset and takes it in. */
  #parse(): Step {
    const bytes = this.#buffered();
    const at = this.#offset - this.#bufferOffset;
    const available = bytes.length - at;
    const more = (): Step => (this.#bufferReachesEnd ? stop('the file ends within the record') : { kind: 'more' });
    if (available <= 0 && this.#bufferReachesEnd) return stop('the file ends here');
    if (available < RECORD_HEADER_BYTES) return more();
    const magic = bytes.readUInt32LE(at);
    if (magic === 0) return stop('there are zeros instead of the record');
    if (magic !== RECORD_MAGIC) return stop('the record does not begin with its magic number');
    const header = parseRecordHeader(bytes, at);
    if (header === undefined) return stop("the checksum of the record's header does not match");
    const isSeal = header.type === SEAL_TYPE;
    if (header.lsn !== (isSeal ? this.#lsn : this.#lsn + 1)) return stop(`record ${header.lsn} is in its place`);
    if (header.payloadBytes > PAYLOAD_BYTES_MAX)
      return stop(`its length of ${header.payloadBytes} bytes is impossible`);
    if (header.positionInBatch !== 0 && header.positionInBatch !== this.#nextPositionInBatch) {
      return stop(`its position in the batch is ${header.positionInBatch} instead of ${this.#nextPositionInBatch}`);
    }
    const length = RECORD_HEADER_BYTES + header.payloadBytes;
    if (available < length) return more();
    const chain = computedChain(bytes, at, header.payloadBytes, this.#chain);
    if (chain !== storedChain(bytes, at)) return stop("the record's checksum does not match");

    this.#chain = chain;
    // A seal is written without a sync: it reaches the disk together with the batch behind it, or not at all.
    const withSealBefore = this.#sealed && !isSeal;
    if (header.positionInBatch === 0 && !withSealBefore) this.#unsyncedOffset = this.#offset;
    this.#sealed = isSeal;
    if (isSeal) {
      this.#nextPositionInBatch = 0;
    } else {
      this.#lsn = header.lsn;
      this.#nextPositionInBatch = header.positionInBatch + 1;
      const payload = bytes.subarray(at + RECORD_HEADER_BYTES, at + length);
      this.#found.push({ lsn: header.lsn, type: header.type, payload });
    }
    return { kind: 'read', bytes: length };
  }

  /** Goes to the next segment if it continues this one; returns whether there is something new to parse. */
  async #enterNextSegment(): Promise<boolean> {
    const nextNumber = this.#segmentNumber + 1;
    const header = await findSegmentHeader(this.#files, this.#directory, nextNumber);
    if (header === undefined) return false;
    if (this.#logId !== undefined && header.logId !== this.#logId) {
      const path = segmentPath(this.#directory, nextNumber);
      const what = `it belongs to log ${header.logId}, not to ${this.#logId}`;
      throw new OrderLogCorruptError(
        { file: path, offset: 0, lsn: this.#lsn + 1, what },
        `${path} belongs to log ${header.logId}, not to ${this.#logId}: take it away.`,
      );
    }
    // Also when the writer has added to this segment, and then begun the next, since this one's end was read.
    if (header.firstLsn !== this.#lsn + 1 || header.chainStart !== this.#chain) return false;
    const file = await this.#openIfThere(nextNumber);
    if (file === undefined) return false;
    this.#finishedBytes += this.#offset;
    await this.close();
    this.#file = file;
    this.#logId = header.logId;
    this.#segmentNumber = nextNumber;
    this.#segmentFirstLsn = header.firstLsn;
    this.#segmentChainStart = header.chainStart;
    this.#offset = 0;
    this.#advance(SEGMENT_HEADER_BYTES);
    this.#bufferOffset = SEGMENT_HEADER_BYTES;
    this.#bufferReachesEnd = false;
    this.#unsyncedOffset = 0;
    this.#nextPositionInBatch = 0;
    this.#sealed = false;
    return true;
  }

  /** Beside a live writer a segment may be trimmed just after its header was read. */
  async #openIfThere(segmentNumber: number): Promise<ReadableFile | undefined> {
    try {
      return await this.#files.openForReading(segmentPath(this.#directory, segmentNumber));
    } catch (error) {
      if (isNoSuchFile(error)) return undefined;
      throw error;
    }
  }

  #continuesHere(): boolean {
    if (this.#file === undefined) return false;
    const step = this.#parse();
    if (step.kind === 'read') this.#advance(step.bytes);
    return step.kind !== 'stop';
  }

  /** Whether the stop was only a matter of timing. Otherwise it is the end, or it throws. */
  async #isPassable(stopped: Stop): Promise<boolean> {
    // Before the first segment was read, the place is the beginning of that segment.
    const none = this.#file === undefined;
    const segmentNumber = none ? this.#segmentNumber + 1 : this.#segmentNumber;
    const offset = none ? 0 : this.#offset;
    const lsn = this.#lsn + 1;
    const { proof, leftovers } = await searchTail(this.#files, this.#directory, { segmentNumber, offset }, lsn);
    this.#leftovers = leftovers;
    if (proof === undefined) return false;
    if (none && (await this.#beginsAt(segmentNumber))) return true;
    await this.#fill();
    if (this.#continuesHere()) return true;
    const start = await findLogStart(this.#files, this.#directory);
    if (start.firstLsn > lsn) throw trimmedError(this.#directory, lsn, start);
    const file = segmentPath(this.#directory, segmentNumber);
    const atNext = none || (await this.#isNextMissing(file, proof));
    throw corruption(atNext ? this.#missingSegment() : { file, offset, lsn, what: stopped.what }, proof);
  }

  /**
   * Whether it is the next segment that is at fault: this one ends like a finished one, and there is no next one though
   * there are later ones.
   */
  async #isNextMissing(file: string, proof: DurabilityProof): Promise<boolean> {
    if (!this.#sealed || proof.file === file) return false;
    return (await findSegmentHeader(this.#files, this.#directory, this.#segmentNumber + 1)) === undefined;
  }

  #missingSegment(): Damage {
    const file = segmentPath(this.#directory, this.#segmentNumber + 1);
    return { file, offset: 0, lsn: this.#lsn + 1, what: 'the segment is missing or its header is damaged' };
  }

  /** A log that was being created just now. */
  async #beginsAt(segmentNumber: number): Promise<boolean> {
    const header = await findSegmentHeader(this.#files, this.#directory, segmentNumber);
    return header?.firstLsn === this.#lsn + 1 && header.chainStart === this.#chain;
  }
}

async function findNewest(
  files: ReadableFiles,
  directory: string,
  afterLsn: number,
): Promise<SegmentHeader | undefined> {
  for (const segmentNumber of (await listSegments(files, directory)).reverse()) {
    const header = await findSegmentHeader(files, directory, segmentNumber);
    if (header !== undefined && header.firstLsn <= afterLsn + 1) return header;
  }
  return undefined;
}

/** The error for damage that cannot be a torn end. */
export function corruption(damage: Damage, proof: DurabilityProof): OrderLogCorruptError {
  const { file, offset, lsn, what } = damage;
  const directory = dirname(file);
  return new OrderLogCorruptError(
    damage,
    `The order log is corrupt at ${file}, offset ${offset}, record ${lsn}: ${what}. ` +
      `It is not a torn end: ${proof.file}, offset ${proof.offset}, shows that everything up to record ` +
      `${proof.durableLsn} had been on disk. Nothing was changed. Keep a copy of the whole directory, restore the ` +
      `file from a backup, snapshot or archive that reaches record ${proof.durableLsn}, and start again; ` +
      `\`fest log verify\` shows what is readable, and \`fest audit\` which of the lost orders are already in MySQL. ` +
      `If there is no such copy, give the server a new log directory and replay what is readable of this one with ` +
      `\`fest log replay --dir ${directory} --retire\`; never go on writing here, the lost records' numbers are taken.`,
  );
}
