/**
 * Finds payments of this server that nobody works on: the reply of `begin-payment` was lost, so Redis says `paying` while
 * no intent was written and nothing was charged. Without this the buyer's tickets would be stuck until a restart.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import type { PaymentIntent } from '../../order-log/records.ts';
import type { Clock } from '../../platform/clock.ts';
import type { LiveSales } from '../stock/live-sales.ts';
import type { SaleDirectory } from '../stock/require-live-sale.ts';
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
      this.#running = this.resumeAll().finally(() => {
        if (!this.#stopped) this.start();
      });
    }, LIMITS.abandonedPaymentsMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Hands all abandoned payments of followed sales to the processor; returns how many there were. */
  async resumeAll(olderThanMs: number = LIMITS.abandonedPaymentsMs): Promise<number> {
    const { live, processor, logger } = this.#options;
    let found = 0;
    for (const saleId of live.followed) {
      if (live.get(saleId)?.snapshot.held === 0) continue;
      try {
        for (const intent of await this.#abandoned(saleId, olderThanMs)) {
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
  async #abandoned(saleId: number, olderThanMs: number): Promise<readonly PaymentIntent[]> {
    const { redis, clock, directory, processor, logId } = this.#options;
    const nowMs = clock.nowMs();
    const paying = await listPayingHolds(redis, saleId, nowMs - olderThanMs, LIMITS.abandonedPaymentsPerRound);
    const abandoned = paying.filter((hold) => hold.logId === logId && !processor.isInFlight(hold.paymentId));
    const sale = abandoned.length === 0 ? undefined : await directory.getSale(saleId);
    if (sale === undefined) return [];
    const intents: PaymentIntent[] = [];
    for (const { holdId, paymentId } of abandoned) {
      const hold = await findPayingHold(redis, saleId, holdId);
      if (hold?.paymentId !== paymentId) continue;
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
    return intents;
  }
}
