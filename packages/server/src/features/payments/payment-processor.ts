/**
 * Carries payments from `paying` to their end: charge, confirm the stock, make the order durable, and only then show it.
 * Every step may be repeated after a crash, a lost reply or an unreachable store, and none is done twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import { OrderLogError, OrderLogRefusedError } from '../../order-log/errors.ts';
import type { OrderLog } from '../../order-log/order-log.ts';
import type { OrderLogRecord, OrderPaid, PaymentIntent, RefundStarted } from '../../order-log/records.ts';
import type { Clock } from '../../platform/clock.ts';
import { isStoreFailure } from '../../platform/problem-details.ts';
import { currentRequestId, traced } from '../../platform/request-context.ts';
import { backoffMs, retry } from '../../platform/retry.ts';
import type { ConfirmedPayment } from '../../redis/scripts/payments.ts';
import { addFreshOrder } from '../orders/fresh-orders.ts';
import type { LiveSales } from '../stock/live-sales.ts';
import type { SaleDirectory } from '../stock/require-live-sale.ts';
import type { PaymentGateway } from './gateway.ts';
import { afterCharge, afterLookup, type NextStep, orderOf } from './payments.ts';
import { completePayment, confirmPayment, failPayment, NO_EPOCH, returnTickets, type StoredPayment } from './store.ts';

export interface PaymentProcessorOptions {
  readonly redis: Redis;
  readonly log: OrderLog;
  readonly gateway: PaymentGateway;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly live: LiveSales;
  readonly directory: SaleDirectory;
  /**
   * The writer refused the tickets of an order because an earlier one in this log has them. When that one is void, these
   * release its tickets in this log and return true. Tried in turn, while the writer refuses the order.
   */
  readonly releaseCancelledElsewhere: readonly ((order: OrderPaid) => Promise<boolean>)[];
  /** What became of a payment as far as it is durable anywhere: this server's log is in MySQL before it is asked. */
  readonly findOutcome: (paymentId: string) => Promise<StoredPayment | undefined>;
  /** Seconds from when the charge was known to have succeeded until the order was durable in the log; once an order. */
  readonly onAcknowledged?: (seconds: number, saleId: number) => void;
  /** For tests: called between the steps, so that a crash can be placed there. */
  readonly onStep?: (step: 'intent' | 'charged' | 'confirmed' | 'durable' | 'shown', paymentId: string) => void;
}

/** The log is gone or closing: what is unfinished is finished after the next start. */
class Interrupted extends Error {}

export class PaymentProcessor {
  readonly #options: PaymentProcessorOptions;
  /** In the order in which they were taken up. */
  readonly #inFlight = new Map<
    string,
    { readonly done: Promise<void>; readonly sinceMs: number; isCounted: boolean }
  >();
  readonly #counts = { started: 0, succeeded: 0, failed: 0, refunded: 0 };
  /** Whose the payments are that this process brings to an outcome. */
  readonly #accounts = new Map<string, number>();
  /** Payments this process began → when, by `performance.now()`; until a store may show what became of them. */
  readonly #begunAtMs = new Map<string, number>();
  /** Payments whose intent is being written: nobody else is to take them for abandoned, however slow the disk is. */
  readonly #starting = new Set<string>();
  /** Payments whose refund is durable: whatever happens from here on, they are refunded and nothing else. */
  readonly #refunding = new Map<string, RefundStarted>();
  /** Payments that succeeded at the gateway → when this process knew, by `performance.now()`; kept while it tries again. */
  readonly #chargedAtMs = new Map<string, number | 'acknowledged'>();
  readonly #stopping = new AbortController();

