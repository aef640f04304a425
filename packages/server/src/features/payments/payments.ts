/** What follows from what the gateway says. Decisions on plain data. */
import { LIMITS } from '../../limits.ts';
import type { OrderLogRecord, OrderPaid, PaymentIntent } from '../../order-log/records.ts';
import { orderIdOf } from '../../platform/ids.ts';
import type { ConfirmedPayment } from '../../redis/scripts/payments.ts';
import type { GatewayOutcome, GatewayRecord } from './gateway.ts';

export type NextStep =
  | { readonly kind: 'confirm' }
  | { readonly kind: 'fail'; readonly failureCode: string }
  | { readonly kind: 'refund'; readonly failureCode: string }
  /** Ask the gateway (again) what became of it. */
  | { readonly kind: 'lookUp'; readonly reason: string };

/** Money that was taken must be exactly the money that was asked for. */
function confirmIfEqual(
  intent: PaymentIntent,
  taken: { readonly amount: number; readonly currency: string },
): NextStep {
  return taken.amount === intent.amount && taken.currency === intent.currency
    ? { kind: 'confirm' }
    : { kind: 'refund', failureCode: 'amount_differs' };
}

export function afterCharge(intent: PaymentIntent, outcome: GatewayOutcome): NextStep {
  switch (outcome.kind) {
    case 'captured':
      return confirmIfEqual(intent, outcome);
    case 'declined':
      return { kind: 'fail', failureCode: outcome.failureCode };
    case 'unknown':
      return { kind: 'lookUp', reason: outcome.reason };
  }
}

export function afterLookup(intent: PaymentIntent, record: GatewayRecord): NextStep {
  switch (record.kind) {
    case 'captured':
      return record.refunded ? { kind: 'refund', failureCode: 'refunded' } : confirmIfEqual(intent, record);
    case 'declined':
      return { kind: 'fail', failureCode: record.failureCode };
    case 'notFound':
      return { kind: 'fail', failureCode: 'not_charged' };
    case 'processing':
      return { kind: 'lookUp', reason: 'the gateway is still working on it' };
    case 'unknown':
      return { kind: 'lookUp', reason: record.reason };
  }
}

export function orderOf(
  intent: PaymentIntent,
  confirmed: Extract<ConfirmedPayment, { status: 'confirmed' }>,
  facts: { readonly festivalId: number; readonly epoch: number; readonly nowMs: number },
): OrderPaid {
  if (confirmed.ticketNumbers.length !== intent.ticketNumbers.length) {
    throw new Error(
      `payment ${intent.paymentId} paid ${intent.ticketNumbers.length} tickets and was given ${confirmed.ticketNumbers.length}`,
    );
  }
  return {
    type: 'orderPaid',
    saleId: intent.saleId,
    epoch: facts.epoch,
    at: facts.nowMs,
    orderId: orderIdOf(intent.paymentId),
    paymentId: intent.paymentId,
    holdId: intent.holdId,
    festivalId: facts.festivalId,
    accountId: intent.accountId,
    confirmSeq: confirmed.confirmSeq,
    ticketNumbers: confirmed.ticketNumbers,
    capacity: confirmed.capacity,
    amount: intent.amount,
    currency: intent.currency,
  };
}

/** What a log leaves to be done after a crash. */
export interface Unfinished {
  /** Payments the gateway may have been asked for, without an outcome in the log. */
  readonly intents: ReadonlyMap<string, PaymentIntent>;
  /** Orders that may not have been shown to their buyers yet. */
  readonly orders: readonly OrderPaid[];
  /** Refunds that were begun: payment id → what it was for. */
  readonly refunds: ReadonlyMap<string, Extract<OrderLogRecord, { type: 'refundStarted' }>>;
}

/**
 * Folds a log's records into what is left to do, from any point where what was open is known. Orders from before that
 * point are in MySQL, where their buyers see them.
 */
export class UnfinishedWork {
  readonly #intents = new Map<string, PaymentIntent>();
  readonly #refunds = new Map<string, Extract<OrderLogRecord, { type: 'refundStarted' }>>();
  readonly #orders = new Map<string, OrderPaid>();

  add(record: OrderLogRecord): void {
    switch (record.type) {
      case 'paymentIntent':
        this.#intents.set(record.paymentId, record);
        break;
      case 'orderPaid':
        this.#intents.delete(record.paymentId);
        this.#addOrder(record);
        break;
      case 'paymentFailed':
        this.#intents.delete(record.paymentId);
        break;
      case 'refundStarted':
        this.#intents.delete(record.paymentId);
        this.#refunds.set(record.paymentId, record);
        // An order that is given back has been shown.
        if (record.orderId !== undefined) this.#orders.delete(record.orderId);
        break;
      case 'refundCompleted':
        this.#refunds.delete(record.paymentId);
        break;
      default:
        break;
    }
  }

  /** The newest only: after a long absence of MySQL their buyers find the older ones in the archive sooner than we show them. */
  #addOrder(order: OrderPaid): void {
    this.#orders.set(order.orderId, order);
    if (this.#orders.size <= LIMITS.resumedOrders) return;
    for (const oldest of this.#orders.keys()) {
      this.#orders.delete(oldest);
      return;
    }
  }

  result(): Unfinished {
    return { intents: this.#intents, orders: [...this.#orders.values()], refunds: this.#refunds };
  }
}
