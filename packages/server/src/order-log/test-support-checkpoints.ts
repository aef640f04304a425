/** Logs with checkpoints on a simulated disk, for the tests of checkpoints. */
import type { EpochStarted, OrderLogRecord } from './records.ts';
import { framesOf, LOG_DIRECTORY, openWriter, paidOrders, SimulatedDisk } from './test-support.ts';
import type { LogWriter, WriterOptions } from './writer.ts';

export const SEGMENT_1 = `${LOG_DIRECTORY}/00000001.seg`;
export const CHECKPOINT_1 = `${LOG_DIRECTORY}/00000001.checkpoint`;
export const CHECKPOINT_2 = `${LOG_DIRECTORY}/00000002.checkpoint`;
/** No checkpoint, whatever happens. */
export const NEVER: Partial<WriterOptions> = { checkpointLogBytes: Number.POSITIVE_INFINITY };
/** Between any two batches, and at every close. */
export const ALWAYS: Partial<WriterOptions> = { checkpointLogBytes: 1 };
/** Of a loss of power: nothing that was not synced survives. */
export const lost = (): boolean => false;

export function commit(writer: LogWriter, ...records: OrderLogRecord[]) {
  return writer.commit([framesOf(...records)]);
}

export function finishMaintenance(writer: LogWriter): void {
  while (writer.maintain());
}

export function epochStarted(epoch: number): EpochStarted {
  return { type: 'epochStarted', saleId: 7, epoch, at: 1, queueHighWater: 0, reason: 'stateMissing' };
}

export function namesOn(disk: SimulatedDisk): string[] {
  return disk.list(LOG_DIRECTORY).sort();
}

export function usedLength(content: Buffer): number {
  return content.findLastIndex((byte) => byte !== 0) + 1;
}

/** A log of these orders, in batches of four, closed with a checkpoint at its end. */
export async function closedLog(count: number, options: Partial<WriterOptions> = {}): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const writer = await openWriter(disk, { ...ALWAYS, ...options });
  for (let n = 1; n <= count; n += 4) commit(writer, ...paidOrders(n, Math.min(n + 3, count)));
  writer.close();
  return disk;
}
