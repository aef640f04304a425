/** After a start: finishes what the previous life of this server left unfinished. */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { OrderLogReader } from '../../order-log/reader.ts';
import type { PaymentIntent } from '../../order-log/records.ts';
import type { SaleDirectory } from '../stock/require-live-sale.ts';
import type { PaymentProcessor } from './payment-processor.ts';
import { type Unfinished, UnfinishedWork } from './payments.ts';
import { findPayingHold, listPayingHolds } from './store.ts';

const BATCH_RECORDS = 1_000;

/** Reads a log to its end and returns what it leaves to be done. Constant memory but for what is open. */
export async function findUnfinished(
  reader: OrderLogReader,
  durableLsn: number,
  appliedLsn: number,
): Promise<Unfinished> {
  const work = new UnfinishedWork(appliedLsn);
  for (;;) {
    const batch = await reader.readBatch(durableLsn, BATCH_RECORDS);
    if (batch.length === 0) return work.result();
    for (const { lsn, record } of batch) work.add(lsn, record);
  }
}

export interface ResumeOptions {
  readonly redis: Redis;
  readonly logger: Logger;
  readonly logId: string;
  readonly processor: PaymentProcessor;
  readonly directory: SaleDirectory;
  readonly saleIds: readonly number[];
  readonly nowMs: number;
}

export interface Resumed {
  readonly payments: number;
  readonly orders: number;
  readonly refunds: number;
}

export async function resumeUnfinished(unfinished: Unfinished, options: ResumeOptions): Promise<Resumed> {
  const { processor, logger } = options;
  for (const order of unfinished.orders) processor.resumeOrder(order);
  for (const intent of unfinished.intents.values()) processor.resume(intent);
  const begun = await findBegunWithoutIntent(unfinished, options);
  for (const intent of begun) processor.resume(intent);
  let refunds = 0;
  for (const refund of unfinished.refunds.values()) {
    // Refunds of orders belong to the cancellation of the order, which looks after them itself.
    if (refund.orderId !== undefined) continue;
    processor.resumeRefund(refund);
    refunds += 1;
  }
  const resumed = { payments: unfinished.intents.size + begun.length, orders: unfinished.orders.length, refunds };
  if (resumed.payments + resumed.orders + resumed.refunds > 0)
    logger.info(resumed, 'resumed what a crash left unfinished');
  return resumed;
}

/**
 * Holds that went to `paying` through this server, killed before the intent reached the log. The gateway was never asked;
 * looking them up proves it, and gives the holds back.
 */
async function findBegunWithoutIntent(
  unfinished: Unfinished,
  options: ResumeOptions,
): Promise<readonly PaymentIntent[]> {
  const { redis, logId, directory, saleIds, nowMs } = options;
  const finished = new Set(unfinished.orders.map(({ paymentId }) => paymentId));
  const intents: PaymentIntent[] = [];
  for (const saleId of saleIds) {
    for (const { holdId, paymentId, logId: owner } of await listPayingHolds(redis, saleId)) {
      if (owner !== logId || unfinished.intents.has(paymentId) || finished.has(paymentId)) continue;
      const [hold, sale] = await Promise.all([findPayingHold(redis, saleId, holdId), directory.getSale(saleId)]);
      if (hold === undefined || sale === undefined) continue;
      const { currency } = sale;
      intents.push({ type: 'paymentIntent', saleId, epoch: 0, at: nowMs, paymentId, holdId, currency, ...hold });
    }
  }
  return intents;
}
