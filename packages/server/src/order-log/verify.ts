/**
 * Reads every byte of an order log and says what is there and what is wrong, for people and for `fest log verify`. In
 * constant memory, beside a live writer or without one; changes nothing. Unlike opening the log it goes on behind damage.
 */
import { basename } from 'node:path';
import type { CheckpointPlace } from './checkpoint-format.ts';
import { checkpointPath, listCheckpoints, loadCheckpoint } from './checkpoints.ts';
import { OrderLogCorruptError } from './errors.ts';
import { asyncFiles } from './files.ts';
import { findLogStart, type LogStart } from './log-start.ts';
import { type OrderLogRecordType, RECORD_TYPES } from './records.ts';
import { corruption, LogScanner } from './scanner.ts';
import { findSegmentHeader, listSegments, segmentName, segmentPath } from './segments.ts';

/** A place where records that had been durable cannot be read. */
export interface LogDamage {
  readonly file: string;
  /** Byte offset in the file. */
  readonly offset: number;
  /** The first record that cannot be read. */
  readonly lsn: number;
  /** The last one, as far as is known. */
  readonly throughLsn?: number;
  /** The reason in plain words. */
  readonly what: string;
  /** What to do about it. */
  readonly advice: string;
}

/**
 * - `verified`: every record is intact, and the next segment goes on exactly where this one ends.
 * - `torn`: intact up to an end that was being written when the process or the machine died; opening the log cuts it off.
 *   Beside a live writer it is the batch in flight.
 * - `damaged`: see the damage.
 * - `missing`: there is no such file, though there should be.
 * - `empty`: preallocated, not in use yet.
 */
export type SegmentState = 'verified' | 'torn' | 'damaged' | 'missing' | 'empty';

/** How many records of each type; types that this release does not know are named `type <number>`. */
export type RecordCounts = Readonly<Partial<Record<OrderLogRecordType | `type ${number}`, number>>>;

export interface SegmentVerification {
  readonly name: string;
  readonly segmentNumber: number;
  readonly state: SegmentState;
  /** Size of the file, preallocated zeros included; 0 when it is missing. */
  readonly bytes: number;
  /** LSN of its first record, or of the one it will have; absent when its header cannot be read or is not written yet. */
  readonly firstLsn?: number;
  /** The last record that could be verified; absent without one. */
  readonly lastLsn?: number;
  readonly records: number;
  readonly recordsByType: RecordCounts;
  readonly payloadBytes: number;
  readonly damage?: LogDamage;
}

export interface CheckpointVerification {
  readonly name: string;
  /** Records up to this one are in it; absent when it cannot be used. */
  readonly lsn?: number;
  /** Why it cannot be used. The log opens without, more slowly; a trimmed one needs at least one. */
  readonly unusable?: string;
}

export interface OrderLogVerification {
  /** No damage. A torn end is not damage. */
  readonly ok: boolean;
  /** Absent when there is no log yet. */
  readonly logId?: string;
  /** Ascending; segments that were trimmed are not among them. */
  readonly segments: readonly SegmentVerification[];
  /** Records that could be verified, and what is known about them all together. */
  readonly records: number;
  readonly recordsByType: RecordCounts;
  readonly payloadBytes: number;
  /** 0 when there are no records. */
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** The last record that was trimmed; absent when none was. */
  readonly trimmedThroughLsn?: number;
  /** Bytes of valid data, headers included, without preallocated zeros. */
  readonly dataBytes: number;
  /** Bytes behind the last valid record that opening the log would cut off. */
  readonly tornBytes: number;
  readonly tornAt?: { readonly file: string; readonly offset: number };
  /** Newest first. */
  readonly checkpoints: readonly CheckpointVerification[];
  /** In the order of the log. Opening the log will fail with the first, unless a checkpoint lies behind it. */
  readonly damage: readonly LogDamage[];
}

export interface VerifyProgress {
  /** The segment that is being read. */
  readonly segmentNumber: number;
  /** The last record that was verified. */
  readonly lsn: number;
  readonly records: number;
  /** Bytes of segments read so far, and of all of them. */
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface VerifyOptions {
  /** Called for every chunk that was read, some 256 KiB. */
  readonly onProgress?: (progress: VerifyProgress) => void;
}

class SegmentTally {
  readonly segmentNumber: number;
  readonly bytes: number;
  readonly firstLsn: number | undefined;
  lastLsn: number | undefined;
  records = 0;
  payloadBytes = 0;
  damage: LogDamage | undefined;
  readonly #byType = new Map<number, number>();

