/** I2, ticket by ticket: every number is in exactly one place. */
import type { SaleBooks } from '../books.ts';
import type { SaleEvidence } from '../evidence.ts';
import type { Findings } from '../finding.ts';
import { ARCHIVED, SEEN } from '../order-rows.ts';
import type { RedisReading, StockSlice } from '../redis-reading.ts';
import { rebuildSale } from '../remedies.ts';
import { counted } from '../words.ts';

/** Where a number is in Redis: how often it was found there, 0 for nowhere. */
class Places {
  readonly from: number;
  readonly through: number;
  /** Not whole numbers, or none of the sale's. */
  readonly foreign: (number | string)[] = [];
  readonly #times: Uint8Array;
  readonly #slice: StockSlice;

  constructor(slice: StockSlice) {
    const { stock, from } = slice;
    this.#slice = slice;
    this.from = from;
    this.through = Math.min(stock.through ?? stock.capacity, stock.capacity);
    this.#times = new Uint8Array(Math.max(0, this.through - from + 1));
    for (const { first, last } of stock.released) {
      if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) this.foreign.push(`${first}`);
      else for (let number = first; number <= last; number += 1) this.#put(number, true);
    }
    for (let number = Math.max(stock.nextFresh, from); number <= this.through; number += 1) this.#put(number, true);
    for (const { ticketNumbers } of slice.holds ?? []) for (const number of ticketNumbers) this.#put(number, false);
  }

  /** `ofSlice`: the number can only be in this slice; a hold's number may be in another one. */
  #put(number: number, ofSlice: boolean): void {
    if (number >= this.from && number <= this.through) {
      const index = number - this.from;
      this.#times[index] = Math.min(255, (this.#times[index] ?? 0) + 1);
    } else if (ofSlice || !Number.isSafeInteger(number) || number < 1 || number > this.#slice.stock.capacity) {
      this.foreign.push(number);
    }
  }

  times(number: number): number {
    return this.#times[number - this.from] ?? 0;
  }

  /** Made for findings only: looks everywhere. */
  describe(number: number): string {
    const { stock } = this.#slice;
    const places: string[] = [];
    if (stock.released.some(({ first, last }) => number >= first && number <= last)) places.push('released to stock');
    if (number >= stock.nextFresh) places.push('never given out');
    for (const { holdId, ticketNumbers } of this.#slice.holds ?? []) {
      for (const held of ticketNumbers) if (held === number) places.push(`held by ${holdId}`);
    }
    return places.join(' and ');
  }
}

/** The look at Redis comes without its holds when there are too many: then nothing can be said number by number. */
export function canPlace(reading: RedisReading): boolean {
  return reading.slices.every(
    ({ stock, holds }) =>
      holds !== undefined && Number.isSafeInteger(stock.capacity) && Number.isSafeInteger(stock.nextFresh),
  );
}

/** Rows whose tickets had left the stock when `slice` was looked at, and may have come back since. */
function mayBeSold(books: SaleBooks, row: number, { stock }: StockSlice): boolean {
  return books.isOrder(row) && books.confirmSeq(row) <= stock.confirmSeq && !books.has(row, SEEN.cancelledBefore);
}

/** Tickets that were neither in stock nor held, and that no order has and no payment under way: as far as is read by now. */
export function ticketsWithoutOrder(books: SaleBooks, reading: RedisReading): readonly number[] {
  if (!canPlace(reading)) return [];
  const missing: number[] = [];
  for (const slice of reading.slices) {
    const places = new Places(slice);
    const sold = new Uint8Array(Math.max(0, places.through - places.from + 1));
    for (let row = 0; row < books.size; row += 1) {
      if (!mayBeSold(books, row, slice)) continue;
      for (const number of books.tickets(row)) sold[number - places.from] = 1;
    }
    for (let number = places.from; number <= places.through; number += 1) {
      if (places.times(number) > 0 || sold[number - places.from] === 1) continue;
      if (!reading.confirming.has(number)) missing.push(number);
    }
  }
  return missing;
}

/**
 * An order that was sold for certain when Redis was looked at: confirmed by then, and no trace of a cancellation, which is
 * left before the tickets go back. Where a log is missing the trace may be in it, but then MySQL has it too.
 */
function wasSold(evidence: SaleEvidence, row: number, { stock }: StockSlice): boolean {
  const { books, sources } = evidence;
  if (!books.isOrder(row) || books.confirmSeq(row) > stock.confirmSeq || books.has(row, SEEN.cancelBegun)) return false;
  const archived = books.archivedStatus(row);
  // Begun in MySQL, and not in a log yet: a rebuild puts its tickets into stock.
  if (archived === ARCHIVED.cancelling) return false;
  if (sources.logsComplete && books.has(row, SEEN.order)) return true;
  return archived === ARCHIVED.paid;
}

export function checkTicketPlaces(evidence: SaleEvidence, found: Findings): void {
  const { redis, saleId, sources } = evidence;
  if (redis.status !== 'read' || !canPlace(redis.reading)) return;
  const remedy = rebuildSale(sources.tools, saleId);
  for (const slice of redis.reading.slices) {
    const places = new Places(slice);
    for (const number of places.foreign) {
      const message = () => `Redis has ticket ${number} in stock or in a hold, and the sale has no such number.`;
      found.add('I2', message, remedy);
    }
    for (let number = places.from; number <= places.through; number += 1) {
      if (places.times(number) > 1) found.add('I2', () => `Ticket ${number} is ${places.describe(number)}.`, remedy);
    }
    checkSoldPlaces(evidence, slice, places, found);
  }
}

/** A ticket that was sold was nowhere else. */
function checkSoldPlaces(evidence: SaleEvidence, slice: StockSlice, places: Places, found: Findings): void {
  const { books, saleId, sources } = evidence;
  for (let row = 0; row < books.size; row += 1) {
    if (!wasSold(evidence, row, slice)) continue;
    for (const number of books.tickets(row)) {
      if (number < places.from || places.times(number) === 0) continue;
      const message = () => `Ticket ${number} is sold in ${books.orderId(row)} and ${places.describe(number)}.`;
      found.add('I2', message, rebuildSale(sources.tools, saleId));
    }
  }
}

/** Numbers that have left the stock and are nowhere. Needs all logs: a ticket may be in one that was not read. */
export function checkLostTickets(evidence: SaleEvidence, found: Findings): void {
  const { redis, books, sources, saleId } = evidence;
  if (redis.status !== 'read' || !sources.logsComplete) return;
  const lost = ticketsWithoutOrder(books, redis.reading);
  if (lost.length === 0) return;
  const shown = lost.slice(0, 10).join(', ');
  const numbers = lost.length > 10 ? `${shown}, …` : shown;
  const verb = lost.length === 1 ? 'is' : 'are';
  found.add(
    'I2',
    () => `${counted(lost.length, 'ticket')} ${verb} neither in stock nor held nor sold: ${numbers}.`,
    rebuildSale(sources.tools, saleId),
  );
}