  constructor(options: PaymentProcessorOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Since the start: payments begun, and those brought to an end. */
  get counts(): Readonly<Record<'started' | 'succeeded' | 'failed' | 'refunded', number>> {
    return this.#counts;
  }

  /** How long the oldest payment in flight whose order is not in the log has been worked on; 0 without any. */
  get oldestSeconds(): number {
    for (const [paymentId, { sinceMs }] of this.#inFlight) {
      if (!this.#isDurable(paymentId)) return (performance.now() - sinceMs) / 1_000;
    }
    return 0;
  }

  /** Payments whose money was taken, and which are neither a durable order nor paid back. */
  get captured(): number {
    let count = 0;
    for (const atMs of this.#chargedAtMs.values()) if (atMs !== 'acknowledged') count += 1;
    return count;
  }

  /** Since when this process has known of the oldest of them; 0 without any. */
  get oldestCapturedSeconds(): number {
    for (const atMs of this.#chargedAtMs.values()) {
      if (atMs !== 'acknowledged') return (performance.now() - atMs) / 1_000;
    }
    return 0;
  }

  /** False when as many payments as allowed are under way, or the process is stopping. */
  hasRoom(): boolean {
    return this.#inFlight.size < LIMITS.paymentsInFlight && !this.#stopping.signal.aborted;
  }

  /**
   * Makes the intent durable, then goes on in the background.
   * @throws {OrderLogError} when the intent could not be written: nothing was charged
   */
  async start(intent: PaymentIntent): Promise<void> {
    this.#starting.add(intent.paymentId);
    try {
      await this.#write(intent);
      this.#counts.started += 1;
      this.#options.onStep?.('intent', intent.paymentId);
      this.#charge(intent);
    } finally {
      this.#starting.delete(intent.paymentId);
    }
  }

  /** Whose payment it is, if this process is about to find out what becomes of it: until then it is pending. */
  accountOfUndecided(paymentId: string): number | undefined {
    return this.#accounts.get(paymentId);
  }

  /**
   * Whose payment it is, if this process began it a moment ago and has told no store of an outcome: nobody else takes it up so
   * soon, so it is pending.
   */
  accountOfFreshlyBegun(paymentId: string): number | undefined {
    const begunAtMs = this.#begunAtMs.get(paymentId);
    if (begunAtMs === undefined || performance.now() - begunAtMs > LIMITS.freshPaymentMs) return undefined;
    return this.#accounts.get(paymentId);
  }

  #charge(intent: PaymentIntent): void {
    this.#accounts.set(intent.paymentId, intent.accountId);
    this.#begunAtMs.set(intent.paymentId, performance.now());
    const charge = async (): Promise<void> => {
      const { gateway, onStep } = this.#options;
      const { paymentId, amount, currency, method } = intent;
      const outcome = await gateway.charge({ paymentId, amount, currency, method });
      onStep?.('charged', paymentId);
      await this.#settle(intent, afterCharge(intent, outcome));
    };
    this.#run(intent.paymentId, charge, () => this.#lookUpAndSettle(intent));
  }

  isInFlight(paymentId: string): boolean {
    return this.#inFlight.has(paymentId) || this.#starting.has(paymentId);
  }

  /** For payments whose charge may or may not have been made: the gateway is asked first. */
  resume(intent: PaymentIntent): void {
    this.#accounts.set(intent.paymentId, intent.accountId);
    this.#run(intent.paymentId, () => this.#lookUpAndSettle(intent));
  }

  /** Shows orders whose records are durable, a few at a time; after a crash nobody knows whether they were shown. */
  resumeOrders(orders: readonly OrderPaid[]): void {
    const waiting = orders.values();
    const showInTurn = async (): Promise<void> => {
      for (const order of waiting) {
        if (this.#stopping.signal.aborted) return;
        this.#chargedAtMs.set(order.paymentId, 'acknowledged');
        // It may have been cancelled through another server, and the sale built anew, while nobody was here.
        this.#run(order.paymentId, () => this.#show(order, NO_EPOCH));
        await this.#inFlight.get(order.paymentId)?.done;
      }
    };
    for (let worker = 0; worker < LIMITS.resumedOrdersAtOnce; worker += 1) void showInTurn();
  }

  /** Finishes a refund of a payment that never became an order. */
  resumeRefund(started: RefundStarted): void {
    this.#noteCharged(started.paymentId);
    this.#refunding.set(started.paymentId, started);
    this.#run(started.paymentId, () => this.#payBack(started));
  }

  /** Stops waiting for others; resolves when nothing is in flight or the time is over. */
  async stop(withinMs: number): Promise<void> {
    const finished = Promise.allSettled([...this.#inFlight.values()].map(({ done }) => done));
    const timeout = new Promise((resolve) => setTimeout(resolve, withinMs).unref());
    await Promise.race([finished, timeout]);
    this.#stopping.abort();
  }

  /**
   * Works on one payment until it is finished: money may have moved, so nothing but the end of the process ends it. What
   * fails is begun again from the top (`again`, when the first try may not be repeated); every step is idempotent.
   */
  #run(paymentId: string, first: () => Promise<void>, again: () => Promise<void> = first): void {
    if (this.#inFlight.has(paymentId)) return;
    const finish = async (): Promise<void> => {
      for (let attempt = 0; ; attempt += 1) {
        try {
          const started = this.#refunding.get(paymentId);
          await (started !== undefined ? this.#payBack(started) : attempt === 0 ? first() : again());
          return;
        } catch (error) {
          if (error instanceof Interrupted || this.#stopping.signal.aborted) return;
          this.#options.logger.error(
            { err: error, paymentId, attempt, reqId: currentRequestId() },
            'a payment stumbled; it is tried again',
          );
          await sleep(backoffMs(attempt, LIMITS.paymentRetryFirstMs, LIMITS.paymentRetryMaxMs, Math.random));
        }
      }
    };
    const done = finish().finally(() => {
      this.#inFlight.delete(paymentId);
      this.#accounts.delete(paymentId);
      this.#begunAtMs.delete(paymentId);
      this.#refunding.delete(paymentId);
      this.#chargedAtMs.delete(paymentId);
    });
    this.#inFlight.set(paymentId, { done, sinceMs: performance.now(), isCounted: false });
  }

  #lookUpAndSettle(intent: PaymentIntent): Promise<void> {
    return this.#settle(intent, { kind: 'lookUp', reason: 'not known here' });
  }

  async #settle(intent: PaymentIntent, first: NextStep): Promise<void> {
    let step = first;
    for (let attempt = 0; step.kind === 'lookUp'; attempt += 1) {
      if (attempt > 0 || first.kind !== 'lookUp') await this.#pause(attempt);
      step = afterLookup(intent, await this.#options.gateway.lookup(intent.paymentId));
    }
    switch (step.kind) {
      case 'confirm':
        this.#noteCharged(intent.paymentId);
        return this.#confirm(intent);
      case 'fail':
        return this.#fail(intent, step.failureCode);
      case 'refund':
        this.#noteCharged(intent.paymentId);
        return this.#refund(intent, step.failureCode);
    }
  }

  async #pause(attempt: number): Promise<void> {
    const waitMs = backoffMs(attempt, LIMITS.gatewayLookupFirstMs, LIMITS.gatewayLookupMaxMs, Math.random);
    await sleep(waitMs);
    if (this.#stopping.signal.aborted) throw new Interrupted();
  }

  async #confirm(intent: PaymentIntent): Promise<void> {
    const { redis, clock, directory, onStep } = this.#options;
    const sale = await this.#persist(() => directory.getSale(intent.saleId));
    if (sale === undefined)
      throw new Error(`payment ${intent.paymentId} is for sale ${intent.saleId}, which does not exist`);
    for (;;) {
      const { result, epoch } = await this.#withEpoch(intent.saleId, (epochNow) =>
        confirmPayment(redis, intent, epochNow),
      );
      if (result.status !== 'confirmed') {
        return this.#refuse(intent, result);
      }
      onStep?.('confirmed', intent.paymentId);
      const order = orderOf(intent, result, { festivalId: sale.festivalId, epoch, nowMs: clock.nowMs() });
      const outcome = await this.#makeDurable(order);
      if (outcome === 'durable' || outcome === 'repeated') {
        this.#noteDurable(intent);
        onStep?.('durable', intent.paymentId);
        return outcome === 'durable' ? this.#show(order, epoch) : this.#showRepeated(order, epoch);
      }
      if (outcome === 'ended') {
        // Counted when it became one, maybe by another process.
        this.#chargedAtMs.set(intent.paymentId, 'acknowledged');
        return this.#showEnded(intent, order, epoch);
      }
      // Redis goes on counting these tickets as sold, so nobody is given them again; the audit finds them.
      if (outcome === 'conflict') return this.#refund(intent, 'ticket_conflict');
      // The sale is being built anew: what Redis confirmed is not in the new state. Nobody was told; it is asked again.
    }
  }

  /** Nothing could be confirmed for the money that was taken. */
  #refuse(intent: PaymentIntent, result: Exclude<ConfirmedPayment, { status: 'confirmed' }>): Promise<void> {
    // Redis may have forgotten it since: its own tickets then count against the limit, and are not there to be taken again.
    if (this.#isDurable(intent.paymentId)) return this.#showWhatIs(intent);
    this.#options.logger.warn(
      { paymentId: intent.paymentId, result, reqId: currentRequestId() },
      'money was taken for a hold that is gone; it goes back',
    );
    return this.#refund(intent, result.status === 'gone' ? 'hold_expired' : 'amount_differs');
  }

  #noteCharged(paymentId: string): void {
    if (!this.#chargedAtMs.has(paymentId)) this.#chargedAtMs.set(paymentId, performance.now());
  }

  /** This process has seen its order become durable: there is no refund any more, but by cancelling the order. */
  #isDurable(paymentId: string): boolean {
    return this.#chargedAtMs.get(paymentId) === 'acknowledged';
  }

  /** Counts a payment once, also when what follows has to be tried again. */
  #noteDurable({ paymentId, saleId }: PaymentIntent): void {
    const chargedAtMs = this.#chargedAtMs.get(paymentId);
    if (typeof chargedAtMs !== 'number') return;
    this.#chargedAtMs.set(paymentId, 'acknowledged');
    this.#countEnd(paymentId, 'succeeded');
    this.#options.onAcknowledged?.((performance.now() - chargedAtMs) / 1_000, saleId);
  }

