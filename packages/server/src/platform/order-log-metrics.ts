/** What the order log does: how long the disk takes, how many records share an fdatasync, and what room is left. */
import { statfs } from 'node:fs/promises';
import { Gauge, Histogram, type Metric } from 'prom-client';
import { LIMITS } from '../limits.ts';
import type { OrderLogStats } from '../order-log/order-log.ts';
import { withDeadline } from './deadline.ts';
import { counter, gauge } from './metric-kinds.ts';

/** Of what the writer says with every batch, what is told. */
export type LogFigures = Pick<
  OrderLogStats,
  | 'appended'
  | 'batches'
  | 'fsyncs'
  | 'fsyncSeconds'
  | 'bytes'
  | 'lastBatchRecords'
  | 'outOfSpace'
  | 'pendingRecords'
  | 'pendingBytes'
  | 'checkpoints'
  | 'checkpointFailures'
>;

export interface DiskRoom {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface OrderLogMeter {
  /** To be called after every batch. */
  batch(figures: LogFigures): void;
  readonly all: readonly Metric[];
}

/** What is left for processes without privileges. */
export async function readDiskRoom(directory: string): Promise<DiskRoom> {
  const { bavail, blocks, bsize } = await statfs(directory);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** @param read of now @param readRoom of the disk that the log is on */
export function createOrderLogMeter(read: () => LogFigures, readRoom: () => Promise<DiskRoom>): OrderLogMeter {
  const fsyncSeconds = new Histogram({
    name: 'fest_order_log_fsync_duration_seconds',
    help: 'Time of an fdatasync of the order log; of a batch that took several, their mean',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [],
  });
  const batchRecords = new Histogram({
    name: 'fest_order_log_batch_records',
    help: 'Records that became durable together',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    registers: [],
  });
  let last = read();
  return {
    batch(figures) {
      const fsyncs = figures.fsyncs - last.fsyncs;
      const seconds = (figures.fsyncSeconds - last.fsyncSeconds) / Math.max(1, fsyncs);
      for (let count = 0; count < fsyncs; count += 1) fsyncSeconds.observe(seconds);
      if (figures.batches > last.batches) batchRecords.observe(figures.lastBatchRecords);
      last = figures;
    },
    all: [fsyncSeconds, batchRecords, ...figureMetrics(read), ...roomMetrics(readRoom)],
  };
}

function figureMetrics(read: () => LogFigures): readonly Metric[] {
  return [
    counter('fest_order_log_records_total', 'Records appended to the order log', () => read().appended),
    counter('fest_order_log_written_bytes_total', 'Bytes of records appended to the order log', () => read().bytes),
    counter('fest_order_log_checkpoints_total', 'Checkpoints of the order log written', () => read().checkpoints),
    counter(
      'fest_order_log_checkpoint_failures_total',
      'Checkpoints that the disk refused; the log goes on without',
      () => read().checkpointFailures,
    ),
    gauge('fest_order_log_pending_records', 'Records that wait to become durable', () => read().pendingRecords),
    gauge('fest_order_log_pending_bytes', 'Size of the records that wait to become durable', () => read().pendingBytes),
    gauge('fest_order_log_out_of_space', '1 while the disk of the order log has no room: no payment is started', () =>
      Number(read().outOfSpace),
    ),
  ];
}

/** Asked once for both. Without an answer there is no sample. */
function roomMetrics(readRoom: () => Promise<DiskRoom>): readonly Metric[] {
  let asked: Promise<DiskRoom> | undefined;
  const ask = (): Promise<DiskRoom | undefined> => {
    // A disk that hangs does not keep whoever asks for the metrics, and is not asked again until it has answered: each question keeps one of the few threads of the process.
    asked ??= readRoom().finally(() => {
      asked = undefined;
    });
    return withDeadline(asked, LIMITS.diskAnswerMs, () => new Error('the disk does not answer')).catch(() => undefined);
  };
  const roomGauge = (name: string, help: string, of: (room: DiskRoom) => number): Metric =>
    new Gauge({
      name,
      help,
      registers: [],
      async collect() {
        const known = await ask();
        if (known === undefined) this.remove();
        else this.set(of(known));
      },
    });
  return [
    roomGauge('fest_order_log_disk_free_bytes', 'Room left on the disk of the order log', (of) => of.freeBytes),
    roomGauge('fest_order_log_disk_size_bytes', 'Size of the disk of the order log', (of) => of.totalBytes),
  ];
}
