/**
 * Watches everything and knows what must never be: what is on the disks, what the gateway did, what the archive has, what
 * Redis offers and what buyers were told have to fit together at every moment. The invariants are those of
 * docs/architecture.md; a name such as I1 is theirs.
 */
import type { OrderLogRecord, OrderPaid, StoredRecord } from '@fest/server/order-log/records';
import { saleKeys } from '@fest/server/redis/keys';
import type { Change } from '../mysql/table.ts';
import type { Keyspace } from '../redis/keyspace.ts';
import type { Charge } from './gateway.ts';
import { CLOSES_MS, SALE_ID, type SaleFacts } from './sale.ts';

/** Something that must never be has happened. */
export class Violation extends Error {
  override readonly name = 'Violation';
  /** Of docs/architecture.md, or `liveness`, `time`, `fault`. */
  readonly invariant: string;
  readonly facts: unknown;

  constructor(invariant: string, what: string, facts?: unknown) {
    super(`${invariant}: ${what}`);
    this.invariant = invariant;
    this.facts = facts;
  }
}

interface LogFacts {
  /** By LSN − 1, as JSON; what was acknowledged, or found on disk. */
  readonly records: string[];
}

/** What Redis sold by when it was looked at last, while its state could be trusted. */
interface TrustedState {
  readonly epoch: string;
  readonly serving: number;
  /** Buyers who are admitted or hold something. */
  readonly inside: number;
}

/** Scripts between two looks at all holds: what is wrong with them stays wrong for a while. */
const HOLDS_CHECKED_EVERY = 4;
/** Of two servers, milliseconds: each started by clocks that were wrong by up to 3 s. */
const CLOCKS_APART_MS = 6_500;
/** A hold may have waited for a Redis that hung, with its times decided before. */
const HOLD_LATE_AT_MOST_MS = 600_000;

export class Oracle {
  readonly #sale: SaleFacts;
  readonly #logs = new Map<string, LogFacts>();
  readonly #intents = new Set<string>();
  readonly #refunds = new Set<string>();
  readonly #voided = new Set<string>();
  readonly #owners = new Map<number, OrderPaid>();
  readonly #confirmSeqs = new Map<number, string>();
  readonly #orders = new Map<string, OrderPaid>();
  readonly #charges = new Map<string, Charge>();
  readonly #told = new Map<string, string>();
  readonly #liveHolds = new Set<string>();
  readonly #releaseAsked = new Set<string>();
  #writes = 0;
  #trusted: TrustedState = { epoch: '', serving: 0, inside: 0 };
  /** The largest capacity the sale ever had. */
  capacity: number;

  constructor(sale: SaleFacts) {
    this.#sale = sale;
    this.capacity = sale.capacity;
  }

  /** Every order that is on some disk, by its id. */
  get orders(): ReadonlyMap<string, OrderPaid> {
    return this.#orders;
  }

  /** Orders that were given back: their tickets are void. */
  isVoided(orderId: string): boolean {
    return this.#voided.has(orderId);
  }

  /** What buyers were told of payments last: payment id → status. */
  get told(): ReadonlyMap<string, string> {
    return this.#told;
  }

  /** All records of all logs, as far as they are known to be on disk. */
  *records(): Generator<OrderLogRecord> {
    for (const { records } of this.#logs.values()) for (const text of records) yield JSON.parse(text) as OrderLogRecord;
  }

  /** What each log says, as far as it is known to be on disk. */
  storedRecords(): readonly (readonly [string, readonly StoredRecord[]])[] {
    return [...this.#logs].map(([name, { records }]) => [
      name,
      records.map((text, index) => ({ lsn: index + 1, record: JSON.parse(text) as OrderLogRecord })),
    ]);
  }

  /** Orders that were given back to the end, as the logs say. */
  cancelledOrders(): ReadonlySet<string> {
    const cancelled = new Set<string>();
    for (const record of this.records()) if (record.type === 'orderCancelled') cancelled.add(record.orderId);
    return cancelled;
  }

  // --- order logs ---------------------------------------------------------------------------------------------------

  /** The log said that a record is on disk. */
  acknowledged(log: string, lsn: number, record: OrderLogRecord): void {
    const { records } = this.#log(log);
    const text = JSON.stringify(record);
    const known = records[lsn - 1];
    if (known !== undefined && known !== text) {
      throw new Violation('I3', `record ${lsn} of ${log} is another one than before`, { known, record });
    }
    if (known !== undefined) return;
    records[lsn - 1] = text;
    this.#learn(record);
  }