  constructor(segmentNumber: number, bytes: number, firstLsn: number | undefined) {
    this.segmentNumber = segmentNumber;
    this.bytes = bytes;
    this.firstLsn = firstLsn;
  }

  take(lsn: number, type: number, payloadBytes: number): void {
    this.lastLsn = lsn;
    this.records += 1;
    this.payloadBytes += payloadBytes;
    this.#byType.set(type, (this.#byType.get(type) ?? 0) + 1);
  }

  get byType(): ReadonlyMap<number, number> {
    return this.#byType;
  }

  result(state: SegmentState): SegmentVerification {
    const { segmentNumber, bytes, firstLsn, lastLsn, records, payloadBytes, damage } = this;
    return {
      name: segmentName(segmentNumber),
      segmentNumber,
      state,
      bytes,
      ...(firstLsn === undefined ? {} : { firstLsn }),
      ...(lastLsn === undefined ? {} : { lastLsn }),
      records,
      recordsByType: namedCounts([this.#byType]),
      payloadBytes,
      ...(damage === undefined ? {} : { damage }),
    };
  }
}

function nameOfType(type: number): OrderLogRecordType | `type ${number}` {
  for (const [name, number] of Object.entries(RECORD_TYPES)) if (number === type) return name as OrderLogRecordType;
  return `type ${type}`;
}

function namedCounts(counts: readonly ReadonlyMap<number, number>[]): RecordCounts {
  const named: Partial<Record<string, number>> = {};
  for (const each of counts) {
    for (const [type, count] of each) named[nameOfType(type)] = (named[nameOfType(type)] ?? 0) + count;
  }
  return named;
}

function segmentNumberOf(file: string): number {
  return Number.parseInt(basename(file), 10);
}

class Verifier {
  readonly #directory: string;
  readonly #onProgress: (progress: VerifyProgress) => void;
  readonly #tallies = new Map<number, SegmentTally>();
  /** The place of the newest usable checkpoint: the log has been written at least up to there. */
  #awaited: { readonly place: CheckpointPlace; readonly file: string } | undefined;
  #cameThrough = false;
  #logId: string | undefined;
  #lastLsn = 0;
  #records = 0;
  #dataBytes = 0;
  #totalBytes = 0;
  #tornBytes = 0;
  #tornAt: { readonly file: string; readonly offset: number; readonly segmentNumber: number } | undefined;

  constructor(directory: string, onProgress: (progress: VerifyProgress) => void) {
    this.#directory = directory;
    this.#onProgress = onProgress;
  }

  async run(): Promise<OrderLogVerification> {
    const start = await findLogStart(asyncFiles, this.#directory);
    this.#logId = start.logId;
    await this.#listSegments(start);
    const checkpoints = await this.#verifyCheckpoints();
    for (let next: LogStart | undefined = start; next !== undefined; ) next = await this.#scanFrom(next);
    this.#holdAgainstCheckpoint();
    return this.#result(start, checkpoints);
  }

  async #listSegments(start: LogStart): Promise<void> {
    for (const segmentNumber of await listSegments(asyncFiles, this.#directory)) {
      const header = await findSegmentHeader(asyncFiles, this.#directory, segmentNumber);
      const file = await asyncFiles.openForReading(segmentPath(this.#directory, segmentNumber));
      const bytes = await file.size();
      await file.close();
      this.#logId ??= header?.logId;
      this.#totalBytes += bytes;
      this.#tallies.set(segmentNumber, new SegmentTally(segmentNumber, bytes, header?.firstLsn));
    }
    const highest = Math.max(start.segmentNumber - 1, ...this.#tallies.keys());
    for (let segmentNumber = start.segmentNumber; segmentNumber <= highest; segmentNumber += 1) {
      if (!this.#tallies.has(segmentNumber)) {
        this.#tallies.set(segmentNumber, new SegmentTally(segmentNumber, 0, undefined));
      }
    }
  }

  async #verifyCheckpoints(): Promise<CheckpointVerification[]> {
    const verified: CheckpointVerification[] = [];
    for (const sequence of await listCheckpoints(asyncFiles, this.#directory)) {
      const file = checkpointPath(this.#directory, sequence);
      const name = basename(file);
      const checkpoint = await loadCheckpoint(asyncFiles, this.#directory, sequence, { withoutTickets: true });
      // The writer has replaced it in the meantime.
      if (checkpoint === undefined) continue;
      if ('why' in checkpoint) {
        verified.push({ name, unusable: checkpoint.why });
      } else if (this.#logId !== undefined && checkpoint.logId !== this.#logId) {
        verified.push({ name, unusable: `it belongs to log ${checkpoint.logId}` });
      } else {
        verified.push({ name, lsn: checkpoint.place.lsn });
        this.#awaited ??= { place: checkpoint.place, file };
      }
    }
    return verified;
  }

  /** Reads to the end, or to damage; returns where to go on behind that. */
  async #scanFrom(start: LogStart): Promise<LogStart | undefined> {
    const scanner = LogScanner.openAt(asyncFiles, this.#directory, start, this.#awaited?.place);
    try {
      for (let batch = await scanner.next(); batch.length > 0; batch = await scanner.next()) {
        const { segmentNumber, offset } = scanner.position;
        const tally = this.#tallyOf(segmentNumber);
        for (const { lsn, type, payload } of batch) {
          tally.take(lsn, type, payload.length);
          this.#lastLsn = lsn;
        }
        this.#records += batch.length;
        this.#progress(segmentNumber, offset);
      }
      this.#noticeTornEnd(scanner);
      return undefined;
    } catch (error) {
      if (!(error instanceof OrderLogCorruptError)) throw error;
      return await this.#goOnBehind(error);
    } finally {
      await scanner.close();
      this.#cameThrough ||= scanner.cameThrough;
      this.#dataBytes += scanner.dataBytes;
      this.#logId ??= scanner.logId;
    }
  }

  /** A segment may come into being while the log is read. */
  #tallyOf(segmentNumber: number): SegmentTally {
    let tally = this.#tallies.get(segmentNumber);
    if (tally === undefined) {
      tally = new SegmentTally(segmentNumber, 0, this.#lastLsn + 1);
      this.#tallies.set(segmentNumber, tally);
    }
    return tally;
  }

  #progress(segmentNumber: number, offset: number): void {
    let before = 0;
    for (const tally of this.#tallies.values()) if (tally.segmentNumber < segmentNumber) before += tally.bytes;
    this.#onProgress({
      segmentNumber,
      lsn: this.#lastLsn,
      records: this.#records,
      bytes: before + offset,
      totalBytes: this.#totalBytes,
    });
  }

  #noticeTornEnd({ leftovers }: LogScanner): void {
    const [first] = leftovers;
    if (first === undefined) return;
    const { segmentNumber, from: offset } = first;
    this.#tornBytes = leftovers.reduce((sum, { from, to }) => sum + to - from, 0);
    this.#tornAt = { file: segmentPath(this.#directory, segmentNumber), offset, segmentNumber };
  }

  /** Notes the damage, and looks for the next segment that says where it begins. */
  async #goOnBehind(error: OrderLogCorruptError): Promise<LogStart | undefined> {
    const damagedNumber = segmentNumberOf(error.file);
    for (let segmentNumber = damagedNumber + 1; this.#tallies.has(segmentNumber); segmentNumber += 1) {
      const header = await findSegmentHeader(asyncFiles, this.#directory, segmentNumber);
      const isNext =
        header !== undefined && header.logId === (this.#logId ?? header.logId) && header.firstLsn > error.lsn;
      if (isNext) {
        this.#noteDamage(error, header.firstLsn - 1);
        this.#noteUnreadable(damagedNumber + 1, segmentNumber, error.lsn, header.firstLsn - 1);
        return header;
      }
    }
    this.#noteDamage(error, undefined);
    return undefined;
  }

  #noteDamage({ file, offset, lsn, what }: OrderLogCorruptError, throughLsn: number | undefined): void {
    const advice = this.#advice(basename(file), lsn, throughLsn);
    const damage = { file, offset, lsn, ...(throughLsn === undefined ? {} : { throughLsn }), what, advice };
    this.#tallyOf(segmentNumberOf(file)).damage ??= damage;
  }

  /** Segments between damage and the next intact header: their own headers are damaged, or the files are missing. */
  #noteUnreadable(from: number, before: number, lsn: number, throughLsn: number): void {
    for (let segmentNumber = from; segmentNumber < before; segmentNumber += 1) {
      const file = segmentPath(this.#directory, segmentNumber);
      const what = 'the segment is missing or its header is damaged';
      const advice = this.#advice(segmentName(segmentNumber), lsn, throughLsn);
      this.#tallyOf(segmentNumber).damage ??= { file, offset: 0, lsn, throughLsn, what, advice };
    }
  }

  #advice(name: string, lsn: number, throughLsn: number | undefined): string {
    const lost = throughLsn === undefined ? `the records from ${lsn} on` : `records ${lsn} to ${throughLsn}`;
    const reaching = throughLsn === undefined ? ' that has these records' : '';
    const id = this.#logId ?? '<log id>';
    return (
      `Stop the server and keep a copy of ${this.#directory}. Put an intact copy of ${name}${reaching} in its place: from ` +
      `the archive (<archive directory>/${id}/${name}), a backup or a snapshot. If there is none, ${lost} are lost here: ` +
      `\`fest audit\` says which of their orders are in MySQL; give the server a new log directory, and bring what can be ` +
      `read of this one into MySQL with \`fest log replay --dir ${this.#directory} --retire\`.`
    );
  }

  /** A checkpoint knows how far the log had been on disk: if the log ends before, records are lost. */
  #holdAgainstCheckpoint(): void {
    const hasDamage = [...this.#tallies.values()].some(({ damage }) => damage !== undefined);
    if (this.#awaited === undefined || this.#cameThrough || hasDamage) return;
    const { place, file: proof } = this.#awaited;
    const last = [...this.#tallies.values()].findLast(({ records }) => records > 0);
    const segmentNumber = last?.segmentNumber ?? place.segmentNumber;
    const file = segmentPath(this.#directory, segmentNumber);
    const what =
      this.#lastLsn < place.lsn
        ? `the log ends here, but ${basename(proof)} knows record ${place.lsn}, as if an older copy had been put in its place`
        : `these are other records than those that ${basename(proof)} knows`;
    const lsn = Math.min(this.#lastLsn + 1, place.lsn);
    this.#noteDamage(
      corruption({ file, offset: 0, lsn, what }, { file: proof, offset: 0, durableLsn: place.lsn }),
      place.lsn,
    );
  }

  #stateOf(tally: SegmentTally): SegmentState {
    if (tally.bytes === 0 && tally.records === 0) return 'missing';
    if (tally.damage !== undefined) return 'damaged';
    if (tally.segmentNumber === this.#tornAt?.segmentNumber) return 'torn';
    return tally.firstLsn === undefined ? 'empty' : 'verified';
  }

  #result(start: LogStart, checkpoints: readonly CheckpointVerification[]): OrderLogVerification {
    const tallies = [...this.#tallies.values()].sort((a, b) => a.segmentNumber - b.segmentNumber);
    const damage = tallies.flatMap((tally) => tally.damage ?? []);
    const tornAt = this.#tornAt;
    return {
      ok: damage.length === 0,
      ...(this.#logId === undefined ? {} : { logId: this.#logId }),
      segments: tallies.map((tally) => tally.result(this.#stateOf(tally))),
      records: this.#records,
      recordsByType: namedCounts(tallies.map(({ byType }) => byType)),
      payloadBytes: tallies.reduce((sum, { payloadBytes }) => sum + payloadBytes, 0),
      firstLsn: this.#records === 0 ? 0 : (tallies.find(({ records }) => records > 0)?.firstLsn ?? 0),
      lastLsn: this.#lastLsn,
      ...(start.firstLsn === 1 ? {} : { trimmedThroughLsn: start.firstLsn - 1 }),
      dataBytes: this.#dataBytes,
      tornBytes: this.#tornBytes,
      ...(tornAt === undefined ? {} : { tornAt: { file: tornAt.file, offset: tornAt.offset } }),
      checkpoints,
      damage,
    };
  }
}

/**
 * Verifies a log: every record of every segment, and the checkpoints. Damage is in the result; a directory without a log
 * has no segments and is all right.
 * @throws {OrderLogError} `trimmed` when the log is trimmed meanwhile (verify it again); or what the file system throws
 */
export function verifyOrderLog(directory: string, options: VerifyOptions = {}): Promise<OrderLogVerification> {
  return new Verifier(directory, options.onProgress ?? (() => undefined)).run();
}
