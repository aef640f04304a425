import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { createOrderLogMeter, type DiskRoom, type LogFigures } from './order-log-metrics.ts';

const EMPTY: LogFigures = {
  appended: 0,
  batches: 0,
  fsyncs: 0,
  fsyncSeconds: 0,
  bytes: 0,
  lastBatchRecords: 0,
  outOfSpace: false,
  pendingRecords: 0,
  pendingBytes: 0,
  checkpoints: 0,
  checkpointFailures: 0,
};

function meterOf(figures: { now: LogFigures }, room: () => Promise<DiskRoom>) {
  const registry = new Registry();
  const meter = createOrderLogMeter(() => figures.now, room);
  for (const metric of meter.all) registry.registerMetric(metric);
  const lines = async (): Promise<readonly string[]> =>
    (await registry.metrics()).split('\n').filter((line) => !line.startsWith('#'));
  return { meter, lines };
}

describe('the metrics of the order log', () => {
  it('put each fdatasync and each batch where they belong, by what changed since the batch before', async () => {
    const figures = { now: EMPTY };
    const { meter, lines } = meterOf(figures, async () => ({ freeBytes: 10, totalBytes: 40 }));
    figures.now = {
      ...EMPTY,
      appended: 3,
      batches: 1,
      fsyncs: 1,
      fsyncSeconds: 0.004,
      bytes: 900,
      lastBatchRecords: 3,
    };
    meter.batch(figures.now);
    figures.now = {
      ...figures.now,
      appended: 103,
      batches: 2,
      fsyncs: 3,
      fsyncSeconds: 0.304,
      bytes: 30_900,
      lastBatchRecords: 100,
    };
    meter.batch(figures.now);
    const told = await lines();
    expect(told).toContain('fest_order_log_fsync_duration_seconds_bucket{le="0.0025"} 0');
    expect(told).toContain('fest_order_log_fsync_duration_seconds_bucket{le="0.005"} 1');
    // Two that took 0.3 s together.
    expect(told).toContain('fest_order_log_fsync_duration_seconds_bucket{le="0.25"} 3');
    expect(told).toContain('fest_order_log_fsync_duration_seconds_count 3');
    expect(told).toContain('fest_order_log_batch_records_bucket{le="4"} 1');
    expect(told).toContain('fest_order_log_batch_records_bucket{le="128"} 2');
    expect(told).toContain('fest_order_log_records_total 103');
    expect(told).toContain('fest_order_log_written_bytes_total 30900');
    expect(told).toContain('fest_order_log_disk_free_bytes 10');
    expect(told).toContain('fest_order_log_disk_size_bytes 40');
  });

  it('count no batch when only something else was said', async () => {
    const figures = { now: EMPTY };
    const { meter, lines } = meterOf(figures, async () => ({ freeBytes: 1, totalBytes: 1 }));
    meter.batch({ ...EMPTY, checkpoints: 1, lastBatchRecords: 7 });
    expect(await lines()).toContain('fest_order_log_batch_records_count 0');
  });

  it('ask a disk that hangs no second time, however often somebody asks for them', async () => {
    let asked = 0;
    let answer: (room: DiskRoom) => void = () => undefined;
    const { lines } = meterOf({ now: EMPTY }, () => {
      asked += 1;
      return new Promise((resolve) => {
        answer = resolve;
      });
    });
    for (let reading = 0; reading < 2; reading += 1) {
      expect((await lines()).filter((line) => line.includes('_disk_'))).toEqual([]);
    }
    expect(asked).toBe(1);
    answer({ freeBytes: 1, totalBytes: 2 });
    await new Promise((resolve) => setImmediate(resolve));
    const reading = lines();
    await new Promise((resolve) => setImmediate(resolve));
    answer({ freeBytes: 3, totalBytes: 4 });
    expect(await reading).toContain('fest_order_log_disk_free_bytes 3');
    expect(asked).toBe(2);
  });

  it('say nothing of the room on a disk that does not answer, and everything else', async () => {
    const { lines } = meterOf({ now: { ...EMPTY, outOfSpace: true } }, () => Promise.reject(new Error('EIO')));
    const told = await lines();
    expect(told.filter((line) => line.includes('_disk_'))).toEqual([]);
    expect(told).toContain('fest_order_log_out_of_space 1');
  });
});
