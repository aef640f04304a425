/**
 * A server may die, or lose Redis, between the moment an order is durable and the moment its buyer is told. Whoever starts
 * next shows the orders that were not archived yet; one that was archived in between would stay `pending` in Redis. So a
 * payment that is pending for long is looked for in the archive, now and then.
 */
import type { Redis } from 'ioredis';
import { LIMITS } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { isStoreFailure } from '../../platform/problem-details.ts';
import { completePayment, findArchivedPayment, type LivePayment, type StoredPayment } from './store.ts';

export interface PendingDoubtsOptions {
  readonly redis: Redis;
  readonly mysql: MysqlPool;
  readonly clock: Clock;
}

export class PendingDoubts {
  readonly #options: PendingDoubtsOptions;
  /** Payment → when MySQL was asked last, Unix milliseconds. */
  readonly #askedAtMs = new Map<string, number>();

  constructor(options: PendingDoubtsOptions) {
    this.#options = options;
  }

  /** What Redis says of a pending payment, unless it is old and the archive knows better; then Redis is told as well. */
  async confirm(saleId: number, paymentId: string, payment: LivePayment): Promise<StoredPayment> {
    if (!this.#isDue(paymentId, payment.startedAtMs)) return payment;
    const { redis, mysql } = this.#options;
    try {
      const archived = await findArchivedPayment(mysql, paymentId);
      if (archived === undefined || archived.status === 'pending') return payment;
      const { accountId, holdId } = payment;
      await completePayment(redis, { saleId, accountId, holdId, paymentId }, archived, payment.epoch);
      return archived;
    } catch (error) {
      if (!isStoreFailure(error)) throw error;
      return payment;
    }
  }

  #isDue(paymentId: string, startedAtMs: number): boolean {
    const nowMs = this.#options.clock.nowMs();
    const lastMs = Math.max(startedAtMs, this.#askedAtMs.get(paymentId) ?? 0);
    if (nowMs - lastMs < LIMITS.pendingDoubtMs) return false;
    if (this.#askedAtMs.size >= LIMITS.doubtedPayments) this.#askedAtMs.clear();
    this.#askedAtMs.set(paymentId, nowMs);
    return true;
  }
}
