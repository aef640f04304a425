/**
 * How fast an order log is read, verified and opened, and in how much memory. By hand:
 *
 *     node scripts/bench-order-log.ts                          # 1,000,000 records, some 400 MB in the temporary folder
 *     node scripts/bench-order-log.ts --records 10000000       # some 4 GB
 *
 * Every record is a paid order of two tickets, the kind that opening has to replay. The log is written here, with the
 * log's own format but without its writer; each measurement is a process of its own. The folder is removed at the end.
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  CHAIN_START,
  completeFrame,
  encodeSeal,
  encodeSegmentHeader,
  RECORD_HEADER_BYTES,
  startFrame,
} from '../packages/server/src/order-log/format.ts';
import { CHECKPOINT_LOG_BYTES, SEGMENT_BYTES } from '../packages/server/src/order-log/limits.ts';
import { openOrderLog } from '../packages/server/src/order-log/order-log.ts';
import { openOrderLogReader } from '../packages/server/src/order-log/reader.ts';
import { type OrderPaid, RECORD_TYPES } from '../packages/server/src/order-log/records.ts';
import { verifyOrderLog } from '../packages/server/src/order-log/verify.ts';

const RECORDS_MAX = 50_000_000;
const BATCH_RECORDS = 256;
const WRITE_BYTES = 4 * 1024 * 1024;
const TICKETS_PER_ORDER = 2;
const CAPACITY = 1_000_000;
const APPENDS = 200_000;
const LOG_ID = '5eed5eed5eed5eed5eed5eed5eed5eed';

/** Order number n, 1, 2, 3 …: sales are filled one after the other. */
function paidOrder(n: number): OrderPaid {
  const ticket = (n - 1) * TICKETS_PER_ORDER;
  const ticketNumbers = Array.from({ length: TICKETS_PER_ORDER }, (_, index) => ((ticket + index) % CAPACITY) + 1);
  const id = `${n.toString(36).padStart(8, '0')}-0123456789abcdef`;
  return {
    type: 'orderPaid',
    saleId: 1 + Math.floor(ticket / CAPACITY),
    epoch: 1,
    at: 1_700_000_000_000 + n,
    orderId: id,
    paymentId: id,
    holdId: id,
    festivalId: 1,
    accountId: n,
    confirmSeq: n,
    ticketNumbers,
    capacity: CAPACITY,
    amount: 24_000,
    currency: 'EUR',
  };
}