  /** Once, also when what follows has to be tried again. */
  #countEnd(paymentId: string, outcome: 'succeeded' | 'failed' | 'refunded'): void {
    const payment = this.#inFlight.get(paymentId);
    if (payment === undefined || payment.isCounted) return;
    payment.isCounted = true;
    this.#counts[outcome] += 1;
  }

  /**
   * `durable`: the order is in the log. `repeated`: it was already, and may have been cancelled since. `staleEpoch`: a new
   * epoch began meanwhile, and the confirmation is void.
   * `ended`: the order is in the log with the tickets it was first given. `conflict`: its tickets belong to another live
   * order; the last gate has held.
   */
  async #makeDurable(order: OrderPaid): Promise<'durable' | 'repeated' | 'staleEpoch' | 'ended' | 'conflict'> {
    const { logger, releaseCancelledElsewhere } = this.#options;
    let refusal = await this.#appendOrder(order);
    for (const release of releaseCancelledElsewhere) {
      if (refusal?.reason !== 'ticketAlreadySold' || refusal.sameOrder) break;
      if (await this.#persist(() => release(order))) refusal = await this.#appendOrder(order);
    }
    if (refusal === undefined) return 'durable';
    if (refusal.sameOrder) return 'repeated';
    if (refusal.reason === 'staleEpoch') return 'staleEpoch';
    if (refusal.reason === 'orderExists') {
      logger.error(
        { order, err: refusal, reqId: currentRequestId() },
        'a payment that has become an order was confirmed once more',
      );
      return 'ended';
    }
    logger.fatal(
      { order, err: refusal, reqId: currentRequestId() },
      'the order log refused an order: stock and log disagree',
    );
    return 'conflict';
  }

  async #appendOrder(order: OrderPaid): Promise<OrderLogRefusedError | undefined> {
    try {
      await this.#append(order);
      return undefined;
    } catch (error) {
      if (error instanceof OrderLogRefusedError) return error;
      throw error;
    }
  }

  /**
   * An order that was in the log may have been cancelled through another server meanwhile. If the stock was built anew since,
   * its tickets were in it, and have just been taken once more for nobody.
   */
  async #showRepeated(order: OrderPaid, epoch: number): Promise<void> {
    const { redis, findOutcome } = this.#options;
    await this.#show(order, NO_EPOCH);
    const outcome = await this.#persist(() => findOutcome(order.paymentId));
    // While it is being cancelled, who does that gives them back.
    if (outcome?.status === 'refunded') await this.#persist(() => returnTickets(redis, order, epoch));
  }

  /** Its order keeps the tickets that the log has; those that were just taken are given back. */
  async #showEnded(intent: PaymentIntent, order: OrderPaid, epoch: number): Promise<void> {
    // Under a name of their own: the stock takes an order's tickets back once, and this one may be cancelled yet.
    const surplus = { ...order, orderId: `${order.orderId}/again` };
    await this.#persist(() => returnTickets(this.#options.redis, surplus, epoch));
    await this.#showWhatIs(intent);
  }

  async #showWhatIs(intent: PaymentIntent): Promise<void> {
    const { redis, findOutcome } = this.#options;
    this.#begunAtMs.delete(intent.paymentId);
    const outcome = await this.#persist(() => findOutcome(intent.paymentId));
    // The log has said that the order exists: whoever knows otherwise, like a MySQL that was restored from a backup, is behind.
    if (outcome === undefined || outcome.status === 'pending' || outcome.status === 'failed') {
      throw new Error(
        `payment ${intent.paymentId} is an order in the log, and ${outcome?.status ?? 'nothing'} in MySQL`,
      );
    }
    await this.#persist(() => completePayment(redis, intent, outcome, NO_EPOCH));
  }

  async #show(order: OrderPaid, epoch: number): Promise<void> {
    const { redis, onStep } = this.#options;
    const { orderId } = order;
    // From here on Redis may say so, also through other servers.
    this.#begunAtMs.delete(order.paymentId);
    await this.#persist(() =>
      Promise.all([
        addFreshOrder(redis, order),
        completePayment(redis, order, { status: 'succeeded', orderId }, epoch),
      ]),
    );
    onStep?.('shown', order.paymentId);
  }

  async #fail(intent: PaymentIntent, failureCode: string): Promise<void> {
    const { redis, clock } = this.#options;
    this.#begunAtMs.delete(intent.paymentId);
    const { epoch } = await this.#withEpoch(intent.saleId, (epochNow) =>
      failPayment(redis, intent, epochNow, failureCode, clock.nowMs()),
    );
    const { saleId, paymentId, holdId } = intent;
    await this.#append({ type: 'paymentFailed', saleId, epoch, at: clock.nowMs(), paymentId, holdId, failureCode });
    this.#countEnd(paymentId, 'failed');
    // Redis does not know a payment from before it was built anew, or does not answer for it.
    if (epoch !== intent.epoch) {
      await this.#persist(() => completePayment(redis, intent, { status: 'failed', failureCode }, epoch));
    }
  }

  /**
   * Money was taken and there is no order for it. The decision is durable before anything else happens: after it there is
   * no way back to an order, also not for a restart.
   */
  async #refund(intent: PaymentIntent, failureCode: string): Promise<void> {
    const { clock, live } = this.#options;
    const { saleId, paymentId, holdId, accountId, amount, currency } = intent;
    const started: RefundStarted = {
      type: 'refundStarted',
      saleId,
      epoch: live.get(saleId)?.snapshot.epoch ?? intent.epoch,
      at: clock.nowMs(),
      paymentId,
      holdId,
      accountId,
      amount,
      currency,
      reason: failureCode,
    };
    await this.#append(started);
    this.#refunding.set(paymentId, started);
    await this.#payBack(started);
  }

  async #payBack(started: RefundStarted): Promise<void> {
    const { redis, clock, gateway, live } = this.#options;
    const { saleId, paymentId, accountId, holdId, reason, epoch } = started;
    this.#begunAtMs.delete(paymentId);
    await this.#withEpoch(saleId, (epochNow) => failPayment(redis, started, epochNow, '', clock.nowMs()));
    for (let attempt = 0; ; attempt += 1) {
      const result = await gateway.refund(paymentId);
      if (result === 'refunded') break;
      // It was captured: that the gateway does not know it now is no refund. Asked again, and again, until it is one.
      if (result === 'notFound')
        throw new Error(`the gateway does not know payment ${paymentId}, which is to be refunded`);
      await this.#pause(attempt);
    }
    await this.#append({ type: 'refundCompleted', saleId, epoch, at: clock.nowMs(), paymentId });
    // Neither without an order nor without a refund any more.
    this.#chargedAtMs.delete(paymentId);
    this.#countEnd(paymentId, 'refunded');
    await this.#persist(() =>
      completePayment(
        redis,
        { saleId, accountId, holdId, paymentId },
        { status: 'refunded', failureCode: reason },
        // There is no other outcome after this one, in any epoch.
        live.get(saleId)?.snapshot.epoch ?? NO_EPOCH,
      ),
    );
  }

  /** Runs a script with the sale's present epoch; waits out a restoration of the sale. */
  async #withEpoch<Result extends { readonly status: string }>(
    saleId: number,
    script: (epoch: number) => Promise<Result>,
  ): Promise<{ result: Exclude<Result, { status: 'missing' | 'wrongEpoch' }>; epoch: number }> {
    for (let attempt = 0; ; attempt += 1) {
      const live = await this.#options.live.load(saleId);
      if (live !== undefined) {
        const { epoch } = live.snapshot;
        const result = await this.#persist(() => script(epoch));
        if (result.status !== 'missing' && result.status !== 'wrongEpoch') {
          return { result: result as Exclude<Result, { status: 'missing' | 'wrongEpoch' }>, epoch };
        }
        await this.#options.live.refresh(saleId).catch((error: unknown) => {
          if (!isStoreFailure(error)) throw error;
        });
      }
      await this.#pause(attempt);
    }
  }

  #write(record: OrderLogRecord): Promise<number> {
    return traced(
      'order-log append',
      () => this.#options.log.append(record),
      () => ({ 'fest.record.type': record.type }),
    );
  }

  /** Money has moved: what has to be said now is said until it is heard. */
  async #append(record: OrderLogRecord): Promise<void> {
    await retry(() => this.#write(record), {
      firstMs: 50,
      maxMs: 2_000,
      signal: this.#stopping.signal,
      isTransient: (error) => error instanceof OrderLogError && error.code === 'full',
      onRetry: (error, waitMs) =>
        this.#options.logger.warn({ err: error, waitMs }, 'the order log has no room; trying again'),
    }).catch((error: unknown) => {
      if (error instanceof OrderLogError && (error.code === 'failed' || error.code === 'closed'))
        throw new Interrupted();
      throw error;
    });
  }

  /** Repeats idempotent work while a store cannot be reached. */
  #persist<Result>(work: () => Promise<Result>): Promise<Result> {
    return retry(work, {
      firstMs: 50,
      maxMs: 1_000,
      signal: this.#stopping.signal,
      isTransient: isStoreFailure,
    });
  }
}
