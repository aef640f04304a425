/**
 * Everything that order logs, MySQL and the gateway say about the payments and orders of one sale. Facts are kept once; what
 * a second source says is compared when it comes, and only a difference is kept.
 */
import type {
  OrderLogRecord,
  OrderPaid,
  PaymentFailed,
  PaymentIntent,
  RefundCompleted,
  RefundStarted,
} from '../order-log/records.ts';
import { orderIdOf, paymentIdOf } from '../platform/ids.ts';
import { AUDIT_LIMITS } from './limits.ts';
import { type LogPlace, type Money, type OrderFacts, OrderRows, SEEN } from './order-rows.ts';

/** A payment without an end. */
export interface OpenPayment extends LogPlace {
  readonly record: PaymentIntent | RefundStarted;
}

/** A list that keeps its first entries and counts the rest. */
export class BoundedList<Item> {
  readonly kept: Item[] = [];
  #count = 0;

  /** How many there are that were not kept. */
  get unkept(): number {
    return this.#count - this.kept.length;
  }

  push(item: Item): void {
    this.#count += 1;
    if (this.#count <= AUDIT_LIMITS.keptDifferences) this.kept.push(item);
  }
}

/** Before the look at Redis, after it, or last of all, when nothing is read any more that could explain what came last. */
export type ReadingStage = 'before' | 'after' | 'last';

export interface ArchivedOrder extends OrderFacts {
  readonly status: string;
}

const STAGE_MARKS: Readonly<Record<ReadingStage, number>> = { before: SEEN.early, after: 0, last: SEEN.late };

export class SaleBooks extends OrderRows {
  readonly saleId: number;
  /** Records of this sale in all logs. */
  records = 0;
  /** Highest capacity an order was sold under; for when neither MySQL nor Redis can be asked. */
  capacitySeen = 0;
  /** Orders of a log. */
  orders = 0;
  /** Orders of MySQL, and their tickets. */
  archivedOrders = 0;
  archivedTickets = 0;
  /** Payments the gateway has captured, given back. */
  captures = 0;
  returns = 0;
  /** An `epochStarted` of this sale was read after the look at Redis. */
  rebuiltMeanwhile = false;
  /** The same order or payment told in two ways by the logs: one sentence each. */
  readonly contradictions = new BoundedList<string>();
  /** An order that MySQL has otherwise than the log: the row, and in what. */
  readonly differences = new BoundedList<{ readonly row: number; readonly what: string }>();
  /** Rows of MySQL that contradict each other: one sentence each. */
  readonly archiveFaults = new BoundedList<string>();
  /** Ticket numbers that MySQL has as live in two orders. */
  readonly doubles = new BoundedList<{
    readonly ticketNumber: number;
    readonly first: string;
    readonly second: string;
  }>();
  /** Payments that have begun and not ended. */
  readonly open = new Map<number, OpenPayment>();
  /** Orders whose refund has begun and is not finished. */
  readonly cancelling = new Map<number, LogPlace & { readonly atMs: number }>();

  /** The same for all orders of a sale. */
  #festivalId: number | undefined;

  constructor(saleId: number) {
    super();
    this.saleId = saleId;
  }

  // --- order logs -----------------------------------------------------------------------------------------------------

  takeRecord(record: OrderLogRecord, place: LogPlace, stage: ReadingStage): void {
    this.records += 1;
    switch (record.type) {
      case 'orderPaid':
        this.#takeOrder(record, place, stage);
        break;
      case 'paymentIntent':
        this.#takeIntent(record, place);
        break;
      case 'paymentFailed':
        this.#takeFailure(record, place);
        break;
      case 'refundStarted':
        if (record.orderId === undefined) this.#takeRefund(record, place);
        else this.#beginCancel(this.ensure(record.orderId), place, record.at);
        break;
      case 'refundCompleted':
        this.#takeRefundDone(record, place, stage);
        break;
      case 'orderCancelled':
        this.#cancel(this.ensure(record.orderId), place, stage);
        break;
      case 'epochStarted':
        if (stage !== 'before') this.rebuiltMeanwhile = true;
        break;
      default:
        break;
    }
  }

  #takeOrder(record: OrderPaid, place: LogPlace, stage: ReadingStage): void {
    const row = this.ensure(record.orderId);
    const facts: OrderFacts = { ...record, paidAtMs: record.at };
    this.capacitySeen = Math.max(this.capacitySeen, record.capacity);
    this.open.delete(row);
    if (orderIdOf(record.paymentId) !== record.orderId) {
      this.contradictions.push(
        `Order ${record.orderId} names payment ${record.paymentId}, whose order would be ${orderIdOf(record.paymentId)}.`,
      );
    }
    if (this.has(row, SEEN.order)) {
      // The same order in two logs is what a crash at the wrong moment may leave; different contents are not.
      const what = this.differenceTo(row, facts, ['in one log', 'in another']);
      if (what !== '') this.contradictions.push(`Order ${record.orderId} is in the logs twice and differs in ${what}.`);
      return;
    }
    if (this.has(row, SEEN.failed | SEEN.refundBegun | SEEN.refunded)) {
      this.contradictions.push(
        `Payment ${record.paymentId} ended as ${this.endOf(row)} in the logs, and has order ${record.orderId} as well.`,
      );
    }
    this.orders += 1;
    if (this.has(row, SEEN.archived)) {
      const what = this.differenceTo(row, facts, ['MySQL', 'log']);
      if (what !== '') this.differences.push({ row, what });
    }
    this.#checkFestival(facts, this.contradictions);
    this.setOrder(row, facts);
    this.setPlace(row, place);
    this.mark(row, SEEN.order | STAGE_MARKS[stage]);
  }

