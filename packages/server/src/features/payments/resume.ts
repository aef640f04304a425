/** After a start: finishes what the previous life of this server left unfinished. */
import type { Logger } from 'pino';
import type { OrderLogReader } from '../../order-log/reader.ts';
import type { OrderLogRecord } from '../../order-log/records.ts';
import type { PaymentProcessor } from './payment-processor.ts';
import { type Unfinished, UnfinishedWork } from './payments.ts';

const BATCH_RECORDS = 1_000;

/**
 * What a log leaves to be done: what was unfinished as far as it was applied, which MySQL knows, and what came since.
 * @param applied the unfinished records of the log up to where `reader` begins
 */
export async function findUnfinished(
  reader: OrderLogReader,
  durableLsn: number,
  applied: readonly OrderLogRecord[],
): Promise<Unfinished> {
  const work = new UnfinishedWork();
  for (const record of applied) work.add(record);
  for (;;) {
    const batch = await reader.readBatch(durableLsn, BATCH_RECORDS);
    if (batch.length === 0) return work.result();
    for (const { record } of batch) work.add(record);
  }
}

export interface Resumed {
  readonly payments: number;
  readonly orders: number;
  readonly refunds: number;
}

export function resumeUnfinished(unfinished: Unfinished, processor: PaymentProcessor, logger: Logger): Resumed {
  processor.resumeOrders(unfinished.orders);
  for (const intent of unfinished.intents.values()) processor.resume(intent);
  let refunds = 0;
  for (const refund of unfinished.refunds.values()) {
    // Refunds of orders belong to the cancellation of the order, which looks after them itself.
    if (refund.orderId !== undefined) continue;
    processor.resumeRefund(refund);
    refunds += 1;
  }
  const resumed = { payments: unfinished.intents.size, orders: unfinished.orders.length, refunds };
  if (resumed.payments + resumed.orders + resumed.refunds > 0) {
    logger.info(resumed, 'resumed what a crash left unfinished');
  }
  return resumed;
}
