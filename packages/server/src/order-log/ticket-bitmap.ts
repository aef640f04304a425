/**
 * The writer's own idea of which tickets are sold: the gate between the Lua scripts and MySQL's unique keys. It knows
 * only its log, is fed by nothing but records, and is rebuilt from them on open.
 *
 * A ticket takes 8 bytes rather than a bit: it keeps a 53-bit fingerprint of its order (0 = not sold), so that a repeated
 * record can be told from a double sale, and a repeated cancellation cannot free a ticket that was sold again since.
 */
import { crc32 } from 'node:zlib';
import type { RefusalReason } from './errors.ts';
import { TICKET_NUMBER_MAX } from './limits.ts';

export interface TicketRefusal {
  readonly reason: RefusalReason;
  readonly message: string;
  /** Every ticket of the record is held by this very order. */
  readonly sameOrder: boolean;
}

interface Sold {
  readonly saleId: number;
  readonly orderId: string;
  readonly ticketNumbers: readonly number[];
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const SMALLEST_TABLE = 1024;

/** CRC-32 and 21 bits of FNV-1a side by side: 53 bits, exact in a double, never 0. */
function fingerprint(orderId: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < orderId.length; index += 1) {
    hash = Math.imul(hash ^ orderId.charCodeAt(index), FNV_PRIME);
  }
  return crc32(orderId) * 0x20_0000 + (hash >>> 11) || 1;
}

function malformed(message: string): TicketRefusal {
  return { reason: 'malformed', message, sameOrder: false };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** What the gate needs of a record, or what is wrong with it. The record comes from the log or from a caller's JSON. */
function parseSold(record: unknown): Sold | TicketRefusal {
  if (!isObject(record)) return malformed('The record is not an object.');
  const { saleId, orderId, ticketNumbers } = record;
  if (typeof saleId !== 'number' || !Number.isSafeInteger(saleId)) return malformed('saleId is not an integer.');
  if (typeof orderId !== 'string' || orderId === '') return malformed('orderId is missing.');
  if (!Array.isArray(ticketNumbers) || ticketNumbers.length === 0) return malformed('ticketNumbers is empty.');
  if (!ticketNumbers.every((ticket): ticket is number => Number.isSafeInteger(ticket) && ticket >= 1)) {
    return malformed(`Order ${orderId} has a ticket number that is not an integer from 1 on.`);
  }
  if (new Set(ticketNumbers).size !== ticketNumbers.length) {
    return malformed(`Order ${orderId} names a ticket twice.`);
  }
  return { saleId, orderId, ticketNumbers };
}

export class TicketBitmap {
  /** Per sale, by ticket number: fingerprint of its order, 0 = not sold. */
  readonly #sales = new Map<number, Float64Array>();

  /** Takes all tickets of an `orderPaid`, or none and says why not. */
  sell(record: unknown): TicketRefusal | undefined {
    const sold = parseSold(record);
    if ('reason' in sold) return sold;
    const capacity = isObject(record) ? record.capacity : undefined;
    if (typeof capacity !== 'number' || !Number.isSafeInteger(capacity) || capacity < 1) {
      return malformed(`Order ${sold.orderId} has no capacity.`);
    }
    const highest = sold.ticketNumbers.reduce((a, b) => Math.max(a, b), 0);
    if (highest > Math.min(capacity, TICKET_NUMBER_MAX)) {
      const message = `Ticket ${highest} of sale ${sold.saleId} is beyond its capacity of ${capacity} (or of this log).`;
      return { reason: 'beyondCapacity', message, sameOrder: false };
    }
    const tickets = this.#ensureTickets(sold.saleId, highest);
    const order = fingerprint(sold.orderId);
    const taken = sold.ticketNumbers.find((ticket) => tickets[ticket] !== 0);
    if (taken !== undefined) {
      const sameOrder = sold.ticketNumbers.every((ticket) => tickets[ticket] === order);
      const by = sameOrder ? 'this very order' : 'another order';
      return {
        reason: 'ticketAlreadySold',
        message: `Ticket ${taken} of sale ${sold.saleId} is held by ${by}.`,
        sameOrder,
      };
    }
    for (const ticket of sold.ticketNumbers) tickets[ticket] = order;
    return undefined;
  }

  /** Frees the tickets of an `orderCancelled` that are still this order's. */
  cancel(record: unknown): TicketRefusal | undefined {
    const cancelled = parseSold(record);
    if ('reason' in cancelled) return cancelled;
    const tickets = this.#sales.get(cancelled.saleId);
    if (tickets === undefined) return undefined;
    const order = fingerprint(cancelled.orderId);
    for (const ticket of cancelled.ticketNumbers) {
      if (tickets[ticket] === order) tickets[ticket] = 0;
    }
    return undefined;
  }

  /** The sale's table, grown so that it has a place for this ticket number. */
  #ensureTickets(saleId: number, ticketNumber: number): Float64Array {
    const tickets = this.#sales.get(saleId);
    if (tickets !== undefined && ticketNumber < tickets.length) return tickets;
    let length = tickets?.length ?? SMALLEST_TABLE;
    while (length <= ticketNumber) length *= 2;
    const grown = new Float64Array(length);
    if (tickets !== undefined) grown.set(tickets);
    this.#sales.set(saleId, grown);
    return grown;
  }
}
