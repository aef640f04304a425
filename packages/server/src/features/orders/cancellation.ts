/**
 * Giving an order back: void the tickets, refund the money, return the numbers to stock. The order in MySQL stays
 * `cancelling` until all of it is done, so that any server can go on after a crash; every step may be repeated.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import { OrderLogError } from '../../order-log/errors.ts';
import type { OrderLog } from '../../order-log/order-log.ts';
import type { Clock } from '../../platform/clock.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { isStoreFailure } from '../../platform/problem-details.ts';
import { backoffMs, retry } from '../../platform/retry.ts';
import type { PaymentGateway } from '../payments/gateway.ts';
import { completePayment, forgetOutcome, NO_EPOCH, returnTickets } from '../payments/store.ts';
import type { LiveSales } from '../stock/live-sales.ts';
import { endFreshOrder } from './fresh-orders.ts';
import { findOrder, isRefundRecorded, listCancelling, type StoredOrder } from './store.ts';

export interface CancellationOptions {
  readonly redis: Redis;
  readonly mysql: MysqlPool;
  readonly log: OrderLog;
  readonly gateway: PaymentGateway;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly live: LiveSales;
}

/** Records of a cancellation that need not be written again. */
interface Recorded {
  refundStarted: boolean;
  refundCompleted: boolean;
}

