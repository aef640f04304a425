/**
 * Giving an order back: void the tickets, refund the money, return the numbers to stock. The order in MySQL stays
 * `cancelling` until all of it is done, so that any server can go on after a crash; every step may be repeated.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import { OrderLogError } from '../../order-log/errors.ts';
import type { OrderLog } from '../../order-log/order-log.ts';
import type { OrderPaid } from '../../order-log/records.ts';
import type { Clock } from '../../platform/clock.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { isStoreFailure } from '../../platform/problem-details.ts';
import { backoffMs, retry } from '../../platform/retry.ts';
import type { PaymentGateway } from '../payments/gateway.ts';
import { completePayment, returnTickets } from '../payments/store.ts';
import type { LiveSales } from '../stock/live-sales.ts';
import { findCancelledHolders, findOrder, listCancelling, type StoredOrder } from './store.ts';

export interface CancellationOptions {
  readonly redis: Redis;
  readonly mysql: MysqlPool;
  readonly log: OrderLog;
  readonly gateway: PaymentGateway;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly live: LiveSales;
}

export class Cancellations {
  readonly #options: CancellationOptions;
  readonly #inFlight = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(options: CancellationOptions) {
    this.#options = options;
  }

  /** Carries a cancelling order to its end in the background. */
  run(order: StoredOrder): void {
    if (order.status !== 'cancelling' || this.#inFlight.has(order.orderId) || this.#stopping.signal.aborted) return;
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

  /** Goes on with what nobody works on any more, now and from time to time. */
  start(): void {
    const round = (): void => {
      this.#round = this.resume()
        .catch((error: unknown) => {
          this.#options.logger.debug({ err: error }, 'unfinished cancellations could not be looked for');
        })
        .finally(() => {
          if (!this.#stopping.signal.aborted) this.#timer = setTimeout(round, LIMITS.stuckCancellationMs).unref();
        });
    };
    round();
  }

  /** Resumes cancellations that have been under way for so long that their server must have died. */
  async resume(): Promise<void> {
    const { mysql, clock } = this.#options;
    const beganBeforeMs = clock.nowMs() - LIMITS.stuckCancellationMs;
    for (const order of await listCancelling(mysql, beganBeforeMs, LIMITS.cancellationsPerRound)) this.run(order);
  }

  async stop(withinMs: number): Promise<void> {
    clearTimeout(this.#timer);
    await this.#round;
    const timeout = new Promise((resolve) => setTimeout(resolve, withinMs).unref());
    await Promise.race([Promise.allSettled([...this.#inFlight.values()]), timeout]);
    this.#stopping.abort();
  }

  async #cancel(order: StoredOrder): Promise<void> {
    const { clock, redis, live } = this.#options;
    const { orderId, paymentId, saleId, accountId, amount, currency } = order;
    const ticketNumbers = order.tickets.map(({ ticketNumber }) => ticketNumber);
    const base = () => ({ saleId, epoch: live.get(saleId)?.snapshot.epoch ?? 0, at: clock.nowMs() });
    const reason = 'cancelled_by_buyer';
    await this.#append({
      type: 'refundStarted',
      ...base(),
      paymentId,
      orderId,
      holdId: '',
      accountId,
      amount,
      currency,
      reason,
    });
    await this.#refund(paymentId);
    await this.#append({ type: 'refundCompleted', ...base(), paymentId, orderId });
    await this.#returnTickets({ saleId, accountId, orderId, ticketNumbers });
    await this.#append({ type: 'orderCancelled', ...base(), orderId, ticketNumbers });
    await this.#persist(() =>
      completePayment(redis, { saleId, accountId, holdId: '', paymentId }, { status: 'refunded', orderId }),
    );
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

/**
 * The writer's gate knows only its own log. When it refuses tickets whose earlier order is void, cancelled through another
 * server or about to be, they are released here; the cancellation itself stays the business of whoever began it. False when
 * the tickets are live: then the refusal was right.
 */
export async function releaseCancelledElsewhere(
  mysql: MysqlPool,
  log: Pick<OrderLog, 'append'>,
  order: Pick<OrderPaid, 'saleId' | 'epoch' | 'at' | 'ticketNumbers'>,
): Promise<boolean> {
  const { saleId, epoch, at } = order;
  const holders = await findCancelledHolders(mysql, saleId, order.ticketNumbers);
  if (holders === undefined) return false;
  for (const { orderId, ticketNumbers } of holders) {
    await log.append({ type: 'ticketsReleased', saleId, epoch, at, orderId, ticketNumbers });
  }
  return true;
}
