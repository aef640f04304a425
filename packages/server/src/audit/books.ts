/**
 * Everything that order logs, MySQL and the gateway say about the payments and orders of one sale, one row a payment (an
 * order's id follows from its payment's). Columns of typed arrays: some 150 bytes an order, so that a million of them fit.
 * Facts are kept once; what a second source says is compared when it comes and only a difference is kept.
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

/** Flags of a row. */
export const SEEN = {
  /** An order log has its `orderPaid`. */
  order: 1 << 0,
  /** Read so late that what came after it in other logs was not read: it is not judged this time. */
  late: 1 << 1,
  /** A refund of the order has begun: from here on its tickets may be in stock again. */
  cancelBegun: 1 << 2,
  /** Its tickets are in stock again. */
  cancelled: 1 << 3,
  /** As `cancelled`, known before Redis was looked at. */
  cancelledBefore: 1 << 4,
  /** The refund of the order is done. */
  orderRefunded: 1 << 5,
  intent: 1 << 6,
  failed: 1 << 7,
  /** A refund of a payment that never became an order. */
  refundBegun: 1 << 8,
  refunded: 1 << 9,
  /** MySQL has its order. */
  archived: 1 << 10,
  /** MySQL has it among the payments without an order. */
  archivedPayment: 1 << 11,
  /** The gateway has taken the money, … */
  captured: 1 << 12,
  /** … given it back, … */
  returned: 1 << 13,
  /** … or so lately that its statement says nothing yet. */
  recent: 1 << 14,
  /** MySQL refused its `orderPaid`, which is in `failed_records`. */
  setAside: 1 << 15,
  /** MySQL remembers that it was given back: begun, done. */
  tombstone: 1 << 16,
  tombstoneDone: 1 << 17,
  /** Redis tells its buyer `succeeded`. */
  promised: 1 << 18,
  /** The gateway's money is kept beside the row, because nobody had said what the payment's is. */
  captureKept: 1 << 19,
  /** Its `orderPaid` was read before Redis was looked at. */
  early: 1 << 20,
  /** Its money was given back by a record of the last reading. */
  refundedLate: 1 << 21,
} as const;

/** Status of an order in MySQL. */
export const ARCHIVED = { none: 0, paid: 1, cancelling: 2, cancelled: 3, other: 4 } as const;
const ARCHIVED_WORDS = ['', 'paid', 'cancelling', 'cancelled', 'an unknown status'] as const;

/** What an order is; times Unix milliseconds, money integer minor units. */
export interface OrderFacts {
  readonly orderId: string;
  readonly paymentId: string;
  readonly festivalId: number;
  readonly accountId: number;
  /** Number of the sale's confirmations, in their order. */
  readonly confirmSeq: number;
  /** All tickets it was sold with, also when it is cancelled. */
  readonly ticketNumbers: readonly number[];
  readonly amount: number;
  readonly currency: string;
  readonly paidAtMs: number;
}

/** A place in a log: which of the logs that were read, and its LSN. */
export interface LogPlace {
  readonly log: number;
  readonly lsn: number;
}

/** Minor units of a currency. */
export interface Money {
  readonly amount: number;
  readonly currency: string;
}

/** A payment without an end. */
export interface OpenPayment extends LogPlace {
  readonly record: PaymentIntent | RefundStarted;
}

