/**
 * Facts of the payments and orders of one sale, one row a payment (an order's id follows from its payment's). Columns of
 * typed arrays and one map of ids: some 170 bytes an order, so that a million of them fit.
 */
import { paymentIdOf } from '../platform/ids.ts';
import { isSameMoney, moneyText } from './words.ts';

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
  /** … or so lately that its statement says nothing yet, or in a line that nobody can read: it is not judged. */
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

const FIRST_ROWS = 1_024;

/** Texts of which there are few: a row keeps the number of its text, 0 for none. */
class Texts {
  readonly #numbers = new Map<string, number>([['', 0]]);
  readonly #texts: string[] = [''];

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#texts.push(text) - 1;
    this.#numbers.set(text, number);
    return number;
  }

  textOf(number: number | undefined): string {
    return this.#texts[number ?? 0] ?? '';
  }
}

export class OrderRows {
  readonly #index = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #currencyTexts = new Texts();
  readonly #failureTexts = new Texts();
  #flags = new Uint32Array(FIRST_ROWS);
  #archived = new Uint8Array(FIRST_ROWS);
  #accounts = new Float64Array(FIRST_ROWS);
  #amounts = new Float64Array(FIRST_ROWS);
  #paidAtMs = new Float64Array(FIRST_ROWS);
  #confirmSeqs = new Float64Array(FIRST_ROWS);
  #lsns = new Float64Array(FIRST_ROWS);
  #logs = new Uint16Array(FIRST_ROWS);
  #currencies = new Uint16Array(FIRST_ROWS);
  #failureCodes = new Uint32Array(FIRST_ROWS);
  #ticketsFrom = new Uint32Array(FIRST_ROWS);
  #ticketCounts = new Uint16Array(FIRST_ROWS);
  #tickets = new Uint32Array(FIRST_ROWS);
  #ticketsUsed = 0;
  /** Where each order was cancelled; made when the first one is. */
  #cancelLsns: Float64Array | undefined;
  #cancelLogs: Uint16Array | undefined;
  /** What the gateway took, where it was not known what it should have taken. */
  #capturedAmounts: Float64Array | undefined;
  #capturedCurrencies: Uint16Array | undefined;

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
    return this.#currencyTexts.textOf(this.#currencies[row]);
  }

  failureCode(row: number): string {
    return this.#failureTexts.textOf(this.#failureCodes[row]);
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

  /** Whether amount and currency of the payment are known. */
  hasMoney(row: number): boolean {
    return this.#currencies[row] !== 0;
  }

  /** What the gateway took; only for rows with `SEEN.captureKept`. */
  capturedMoney(row: number): Money {
    const currency = this.#currencyTexts.textOf(this.#capturedCurrencies?.[row]);
    return { amount: this.#capturedAmounts?.[row] ?? 0, currency };
  }

  // --- writing --------------------------------------------------------------------------------------------------------

  setOrder(row: number, facts: OrderFacts): void {
    this.setPayment(row, facts);
    this.#confirmSeqs[row] = facts.confirmSeq;
    this.#paidAtMs[row] = facts.paidAtMs;
    const count = facts.ticketNumbers.length;
    while (this.#ticketsUsed + count > this.#tickets.length) this.#tickets = grown(this.#tickets, Uint32Array);
    this.#tickets.set(ascending(facts.ticketNumbers), this.#ticketsUsed);
    this.#ticketsFrom[row] = this.#ticketsUsed;
    this.#ticketCounts[row] = count;
    this.#ticketsUsed += count;
  }

  setPayment(row: number, facts: Money & { readonly accountId: number }): void {
    this.#accounts[row] = facts.accountId;
    this.#amounts[row] = facts.amount;
    this.#currencies[row] = this.#currencyTexts.numberOf(facts.currency);
  }

  setPlace(row: number, { log, lsn }: LogPlace): void {
    this.#logs[row] = log;
    this.#lsns[row] = lsn;
  }

  setCancelPlace(row: number, { log, lsn }: LogPlace): void {
    this.#cancelLsns ??= new Float64Array(this.#flags.length);
    this.#cancelLogs ??= new Uint16Array(this.#flags.length);
    this.#cancelLsns[row] = lsn;
    this.#cancelLogs[row] = log;
  }

  setFailureCode(row: number, code: string): void {
    this.#failureCodes[row] = this.#failureTexts.numberOf(code);
  }

  /** As MySQL words it. */
  setArchivedStatus(row: number, word: string): void {
    const status = ARCHIVED_WORDS.indexOf(word as (typeof ARCHIVED_WORDS)[number]);
    this.#archived[row] = status > 0 ? status : ARCHIVED.other;
  }

  keepCapture(row: number, { amount, currency }: Money): void {
    this.#capturedAmounts ??= new Float64Array(this.#flags.length);
    this.#capturedCurrencies ??= new Uint16Array(this.#flags.length);
    this.#capturedAmounts[row] = amount;
    this.#capturedCurrencies[row] = this.#currencyTexts.numberOf(currency);
    this.mark(row, SEEN.captureKept);
  }

  /** In what the facts of an order and others differ, as text; empty: in nothing. */
  differenceTo(row: number, other: OrderFacts, [here, there]: readonly [string, string]): string {
    const differences: string[] = [];
    const compare = (what: string, ours: number | string, theirs: number | string): void => {
      if (ours !== theirs) differences.push(`${what} (${here} ${ours}, ${there} ${theirs})`);
    };
    compare('account', this.accountId(row), other.accountId);
    const money = { amount: this.amount(row), currency: this.currency(row) };
    if (!isSameMoney(money, other)) compare('amount', moneyText(money), moneyText(other));
    compare('number of the sale', this.confirmSeq(row), other.confirmSeq);
    compare('time', this.paidAtMs(row), other.paidAtMs);
    if (!this.#hasTickets(row, other.ticketNumbers)) {
      compare('tickets', ticketText(this.tickets(row)), ticketText(other.ticketNumbers));
    }
    return differences.join(', ');
  }

  #hasTickets(row: number, numbers: readonly number[]): boolean {
    const ours = this.tickets(row);
    return ours.length === numbers.length && ascending(numbers).every((number, index) => number === ours[index]);
  }

  #grow(): void {
    this.#flags = grown(this.#flags, Uint32Array);
    this.#archived = grown(this.#archived, Uint8Array);
    this.#accounts = grown(this.#accounts, Float64Array);
    this.#amounts = grown(this.#amounts, Float64Array);
    this.#paidAtMs = grown(this.#paidAtMs, Float64Array);
    this.#confirmSeqs = grown(this.#confirmSeqs, Float64Array);
    this.#lsns = grown(this.#lsns, Float64Array);
    this.#logs = grown(this.#logs, Uint16Array);
    this.#currencies = grown(this.#currencies, Uint16Array);
    this.#failureCodes = grown(this.#failureCodes, Uint32Array);
    this.#ticketsFrom = grown(this.#ticketsFrom, Uint32Array);
    this.#ticketCounts = grown(this.#ticketCounts, Uint16Array);
    if (this.#cancelLsns !== undefined) this.#cancelLsns = grown(this.#cancelLsns, Float64Array);
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

/** Most orders have one ticket: then there is nothing to be sorted, and nothing to be copied. */
function ascending(numbers: readonly number[]): readonly number[] {
  return numbers.length > 1 ? numbers.toSorted((left, right) => left - right) : numbers;
}

/** The order in which numbers were taken does not matter. */
function ticketText(ticketNumbers: Iterable<number>): string {
  return [...ticketNumbers].sort((left, right) => left - right).join(', ') || 'none';
}
