/**
 * Finds payments that nobody works on. Those of this server: the reply of `begin-payment` was lost, so Redis says `paying`
 * while no intent was written and nothing was charged. And those of servers that are gone for good: their log was retired,
 * and what it left unfinished is adopted. Without this, tickets and money would be stuck.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import type { PaymentIntent } from '../../order-log/records.ts';
import type { Clock } from '../../platform/clock.ts';
import type { LiveSale, LiveSales } from '../stock/live-sales.ts';
import type { SaleDirectory } from '../stock/require-live-sale.ts';
import type { Orphanage } from './orphans.ts';
import type { PaymentProcessor } from './payment-processor.ts';
import { findPayingHold, listPayingHolds } from './store.ts';

export interface AbandonedPaymentsOptions {
  readonly redis: Redis;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly live: LiveSales;
  readonly directory: SaleDirectory;
  readonly processor: PaymentProcessor;
  readonly logId: string;
  readonly orphanage: Orphanage;
  /** Resolves when everything durable in this server's log is in MySQL. */
  readonly drain: () => Promise<void>;
}

export class AbandonedPayments {
  readonly #options: AbandonedPaymentsOptions;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: AbandonedPaymentsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#running = Promise.all([this.resumeAll(), this.adoptAll()]).finally(() => {
        if (!this.#stopped) this.start();
      });
    }, LIMITS.abandonedPaymentsMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Goes on with the payments of retired logs; returns how many became this server's. */
  async adoptAll(): Promise<number> {
    const { orphanage, processor, logger, logId } = this.#options;
    let adopted = 0;
    try {
      for (const { paymentId, record } of await orphanage.listOrphans(LIMITS.abandonedPaymentsPerRound)) {
        if (!(await orphanage.adopt(paymentId, logId))) continue;
        if (record.type === 'refundStarted') processor.resumeRefund(record);
        else processor.resume(record);
        adopted += 1;
      }
    } catch (error) {
      logger.debug({ err: error }, 'payments of retired logs could not be looked for; the next round tries again');
    }
    if (adopted > 0) logger.warn({ payments: adopted }, 'adopted unfinished payments of servers that are gone');
    return adopted;
  }

  /** Hands all abandoned payments of followed sales to the processor; returns how many there were. */
  async resumeAll(olderThanMs: number = LIMITS.abandonedPaymentsMs): Promise<number> {
    const { live, processor, logger } = this.#options;
    let found = 0;
    for (const saleId of live.followed) {
      const sale = live.get(saleId);
      // What a state says that cannot be trusted is the past: its payments have ended since, or are in the log.
      if (sale === undefined || sale.snapshot.held === 0) continue;
      try {
        for (const intent of await this.#abandoned(sale, olderThanMs)) {
          processor.resume(intent);
          found += 1;
        }
      } catch (error) {
        logger.debug({ err: error, saleId }, 'abandoned payments could not be looked for; the next round tries again');
      }
    }
    if (found > 0) logger.warn({ payments: found }, 'resumed payments that nobody worked on');
    return found;
  }

  /** As intents: what they would have said is read back from the holds. */
  async #abandoned({ saleId, snapshot }: LiveSale, olderThanMs: number): Promise<readonly PaymentIntent[]> {
    const { redis, clock, directory, processor, orphanage, logId, drain } = this.#options;
    const nowMs = clock.nowMs();
    const paying = await listPayingHolds(redis, saleId, nowMs - olderThanMs, LIMITS.abandonedPaymentsPerRound);
    const idle = paying.filter(({ paymentId }) => !processor.isInFlight(paymentId));
    if (idle.length === 0) return [];
    const logs = new Set([logId, ...(await orphanage.listRetiredLogs())]);
    const candidates = idle.filter((hold) => logs.has(hold.logId));
    const sale = candidates.length === 0 ? undefined : await directory.getSale(saleId);
    if (sale === undefined) return [];
    await drain();
    const intents: PaymentIntent[] = [];
    for (const { holdId, paymentId } of candidates) {
      const hold = await findPayingHold(redis, saleId, holdId);
      if (hold?.paymentId !== paymentId || hold.epoch !== snapshot.epoch || hold.run !== snapshot.run) continue;
      // Its intent is durable: somebody works on it, or it has ended. Only what no log has was abandoned.
      if (await orphanage.isArchived(paymentId)) continue;
      const { accountId, amount, ticketNumbers, method, epoch } = hold;
      const { currency } = sale;
      intents.push({
        type: 'paymentIntent',
        saleId,
        epoch,
        at: nowMs,
        paymentId,
        holdId,
        accountId,
        ticketNumbers,
        amount,
        currency,
        method,
      });
    }
    return intents.filter(({ paymentId }) => !processor.isInFlight(paymentId));
  }
}