/** A list that keeps its first entries and counts the rest. */
export class BoundedList<Item> {
  readonly kept: Item[] = [];
  #count = 0;
  get count(): number {
    return this.#count;
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
const FIRST_ROWS = 1_024;
const NO_CODE = 0;

export class SaleBooks {
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

  readonly #index = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #codes: string[] = [''];
  #flags = new Uint32Array(FIRST_ROWS);
  #archived = new Uint8Array(FIRST_ROWS);
  #accounts = new Float64Array(FIRST_ROWS);
  #amounts = new Float64Array(FIRST_ROWS);
  #paidAtMs = new Float64Array(FIRST_ROWS);
  #confirmSeqs = new Uint32Array(FIRST_ROWS);
  #lsns = new Uint32Array(FIRST_ROWS);
  #logs = new Uint16Array(FIRST_ROWS);
  #currencies = new Uint16Array(FIRST_ROWS);
  #failureCodes = new Uint16Array(FIRST_ROWS);
  #ticketsFrom = new Uint32Array(FIRST_ROWS);
  #ticketCounts = new Uint16Array(FIRST_ROWS);
  #tickets = new Uint32Array(FIRST_ROWS);
  #ticketsUsed = 0;
  /** Where each order was cancelled; made when the first one is. */
  #cancelLsns: Uint32Array | undefined;
  #cancelLogs: Uint16Array | undefined;
  /** What the gateway took, where it was not known what it should have taken. */
  #capturedAmounts: Float64Array | undefined;
  #capturedCurrencies: Uint16Array | undefined;
  #festivalId: number | undefined;

  constructor(saleId: number) {
    this.saleId = saleId;
  }

  /** Rows are 0 … size − 1. */
  get size(): number {
    return this.#ids.length;
  }

  find(orderId: string): number | undefined {
    return this.#index.get(orderId);
  }

  ensure(orderId: string): number {
    const known = this.#index.get(orderId);
    if (known !== undefined) return known;
    const row = this.#ids.length;
    if (row === this.#flags.length) this.#grow();
    this.#index.set(orderId, row);
    this.#ids.push(orderId);
    return row;
  }

  orderId(row: number): string {
    return this.#ids[row] ?? '';
  }

  paymentId(row: number): string {
    return paymentIdOf(this.orderId(row));
  }

  has(row: number, flags: number): boolean {
    return ((this.#flags[row] ?? 0) & flags) !== 0;
  }

  mark(row: number, flags: number): void {
    this.#flags[row] = (this.#flags[row] ?? 0) | flags;
  }

  /** An order, of a log or of MySQL. */
  isOrder(row: number): boolean {
    return this.has(row, SEEN.order | SEEN.archived);
  }

  archivedStatus(row: number): number {
    return this.#archived[row] ?? ARCHIVED.none;
  }

  archivedWord(row: number): string {
    return ARCHIVED_WORDS[this.archivedStatus(row)] ?? '';
  }

  accountId(row: number): number {
    return this.#accounts[row] ?? 0;
  }

  amount(row: number): number {
    return this.#amounts[row] ?? 0;
  }

  currency(row: number): string {
    return this.#codes[this.#currencies[row] ?? NO_CODE] ?? '';
  }

  failureCode(row: number): string {
    return this.#codes[this.#failureCodes[row] ?? NO_CODE] ?? '';
  }

  confirmSeq(row: number): number {
    return this.#confirmSeqs[row] ?? 0;
  }

  paidAtMs(row: number): number {
    return this.#paidAtMs[row] ?? 0;
  }

  ticketCount(row: number): number {
    return this.#ticketCounts[row] ?? 0;
  }

  /** A view: valid until the next row is added. */
  tickets(row: number): Uint32Array {
    const from = this.#ticketsFrom[row] ?? 0;
    return this.#tickets.subarray(from, from + this.ticketCount(row));
  }

  /** Of the last record that says something about the payment. */
  place(row: number): LogPlace {
    return { log: this.#logs[row] ?? 0, lsn: this.#lsns[row] ?? 0 };
  }

  /** Of the order's cancellation; only for rows with `SEEN.cancelled`. */
  cancelPlace(row: number): LogPlace {
    return { log: this.#cancelLogs?.[row] ?? 0, lsn: this.#cancelLsns?.[row] ?? 0 };
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
      const what = this.#differenceTo(row, facts, ['in one log', 'in another']);
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
      const what = this.#differenceTo(row, facts, ['MySQL', 'log']);
      if (what !== '') this.differences.push({ row, what });
    }
    this.#setFacts(row, facts);
    this.#setPlace(row, place);
    this.mark(row, SEEN.order | STAGE_MARKS[stage]);
  }

  #takeIntent(record: PaymentIntent, place: LogPlace): void {
    const row = this.ensure(orderIdOf(record.paymentId));
    this.mark(row, SEEN.intent);
    if (this.has(row, SEEN.order | SEEN.failed | SEEN.refundBegun | SEEN.refunded)) return;
    this.#setPayment(row, record);
    this.#setPlace(row, place);
    this.open.set(row, { record, ...place });
  }

  #takeFailure(record: PaymentFailed, place: LogPlace): void {
    const row = this.ensure(orderIdOf(record.paymentId));
    this.#end(row, SEEN.failed, place);
    this.#failureCodes[row] = this.#codeOf(record.failureCode);
  }

  #takeRefund(record: RefundStarted, place: LogPlace): void {
    const row = this.ensure(orderIdOf(record.paymentId));
    this.mark(row, SEEN.refundBegun);
    this.#contradictOrder(row, 'is given back');
    if (this.has(row, SEEN.refunded)) return;
    this.#setPayment(row, record);
    this.#failureCodes[row] = this.#codeOf(record.reason);
    this.#setPlace(row, place);
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
    this.#setPlace(row, place);
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
    this.#cancelLsns ??= new Uint32Array(this.#flags.length);
    this.#cancelLogs ??= new Uint16Array(this.#flags.length);
    this.#cancelLsns[row] = place.lsn;
    this.#cancelLogs[row] = place.log;
  }

  // --- MySQL ----------------------------------------------------------------------------------------------------------

  takeArchivedOrder(order: ArchivedOrder): number {
    const row = this.ensure(order.orderId);
    this.archivedOrders += 1;
    this.archivedTickets += order.ticketNumbers.length;
    const status = ARCHIVED_WORDS.indexOf(order.status as (typeof ARCHIVED_WORDS)[number]);
    this.#archived[row] = status > 0 ? status : ARCHIVED.other;
    this.mark(row, SEEN.archived);
    if (paymentIdOf(order.orderId) !== order.paymentId) {
      const what = `payment (log ${paymentIdOf(order.orderId)}, MySQL ${order.paymentId})`;
      this.differences.push({ row, what });
    }
    if (!this.has(row, SEEN.order)) {
      this.#setFacts(row, order);
      return row;
    }
    const what = this.#differenceTo(row, order, ['log', 'MySQL']);
    if (what !== '') this.differences.push({ row, what });
    return row;
  }

  /** Facts of a payment that only MySQL knows. */
  setPaymentFacts(row: number, facts: Money & { readonly accountId: number }): void {
    this.#setPayment(row, facts);
  }

  // --- the gateway ----------------------------------------------------------------------------------------------------

  /** False when the money is not what the payment's is. What nobody knows yet is kept and compared at the end. */
  takeCapture(row: number, money: Money): boolean {
    this.captures += 1;
    this.mark(row, SEEN.captured);
    if (this.hasMoney(row)) return this.amount(row) === money.amount && this.currency(row) === money.currency;
    this.#capturedAmounts ??= new Float64Array(this.#flags.length);
    this.#capturedCurrencies ??= new Uint16Array(this.#flags.length);
    this.#capturedAmounts[row] = money.amount;
    this.#capturedCurrencies[row] = this.#codeOf(money.currency);
    this.mark(row, SEEN.captureKept);
    return true;
  }

  /** Only for rows with `SEEN.captureKept`. */
  capturedMoney(row: number): Money {
    const currency = this.#codes[this.#capturedCurrencies?.[row] ?? NO_CODE] ?? '';
    return { amount: this.#capturedAmounts?.[row] ?? 0, currency };
  }

  takeReturn(row: number): void {
    this.returns += 1;
    this.mark(row, SEEN.returned);
  }

  /** Whether amount and currency of the payment are known. */
  hasMoney(row: number): boolean {
    return this.#currencies[row] !== NO_CODE;
  }

  // ----------------------------------------------------------------------------------------------------------------------

  #setFacts(row: number, facts: OrderFacts): void {
    this.#setPayment(row, facts);
    this.#festivalId ??= facts.festivalId;
    if (facts.festivalId !== this.#festivalId) {
      this.contradictions.push(
        `Order ${facts.orderId} is of festival ${facts.festivalId}, other orders of the sale of ${this.#festivalId}.`,
      );
    }
    this.#confirmSeqs[row] = facts.confirmSeq;
    this.#paidAtMs[row] = facts.paidAtMs;
    const count = facts.ticketNumbers.length;
    while (this.#ticketsUsed + count > this.#tickets.length) this.#tickets = grown(this.#tickets, Uint32Array);
    const sorted = count > 1 ? facts.ticketNumbers.toSorted((left, right) => left - right) : facts.ticketNumbers;
    this.#tickets.set(sorted, this.#ticketsUsed);
    this.#ticketsFrom[row] = this.#ticketsUsed;
    this.#ticketCounts[row] = count;
    this.#ticketsUsed += count;
  }

  #setPayment(row: number, facts: Money & { readonly accountId: number }): void {
    this.#accounts[row] = facts.accountId;
    this.#amounts[row] = facts.amount;
    this.#currencies[row] = this.#codeOf(facts.currency);
  }

  #setPlace(row: number, { log, lsn }: LogPlace): void {
    this.#logs[row] = log;
    this.#lsns[row] = lsn;
  }

  /** In what the facts of a row and others differ, as text; empty: in nothing. */
  #differenceTo(row: number, other: OrderFacts, [here, there]: readonly [string, string]): string {
    const differences: string[] = [];
    const compare = (what: string, ours: number | string, theirs: number | string): void => {
      if (ours !== theirs) differences.push(`${what} (${here} ${ours}, ${there} ${theirs})`);
    };
    compare('account', this.accountId(row), other.accountId);
    compare('amount', this.amount(row), other.amount);
    compare('currency', this.currency(row), other.currency);
    compare('number of the sale', this.confirmSeq(row), other.confirmSeq);
    compare('time', this.paidAtMs(row), other.paidAtMs);
    compare('festival', this.#festivalId ?? other.festivalId, other.festivalId);
    if (!this.#sameTickets(row, other.ticketNumbers)) {
      compare('tickets', ticketText(this.tickets(row)) || 'none', ticketText(other.ticketNumbers) || 'none');
    }
    return differences.join(', ');
  }

  #sameTickets(row: number, numbers: readonly number[]): boolean {
    const ours = this.tickets(row);
    if (ours.length !== numbers.length) return false;
    const theirs = numbers.length > 1 ? numbers.toSorted((left, right) => left - right) : numbers;
    return theirs.every((number, index) => number === ours[index]);
  }

  /** Currencies and failure codes are few: a row keeps the number of its text. */
  #codeOf(text: string): number {
    const known = this.#codes.indexOf(text);
    if (known >= 0) return known;
    // What a broken gateway invents is not kept without bound; longer lists than this are not failure codes.
    if (this.#codes.length >= 0xffff) return NO_CODE;
    return this.#codes.push(text) - 1;
  }

  #grow(): void {
    this.#flags = grown(this.#flags, Uint32Array);
    this.#archived = grown(this.#archived, Uint8Array);
    this.#accounts = grown(this.#accounts, Float64Array);
    this.#amounts = grown(this.#amounts, Float64Array);
    this.#paidAtMs = grown(this.#paidAtMs, Float64Array);
    this.#confirmSeqs = grown(this.#confirmSeqs, Uint32Array);
    this.#lsns = grown(this.#lsns, Uint32Array);
    this.#logs = grown(this.#logs, Uint16Array);
    this.#currencies = grown(this.#currencies, Uint16Array);
    this.#failureCodes = grown(this.#failureCodes, Uint16Array);
    this.#ticketsFrom = grown(this.#ticketsFrom, Uint32Array);
    this.#ticketCounts = grown(this.#ticketCounts, Uint16Array);
    if (this.#cancelLsns !== undefined) this.#cancelLsns = grown(this.#cancelLsns, Uint32Array);
    if (this.#cancelLogs !== undefined) this.#cancelLogs = grown(this.#cancelLogs, Uint16Array);
    if (this.#capturedAmounts !== undefined) this.#capturedAmounts = grown(this.#capturedAmounts, Float64Array);
    if (this.#capturedCurrencies !== undefined) this.#capturedCurrencies = grown(this.#capturedCurrencies, Uint16Array);
  }
}

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;

function grown<Array extends Column>(
  column: Array,
  type: { new (length: number): Array & { set(values: ArrayLike<number>): void } },
): Array {
  const larger = new type(Math.ceil(column.length * 1.5));
  larger.set(column);
  return larger;
}

/** Tickets as one text: the order in which numbers were taken does not matter. */
export function ticketText(ticketNumbers: Iterable<number>): string {
  return [...ticketNumbers].sort((left, right) => left - right).join(', ');
}