export class Cancellations {
  readonly #options: CancellationOptions;
  /** Order → what is recorded of its cancellation. Until the cancellation is finished: a stuck one is tried for days. */
  readonly #recorded = new Map<string, Recorded>();
  /** The newest orders whose cancellation is finished and durable; MySQL hears of that a moment later. */
  readonly #finished = new Set<string>();
  readonly #inFlight = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  /** Nothing is begun any more; what is under way may still be finished. */
  #isEnding = false;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(options: CancellationOptions) {
    this.#options = options;
  }

  /** Carries a cancelling order to its end in the background. */
  run(order: StoredOrder): void {
    if (order.status !== 'cancelling' || this.#inFlight.has(order.orderId) || this.#isEnding) return;
    if (this.#finished.has(order.orderId)) return;
    const running = this.#cancel(order)
      .catch((error: unknown) => {
        if (this.#stopping.signal.aborted) return;
        this.#options.logger.error(
          { err: error, orderId: order.orderId },
          'a cancellation is stuck; it is resumed in a while',
        );
      })
      .finally(() => this.#inFlight.delete(order.orderId));
    this.#inFlight.set(order.orderId, running);
  }

  /**
   * Goes on with what nobody works on any more, from time to time. At once with whatever is under way: part of it was this
   * server's own before it was restarted, and for the rest every step may be made twice.
   */
  start(): void {
    const round = (olderThanMs: number): void => {
      this.#round = this.resume(olderThanMs)
        .catch((error: unknown) => {
          this.#options.logger.debug({ err: error }, 'unfinished cancellations could not be looked for');
        })
        .finally(() => {
          if (this.#isEnding) return;
          this.#timer = setTimeout(() => round(LIMITS.stuckCancellationMs), LIMITS.stuckCancellationMs).unref();
        });
    };
    round(0);
  }

  /** Resumes cancellations that have been under way for so long; by default so long that their server must have died. */
  async resume(olderThanMs: number = LIMITS.stuckCancellationMs): Promise<void> {
    const { mysql, clock } = this.#options;
    const beganBeforeMs = clock.nowMs() - olderThanMs;
    const pageItems = LIMITS.cancellationsPerPage;
    for (let after: string | undefined = ''; after !== undefined && !this.#isEnding; ) {
      const page: readonly StoredOrder[] = await listCancelling(mysql, beganBeforeMs, after, pageItems);
      for (const order of page) this.run(order);
      after = page.length < pageItems ? undefined : page.at(-1)?.orderId;
      if (after !== undefined) await this.#finishOrPass(page);
    }
  }

  /** Those behind a page follow when it is done; when it is stuck, soon. */
  async #finishOrPass(page: readonly StoredOrder[]): Promise<void> {
    const done = Promise.allSettled(page.map(({ orderId }) => this.#inFlight.get(orderId)));
    let timer: NodeJS.Timeout | undefined;
    const passed = new Promise((resolve) => {
      timer = setTimeout(resolve, LIMITS.cancellationsPageMs);
    });
    await Promise.race([done, passed]);
    clearTimeout(timer);
  }

  async stop(withinMs: number): Promise<void> {
    this.#isEnding = true;
    clearTimeout(this.#timer);
    await this.#round;
    const timeout = new Promise((resolve) => setTimeout(resolve, withinMs).unref());
    await Promise.race([Promise.allSettled([...this.#inFlight.values()]), timeout]);
    this.#stopping.abort();
  }

  async #cancel(order: StoredOrder): Promise<void> {
    const { clock, redis, live } = this.#options;
    const { orderId, paymentId, saleId, accountId } = order;
    const ticketNumbers = order.tickets.map(({ ticketNumber }) => ticketNumber);
    const base = () => ({ saleId, epoch: live.get(saleId)?.snapshot.epoch ?? NO_EPOCH, at: clock.nowMs() });
    const recorded = await this.#recordRefundStart(order, base());
    await this.#persist(() => endFreshOrder(redis, order));
    await this.#refund(paymentId);
    if (!recorded.refundCompleted) {
      await this.#append({ type: 'refundCompleted', ...base(), paymentId, orderId });
      recorded.refundCompleted = true;
    }
    await this.#returnTickets({ saleId, accountId, orderId, ticketNumbers });
    // From here on MySQL is asked: it knows of the end, whoever brings this to it.
    await this.#persist(() => forgetOutcome(redis, saleId, paymentId));
    await this.#append({ type: 'orderCancelled', ...base(), orderId, ticketNumbers });
    await this.#persist(() =>
      completePayment(
        redis,
        { saleId, accountId, holdId: '', paymentId },
        { status: 'refunded', orderId },
        base().epoch,
      ),
    );
    this.#rememberFinished(orderId);
  }

  #rememberFinished(orderId: string): void {
    this.#recorded.delete(orderId);
    this.#finished.add(orderId);
    const [oldest] = this.#finished;
    if (oldest !== undefined && this.#finished.size > LIMITS.finishedCancellations) this.#finished.delete(oldest);
  }

  /** Once in all logs is enough: from it on the order is void for ever, whoever replays what. */
  async #recordRefundStart(
    order: StoredOrder,
    base: { readonly saleId: number; readonly epoch: number; readonly at: number },
  ): Promise<Recorded> {
    const { orderId, paymentId, accountId, amount, currency } = order;
    const recorded = this.#recorded.get(orderId) ?? { refundStarted: false, refundCompleted: false };
    this.#recorded.set(orderId, recorded);
    if (recorded.refundStarted) return recorded;
    if (!(await this.#persist(() => isRefundRecorded(this.#options.mysql, orderId)))) {
      const reason = 'cancelled_by_buyer';
      const facts = { paymentId, orderId, holdId: '', accountId, amount, currency, reason };
      await this.#append({ type: 'refundStarted', ...base, ...facts });
    }
    recorded.refundStarted = true;
    return recorded;
  }

  /** A full log has room again sooner or later; what was begun is finished. */
  async #append(record: Parameters<OrderLog['append']>[0]): Promise<void> {
    await retry(() => this.#options.log.append(record), {
      firstMs: 50,
      maxMs: 2_000,
      signal: this.#stopping.signal,
      isTransient: (error) => error instanceof OrderLogError && error.code === 'full',
    });
  }

  async #refund(paymentId: string): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const result = await this.#options.gateway.refund(paymentId);
      if (result === 'refunded') return;
      if (result === 'notFound')
        throw new Error(`the gateway does not know payment ${paymentId}, which it was paid with`);
      await this.#pause(attempt);
    }
  }

  async #returnTickets(order: Parameters<typeof returnTickets>[1]): Promise<void> {
    const { redis, mysql, live } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      const sale = await live.load(order.saleId);
      if (sale !== undefined) {
        // Another server may have carried this cancellation to its end, and the sale may have been built anew since: then the
        // tickets are in that stock, and nothing in it remembers the order. Asked after the epoch is known: a rebuild that
        // comes later has another one, and the script refuses.
        const stored = await this.#persist(() => findOrder(mysql, order.orderId));
        if (stored?.status === 'cancelled') return;
        const { status } = await this.#persist(() => returnTickets(redis, order, sale.snapshot.epoch));
        if (status === 'returned' || status === 'repeated') return;
      }
      await this.#pause(attempt);
    }
  }

  async #pause(attempt: number): Promise<void> {
    const waitMs = backoffMs(attempt, LIMITS.gatewayLookupFirstMs, LIMITS.gatewayLookupMaxMs, Math.random);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    this.#stopping.signal.throwIfAborted();
  }

  #persist<Result>(work: () => Promise<Result>): Promise<Result> {
    return retry(work, { firstMs: 50, maxMs: 1_000, signal: this.#stopping.signal, isTransient: isStoreFailure });
  }
}