  #takeIntent(record: PaymentIntent, place: LogPlace): void {
    const row = this.ensure(orderIdOf(record.paymentId));
    this.mark(row, SEEN.intent);
    if (this.has(row, SEEN.order | SEEN.failed | SEEN.refundBegun | SEEN.refunded)) return;
    this.setPayment(row, record);
    this.setPlace(row, place);
    this.open.set(row, { record, ...place });
  }

  #takeFailure(record: PaymentFailed, place: LogPlace): void {
    const row = this.ensure(orderIdOf(record.paymentId));
    this.#end(row, SEEN.failed, place);
    this.setFailureCode(row, record.failureCode);
  }

  #takeRefund(record: RefundStarted, place: LogPlace): void {
    const row = this.ensure(orderIdOf(record.paymentId));
    this.mark(row, SEEN.refundBegun);
    this.#contradictOrder(row, this.endOf(row));
    if (this.has(row, SEEN.refunded)) return;
    this.setPayment(row, record);
    this.setFailureCode(row, record.reason);
    this.setPlace(row, place);
    this.open.set(row, { record, ...place });
  }

  #takeRefundDone({ paymentId, orderId }: RefundCompleted, place: LogPlace, stage: ReadingStage): void {
    const row = this.ensure(orderId ?? orderIdOf(paymentId));
    if (orderId === undefined) this.#end(row, SEEN.refunded, place);
    this.mark(row, (orderId === undefined ? 0 : SEEN.orderRefunded) | (stage === 'last' ? SEEN.refundedLate : 0));
  }

  #end(row: number, end: number, place: LogPlace): void {
    this.mark(row, end);
    this.open.delete(row);
    this.#contradictOrder(row, this.endOf(row));
    this.setPlace(row, place);
  }

  #contradictOrder(row: number, end: string): void {
    if (!this.has(row, SEEN.order)) return;
    this.contradictions.push(`Payment ${this.paymentId(row)} has an order in the logs, and ends as ${end} as well.`);
  }

  /** How a payment without an order ended, or stands; for sentences. */
  endOf(row: number): string {
    if (this.has(row, SEEN.refunded)) return 'refunded';
    if (this.has(row, SEEN.refundBegun)) return 'being refunded';
    if (this.has(row, SEEN.failed)) return 'failed';
    return this.has(row, SEEN.intent) ? 'begun' : 'unknown';
  }

  #beginCancel(row: number, place: LogPlace, atMs: number): void {
    this.mark(row, SEEN.cancelBegun);
    if (!this.has(row, SEEN.cancelled)) this.cancelling.set(row, { ...place, atMs });
  }

  #cancel(row: number, place: LogPlace, stage: ReadingStage): void {
    if (this.has(row, SEEN.cancelled)) return;
    this.mark(row, SEEN.cancelBegun | SEEN.cancelled | (stage === 'before' ? SEEN.cancelledBefore : 0));
    this.cancelling.delete(row);
    this.setCancelPlace(row, place);
  }

  // --- MySQL ----------------------------------------------------------------------------------------------------------

  takeArchivedOrder(order: ArchivedOrder): number {
    const row = this.ensure(order.orderId);
    this.archivedOrders += 1;
    this.archivedTickets += order.ticketNumbers.length;
    this.setArchivedStatus(row, order.status);
    this.mark(row, SEEN.archived);
    if (paymentIdOf(order.orderId) !== order.paymentId) {
      const what = `payment (log ${paymentIdOf(order.orderId)}, MySQL ${order.paymentId})`;
      this.differences.push({ row, what });
    }
    this.#checkFestival(order, this.archiveFaults);
    if (!this.has(row, SEEN.order)) {
      this.setOrder(row, order);
      return row;
    }
    const what = this.differenceTo(row, order, ['log', 'MySQL']);
    if (what !== '') this.differences.push({ row, what });
    return row;
  }

  #checkFestival({ orderId, festivalId }: OrderFacts, faults: BoundedList<string>): void {
    this.#festivalId ??= festivalId;
    if (festivalId === this.#festivalId) return;
    faults.push(`Order ${orderId} is of festival ${festivalId}, others of the sale are of ${this.#festivalId}.`);
  }

  // --- the gateway ----------------------------------------------------------------------------------------------------

  /** False when the money is not what the payment's is. What nobody knows yet is kept and compared at the end. */
  takeCapture(row: number, money: Money): boolean {
    this.captures += 1;
    this.mark(row, SEEN.captured);
    if (this.hasMoney(row)) return this.amount(row) === money.amount && this.currency(row) === money.currency;
    this.keepCapture(row, money);
    return true;
  }

  takeReturn(row: number): void {
    this.returns += 1;
    this.mark(row, SEEN.returned);
  }
}