  /** What is really on a disk after a start. */
  recovered(log: string, found: readonly OrderLogRecord[]): void {
    const { records } = this.#log(log);
    for (const [index, text] of records.entries()) {
      const record = found[index];
      if (text !== undefined && (record === undefined || JSON.stringify(record) !== text)) {
        throw new Violation('I3', `record ${index + 1} of ${log} was acknowledged and is not on disk`, {
          acknowledged: text,
          found: record,
        });
      }
    }
    for (const [index, record] of found.entries()) this.acknowledged(log, index + 1, record);
  }

  #log(name: string): LogFacts {
    const log = this.#logs.get(name) ?? { records: [] };
    this.#logs.set(name, log);
    return log;
  }

  #learn(record: OrderLogRecord): void {
    switch (record.type) {
      case 'paymentIntent':
        this.#intents.add(record.paymentId);
        break;
      case 'refundStarted':
        this.#learnRefund(record.paymentId, record.orderId);
        break;
      case 'orderPaid':
        this.#learnOrder(record);
        break;
      default:
        break;
    }
  }

  #learnRefund(paymentId: string, orderId: string | undefined): void {
    this.#refunds.add(paymentId);
    const order = orderId === undefined ? this.#orderOfPayment(paymentId) : undefined;
    if (order !== undefined) throw new Violation('I10', 'a payment that became an order is refunded', order);
  }

  #learnOrder(order: OrderPaid): void {
    const { orderId, paymentId, ticketNumbers, confirmSeq, amount } = order;
    const known = this.#orders.get(orderId);
    if (known !== undefined) {
      if (known.ticketNumbers.join() !== ticketNumbers.join()) {
        throw new Violation('I4', 'one payment has become two orders', { known, order });
      }
      return;
    }
    this.#orders.set(orderId, order);
    for (const ticket of ticketNumbers) {
      const owner = this.#owners.get(ticket);
      if (owner !== undefined && !this.#voided.has(owner.orderId)) {
        throw new Violation('I1', `ticket ${ticket} is in two live orders`, { owner, order });
      }
      if (ticket < 1 || ticket > this.capacity)
        throw new Violation('I1', `ticket ${ticket} is beyond the capacity`, order);
      this.#owners.set(ticket, order);
    }
    const other = this.#confirmSeqs.get(confirmSeq);
    if (other !== undefined)
      throw new Violation('I1', `confirmation number ${confirmSeq} was given twice`, { other, order });
    this.#confirmSeqs.set(confirmSeq, orderId);
    if (this.#refunds.has(paymentId))
      throw new Violation('I10', 'a payment whose refund was decided became an order', order);
    const charge = this.#charges.get(paymentId);
    if (charge === undefined) throw new Violation('I10', 'an order without money', order);
    if (charge.taken !== amount)
      throw new Violation('I10', 'an order for another amount than was taken', { charge, order });
    this.#checkLimit(order.accountId);
  }

  #checkLimit(accountId: number): void {
    let tickets = 0;
    for (const order of this.#orders.values()) {
      if (order.accountId === accountId && !this.#voided.has(order.orderId)) tickets += order.ticketNumbers.length;
    }
    if (tickets > this.#sale.limitPerBuyer) {
      throw new Violation(
        'I5',
        `account ${accountId} has ${tickets} tickets; ${this.#sale.limitPerBuyer} is the limit`,
      );
    }
  }

  #orderOfPayment(paymentId: string): OrderPaid | undefined {
    for (const order of this.#orders.values()) if (order.paymentId === paymentId) return order;
    return undefined;
  }

  // --- the gateway --------------------------------------------------------------------------------------------------

  charged(charge: Charge): void {
    this.#charges.set(charge.paymentId, charge);
    if (!this.#intents.has(charge.paymentId)) {
      throw new Violation('I10', 'money was asked for before the intent was on disk', charge);
    }
  }

  refunded(charge: Charge): void {
    if (!this.#refunds.has(charge.paymentId)) {
      throw new Violation('I10', 'money was given back before that was decided on disk', charge);
    }
    const order = this.#orderOfPayment(charge.paymentId);
    if (order !== undefined && !this.#voided.has(order.orderId)) {
      throw new Violation('I10', 'the money of a live order was given back', { charge, order });
    }
  }

  // --- MySQL --------------------------------------------------------------------------------------------------------

  committed(changes: readonly Change[]): void {
    for (const { table, after } of changes) {
      if (table.schema.name === 'sales') this.capacity = Math.max(this.capacity, Number(after?.capacity ?? 0));
      if (table.schema.name !== 'orders' || after === undefined) continue;
      const orderId = String(after.order_id);
      if (after.status !== 'paid') this.#voided.add(orderId);
      if (!this.#orders.has(orderId)) throw new Violation('I3', 'the archive has an order that is in no log', after);
    }
  }

  // --- Redis --------------------------------------------------------------------------------------------------------

  /** After each script. States that were made in another process of Redis are nobody's: the scripts refuse them. */
  written(db: Keyspace, run: string, nowMs: number): void {
    const sale = db.hash(saleKeys.sale(SALE_ID));
    const epoch = sale?.get('epoch');
    if (sale === undefined || epoch === undefined || !epoch.endsWith(`:${run}`)) return;
    const number = (field: string): number => Number(sale.get(field));
    const [available, held, sold, capacity] = [number('available'), number('held'), number('sold'), number('capacity')];
    if (available + held + sold !== capacity || available < 0 || held < 0 || sold < 0) {
      throw new Violation('I2', 'the stock does not add up', { available, held, sold, capacity });
    }
    this.capacity = Math.max(this.capacity, capacity);
    const released = db.sortedSet(saleKeys.released(SALE_ID))?.size ?? 0;
    if (released + capacity - number('nextFresh') + 1 !== available) {
      throw new Violation('I2', 'the ticket numbers in stock are not as many as there are available', {
        released,
        nextFresh: number('nextFresh'),
        available,
      });
    }
    this.#checkLine(epoch, number('serving'), number('drawn'), number('pending'));
    this.#checkInside(number('inside'), number('maxActive'));
    if ((db.hash(saleKeys.buyers(SALE_ID))?.size ?? 0) !== number('inside')) {
      throw new Violation('I7', 'inside is not the number of live holds', { inside: number('inside') });
    }
    if (epoch !== this.#trusted.epoch) {
      this.#checkRestored(db, number('nextFresh'));
      this.#liveHolds.clear();
    }
    this.#checkTimes(db, String(sale.get('phase')), nowMs);
    this.#writes += 1;
    if (this.#writes % HOLDS_CHECKED_EVERY === 0) this.#checkHolds(db, number('held'));
    this.#trusted = { epoch, serving: number('serving'), inside: number('inside') };
  }

  #checkLine(epoch: string, serving: number, drawn: number, pending: number): void {
    const before = this.#trusted;
    if (serving > drawn) throw new Violation('I7', 'numbers were admitted that nobody has drawn', { serving, drawn });
    if (pending < 0) throw new Violation('I7', 'fewer than no buyers are pending', { pending });
    if (Number.parseInt(epoch, 10) < Number.parseInt(before.epoch || '0', 10)) {
      throw new Violation('I7', 'the epoch went back', { before: before.epoch, epoch });
    }
    if (serving < before.serving) {
      throw new Violation('I7', 'the serving number went back', { before, epoch, serving });
    }
  }

  /** An operator may lower the bound below who is inside: then it only goes down. */
  #checkInside(inside: number, maxActive: number): void {
    if (inside > Math.max(maxActive, this.#trusted.inside)) {
      throw new Violation('I7', 'more buyers are inside than may be', { inside, maxActive });
    }
  }

  /** A ticket is held once, and never while it is sold; nobody holds and has more than the limit. */
  #checkHolds(db: Keyspace, held: number): void {
    const tickets = new Set<string>();
    const bought = db.hash(saleKeys.bought(SALE_ID));
    for (const [account, holdId] of db.hash(saleKeys.buyers(SALE_ID)) ?? []) {
      const numbers = (db.hash(saleKeys.hold(SALE_ID, holdId))?.get('tickets') ?? '').split(',');
      for (const ticket of numbers) {
        const order = this.#owners.get(Number(ticket));
        if (tickets.has(ticket) || (order !== undefined && !this.#voided.has(order.orderId))) {
          throw new Violation('I1', `ticket ${ticket} is held, and held by another or sold`, { holdId, order });
        }
        tickets.add(ticket);
      }
      if (Number(bought?.get(account) ?? 0) + numbers.length > this.#sale.limitPerBuyer) {
        throw new Violation('I5', `account ${account} holds and has more tickets than the limit`, { holdId });
      }
    }
    if (tickets.size !== held)
      throw new Violation('I2', 'held is not the tickets of live holds', { held, tickets: [...tickets] });
  }

  /** Nothing ends long before its time, or would long after it, however wrong a clock is. */
  #checkTimes(db: Keyspace, phase: string, nowMs: number): void {
    if (phase === 'closed' && nowMs < CLOSES_MS - CLOCKS_APART_MS) {
      throw new Violation('time', 'the sale was closed, by nobody and long before its time', { nowMs, CLOSES_MS });
    }
    const holdOf = (holdId: string) => db.hash(saleKeys.hold(SALE_ID, holdId));
    for (const holdId of db.hash(saleKeys.buyers(SALE_ID))?.values() ?? []) {
      const expiresAtMs = Number(holdOf(holdId)?.get('expiresAtMs'));
      const wrongMs = expiresAtMs - (nowMs + this.#sale.holdSeconds * 1000);
      if (!this.#liveHolds.has(holdId) && Math.abs(wrongMs) > HOLD_LATE_AT_MOST_MS)
        throw new Violation('time', 'a hold is for another time than holds are', { holdId, wrongMs });
      this.#liveHolds.add(holdId);
    }
    for (const holdId of this.#liveHolds) {
      const hold = holdOf(holdId);
      const state = hold?.get('state');
      if (state === 'held' || state === 'paying') continue;
      this.#liveHolds.delete(holdId);
      const earlyMs = Number(hold?.get('expiresAtMs')) - nowMs;
      if (state === 'released' && !this.#releaseAsked.has(holdId) && earlyMs > CLOCKS_APART_MS)
        throw new Violation('time', 'a hold has expired long before its time', { holdId, earlyMs });
    }
  }

  /** A buyer wants to give a hold back; whether the hold is the buyer's is not known here. */
  releaseAsked(holdId: string): void {
    this.#releaseAsked.add(holdId);
  }

  /** A state that was built anew must not offer what is sold. */
  #checkRestored(db: Keyspace, nextFresh: number): void {
    const released = db.sortedSet(saleKeys.released(SALE_ID));
    for (const [ticket, order] of this.#owners) {
      if (this.#voided.has(order.orderId)) continue;
      if (ticket >= nextFresh || released?.score(String(ticket)) !== undefined) {
        throw new Violation('I1', `a sale that was built anew offers ticket ${ticket}, which is sold`, order);
      }
    }
  }

  // --- buyers -------------------------------------------------------------------------------------------------------

  /** A buyer was told what became of a payment. */
  toldPayment(paymentId: string, status: string): void {
    // When Redis has lost what it knew, the archive may answer, which is a moment behind.
    if (status === 'pending') return;
    const before = this.#told.get(paymentId) ?? 'pending';
    const allowed = NEXT_STATUSES[before];
    if (allowed !== undefined && !allowed.includes(status)) {
      throw new Violation('I4', `a payment was ${before} and is ${status} now`, { paymentId });
    }
    this.#told.set(paymentId, status);
    if (status === 'succeeded' && this.#orderOfPayment(paymentId) === undefined) {
      throw new Violation('I3', 'a buyer was told that a payment succeeded, and its order is on no disk', {
        paymentId,
      });
    }
  }

  /** Whether anything of a payment is on some disk. */
  isOnDisk(paymentId: string): boolean {
    return this.#intents.has(paymentId);
  }

  /** A buyer was shown an order. */
  shownOrder(orderId: string, tickets: readonly number[]): void {
    const order = this.#orders.get(orderId);
    if (order === undefined) throw new Violation('I3', 'a buyer was shown an order that is on no disk', { orderId });
    if (tickets.length > 0 && order.ticketNumbers.toSorted().join() !== tickets.toSorted().join()) {
      throw new Violation('I4', 'an order is shown with other tickets than it has', { order, tickets });
    }
  }
}

/** What a payment may become. `succeeded` → `refunded` is a cancelled order. */
const NEXT_STATUSES: Readonly<Record<string, readonly string[]>> = {
  pending: ['succeeded', 'failed', 'refunded'],
  succeeded: ['succeeded', 'refunded'],
  failed: ['failed'],
  refunded: ['refunded'],
};