/** Writes segments as the writer would have left them. */
class SegmentWriter {
  readonly #directory: string;
  readonly #buffer = Buffer.alloc(WRITE_BYTES);
  #buffered = 0;
  #fd = -1;
  #offset = 0;
  #segmentNumber = 0;
  #chain = CHAIN_START;
  #lsn = 0;
  #positionInBatch = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  append(record: OrderPaid): void {
    const payload = JSON.stringify(record);
    const bytes = RECORD_HEADER_BYTES + payload.length;
    if (this.#fd === -1 || this.#offset + this.#buffered + bytes + RECORD_HEADER_BYTES > SEGMENT_BYTES) this.#rotate();
    if (this.#buffered + bytes > this.#buffer.length) this.#flush();
    startFrame(this.#buffer, this.#buffered, payload.length, RECORD_TYPES[record.type], record.epoch);
    this.#buffer.write(payload, this.#buffered + RECORD_HEADER_BYTES, 'latin1');
    this.#lsn += 1;
    this.#chain = completeFrame(this.#buffer, this.#buffered, this.#lsn, this.#positionInBatch, this.#chain);
    this.#positionInBatch = (this.#positionInBatch + 1) % BATCH_RECORDS;
    this.#buffered += bytes;
  }

  close(): void {
    if (this.#fd === -1) return;
    const seal = encodeSeal(this.#lsn, this.#chain);
    this.#flush();
    writeSync(this.#fd, seal.bytes, 0, seal.bytes.length, this.#offset);
    this.#chain = seal.chain;
    this.#positionInBatch = 0;
    fdatasyncSync(this.#fd);
    closeSync(this.#fd);
    this.#fd = -1;
  }

  #flush(): void {
    writeSync(this.#fd, this.#buffer, 0, this.#buffered, this.#offset);
    this.#offset += this.#buffered;
    this.#buffered = 0;
  }

  #rotate(): void {
    this.close();
    this.#segmentNumber += 1;
    this.#fd = openSync(join(this.#directory, `${String(this.#segmentNumber).padStart(8, '0')}.seg`), 'w');
    ftruncateSync(this.#fd, SEGMENT_BYTES);
    const header = encodeSegmentHeader({
      logId: LOG_ID,
      segmentNumber: this.#segmentNumber,
      chainStart: this.#chain,
      firstLsn: this.#lsn + 1,
      writtenAt: 1_700_000_000_000,
    });
    writeSync(this.#fd, header, 0, header.length, 0);
    this.#offset = header.length;
  }
}

function generate(directory: string, records: number): void {
  const writer = new SegmentWriter(directory);
  for (let n = 1; n <= records; n += 1) writer.append(paidOrder(n));
  writer.close();
}

/** Appends with 256 under way at any time, and reports how long each has waited. */
async function appendMany(directory: string, checkpointLogBytes: number): Promise<number> {
  const log = await openOrderLog({ directory, checkpointLogBytes });
  const waitsMs: number[] = [];
  const from = log.durableLsn + 1;
  let next = from;
  const appendOneAfterTheOther = async (): Promise<void> => {
    while (next < from + APPENDS) {
      const order = paidOrder(next++);
      const startedAt = performance.now();
      await log.append(order);
      waitsMs.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: 256 }, appendOneAfterTheOther));
  waitsMs.sort((a, b) => a - b);
  const quantile = (share: number): string => `${(waitsMs[Math.floor(share * (APPENDS - 1))] ?? 0).toFixed(1)} ms`;
  const { checkpoints } = log.stats();
  report({ note: `half within ${quantile(0.5)}, 99.9 % within ${quantile(0.999)}, ${checkpoints} checkpoints` });
  await log.close();
  return APPENDS;
}

/** Each measures one thing in a process of its own, and returns how many records it has seen to. */
const MEASUREMENTS = {
  async stream(directory: string): Promise<number> {
    const reader = await openOrderLogReader(directory);
    let records = 0;
    for (let batch = await reader.readBatch(Number.MAX_SAFE_INTEGER, 1000); batch.length > 0; ) {
      records += batch.length;
      batch = await reader.readBatch(Number.MAX_SAFE_INTEGER, 1000);
    }
    await reader.close();
    return records;
  },
  async verify(directory: string): Promise<number> {
    const { ok, records } = await verifyOrderLog(directory);
    if (!ok) throw new Error('The log is damaged.');
    return records;
  },
  /** The close that follows is not measured; it writes a checkpoint when that is worth it. */
  async open(directory: string): Promise<number> {
    const startedAt = performance.now();
    const cpuBefore = process.cpuUsage();
    const log = await openOrderLog({ directory });
    const seconds = (performance.now() - startedAt) / 1000;
    const { records, conflicts, scannedRecords } = log.recovery;
    if (conflicts > 0) throw new Error(`${conflicts} conflicts.`);
    report({ seconds, cpuSeconds: cpuSecondsSince(cpuBefore), scannedRecords });
    await log.close();
    return records;
  },
  append: (directory: string): Promise<number> => appendMany(directory, 8 * 1024 * 1024),
  appendWithoutCheckpoints: (directory: string): Promise<number> => appendMany(directory, Number.MAX_SAFE_INTEGER),
  /** Appends almost as much as makes a checkpoint due, and is killed. */
  async crash(directory: string): Promise<number> {
    const log = await openOrderLog({ directory });
    const { records } = log.recovery;
    while (log.stats().bytes < 0.95 * CHECKPOINT_LOG_BYTES) {
      const from = log.durableLsn + 1;
      await Promise.all(Array.from({ length: 1000 }, (_, index) => log.append(paidOrder(from + index))));
    }
    process.kill(process.pid, 'SIGKILL');
    return records;
  },
} as const;

type Measurement = keyof typeof MEASUREMENTS;

/** Of all threads. On a machine that has other things to do it says more than the time that has passed. */
function cpuSecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000_000;
}

let reported: Record<string, unknown> = {};
function report(values: Record<string, unknown>): void {
  reported = values;
}

function isMeasurement(name: string): name is Measurement {
  return Object.hasOwn(MEASUREMENTS, name);
}

async function runMeasurement(name: Measurement, directory: string): Promise<void> {
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  const records = await MEASUREMENTS[name](directory);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuSeconds = cpuSecondsSince(cpuBefore);
  const peakRssMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  process.stdout.write(`${JSON.stringify({ records, seconds, cpuSeconds, peakRssMiB, ...reported })}\n`);
}

function measure(title: string, name: Measurement, directory: string): void {
  const { status, stdout } = spawnSync(
    process.execPath,
    [import.meta.filename, '--measure', name, '--dir', directory],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  if (status !== 0) throw new Error(`${title} failed.`);
  const { records, seconds, cpuSeconds, peakRssMiB, scannedRecords, note } = JSON.parse(stdout);
  const rate = `${Math.round(records / seconds).toLocaleString('en')} records/s`;
  const how = scannedRecords === undefined ? rate : `${scannedRecords.toLocaleString('en')} records read`;
  const more = note === undefined ? '' : `, ${note}`;
  process.stdout.write(
    `${title.padEnd(28)} ${seconds.toFixed(2).padStart(7)} s (CPU ${cpuSeconds.toFixed(2)} s)   ${how}${more}, peak RSS ${peakRssMiB} MiB\n`,
  );
}

function runAll(records: number): void {
  const directory = mkdtempSync(join(tmpdir(), 'fest-bench-order-log-'));
  try {
    const startedAt = performance.now();
    generate(directory, records);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    process.stdout.write(
      `${records.toLocaleString('en')} orders in ${readdirSync(directory).length} segments, written in ${seconds} s\n`,
    );
    measure('read all records', 'stream', directory);
    measure('verify', 'verify', directory);
    measure('open without a checkpoint', 'open', directory);
    measure('open with a checkpoint', 'open', directory);
    spawnSync(process.execPath, [import.meta.filename, '--measure', 'crash', '--dir', directory]);
    measure('open after a late crash', 'open', directory);
    measure('append without checkpoints', 'appendWithoutCheckpoints', directory);
    measure('append with many checkpoints', 'append', directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: { records: { type: 'string', default: '1000000' }, measure: { type: 'string' }, dir: { type: 'string' } },
});
const count = Number(values.records);
if (values.measure !== undefined && values.dir !== undefined && isMeasurement(values.measure)) {
  await runMeasurement(values.measure, values.dir);
} else if (Number.isSafeInteger(count) && count >= 1 && count <= RECORDS_MAX) {
  runAll(count);
} else {
  throw new RangeError(`--records must be a number from 1 to ${RECORDS_MAX}.`);
}
