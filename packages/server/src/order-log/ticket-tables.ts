/**
 * Which tickets are sold, as far as one log knows: the ticket half of the writer's gate.
 *
 * A ticket takes 8 bytes rather than a bit: it keeps a 53-bit fingerprint of its order (0 = not sold), so that a repeated
 * record can be told from a double sale, and a repeated cancellation cannot free a ticket that was sold again since.
 *
 * The numbers of a sale lie in pages. A snapshot takes the pages as they are, and who changes one of them afterwards
 * copies it first: so a snapshot costs nothing when it is taken, however many tickets there are.
 */
import { crc32 } from 'node:zlib';
import type { RefusalReason } from './errors.ts';
import { HeldOrders } from './held-orders.ts';
import { TICKET_NUMBER_MAX } from './limits.ts';

export interface GateRefusal {
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

/** Ticket numbers in a page of a table; 32 KiB. */
export const TICKETS_PER_PAGE = 4096;

/** By ticket number within the page: fingerprint of its order, 0 = not sold. */
export type TicketPage = Float64Array<ArrayBuffer>;

/** The tickets of one sale as they were at one moment; never changes. */
export interface SaleTickets {
  readonly saleId: number;
  /** Page n has the ticket numbers from n × `TICKETS_PER_PAGE` on. Pages without a sold ticket may be absent. */
  readonly pages: readonly (readonly [pageNumber: number, page: TicketPage])[];
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** CRC-32 and 21 bits of FNV-1a side by side: 53 bits, exact in a double, never 0. */
function fingerprint(orderId: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < orderId.length; index += 1) {
    hash = Math.imul(hash ^ orderId.charCodeAt(index), FNV_PRIME);
  }
  return crc32(orderId) * 0x20_0000 + (hash >>> 11) || 1;
}

function malformed(message: string): GateRefusal {
  return { reason: 'malformed', message, sameOrder: false };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** What the gate needs of a record, or what is wrong with it. The record comes from the log or from a caller's JSON. */
function parseSold(record: unknown): Sold | GateRefusal {
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

interface OwnedPage {
  tickets: TicketPage;
  /** A snapshot has it as well: to be copied before it is changed. */
  shared: boolean;
}

/** An order's tickets mostly lie side by side: calls back once for each such run. */
function forEachRun(page: TicketPage, callback: (order: number, length: number) => void): void {
  let start = 0;
  for (let index = 1; index <= page.length; index += 1) {
    const order = page[start] ?? 0;
    if (page[index] === order) continue;
    if (order !== 0) callback(order, index - start);
    start = index;
  }
}

/** The tickets of one sale. */
class TicketTable {
  readonly #pages = new Map<number, OwnedPage>();
  /** Counted when first needed: most sales of a long log are over, and opening it need not wait for them. */
  #orders: HeldOrders | undefined;

  get(ticket: number): number {
    return this.#pages.get(Math.floor(ticket / TICKETS_PER_PAGE))?.tickets[ticket % TICKETS_PER_PAGE] ?? 0;
  }

  #set(ticket: number, order: number): void {
    this.#ownPage(Math.floor(ticket / TICKETS_PER_PAGE))[ticket % TICKETS_PER_PAGE] = order;
  }

  share(): SaleTickets['pages'] {
    return [...this.#pages].map(([pageNumber, page]) => {
      page.shared = true;
      return [pageNumber, page.tickets];
    });
  }

  adopt(pages: SaleTickets['pages']): void {
    for (const [pageNumber, tickets] of pages) this.#pages.set(pageNumber, { tickets, shared: true });
    this.#orders = undefined;
  }

  /** Whether an order holds any ticket here. */
  hasOrder(order: number): boolean {
    return this.#heldOrders().has(order);
  }

  sell(ticketNumbers: readonly number[], order: number): void {
    const orders = this.#heldOrders();
    for (const ticket of ticketNumbers) this.#set(ticket, order);
    orders.add(order, ticketNumbers.length);
  }

  /** Frees those of the tickets that are still this order's. */
  free(ticketNumbers: readonly number[], order: number): void {
    let freed = 0;
    for (const ticket of ticketNumbers) {
      if (this.get(ticket) !== order) continue;
      this.#set(ticket, 0);
      freed += 1;
    }
    if (freed > 0) this.#orders?.remove(order, freed);
  }

  #heldOrders(): HeldOrders {
    if (this.#orders !== undefined) return this.#orders;
    const orders = new HeldOrders();
    let runs = 0;
    for (const { tickets } of this.#pages.values()) forEachRun(tickets, () => (runs += 1));
    orders.reserve(runs);
    for (const { tickets } of this.#pages.values()) {
      forEachRun(tickets, (order, length) => orders.add(order, length));
    }
    this.#orders = orders;
    return orders;
  }

  #ownPage(pageNumber: number): TicketPage {
    let page = this.#pages.get(pageNumber);
    if (page === undefined) {
      page = { tickets: new Float64Array(TICKETS_PER_PAGE), shared: false };
      this.#pages.set(pageNumber, page);
    } else if (page.shared) {
      page.tickets = page.tickets.slice();
      page.shared = false;
    }
    return page.tickets;
  }
}

export class TicketTables {
  readonly #sales = new Map<number, TicketTable>();

  /** Goes on from a snapshot. */
  static from(snapshot: readonly SaleTickets[]): TicketTables {
    const tables = new TicketTables();
    for (const { saleId, pages } of snapshot) {
      tables.#tableOf(saleId).adopt(pages);
    }
    return tables;
  }

  /** The tables as they are now. */
  snapshot(): SaleTickets[] {
    return [...this.#sales].map(([saleId, table]) => ({ saleId, pages: table.share() }));
  }

  /** Takes all tickets of an `orderPaid`, or none and says why not. */
  sell(record: unknown): GateRefusal | undefined {
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
    const table = this.#tableOf(sold.saleId);
    const order = fingerprint(sold.orderId);
    const taken = sold.ticketNumbers.find((ticket) => table.get(ticket) !== 0);
    if (taken !== undefined) {
      const sameOrder = sold.ticketNumbers.every((ticket) => table.get(ticket) === order);
      const by = sameOrder ? 'this very order' : 'another order';
      return {
        reason: 'ticketAlreadySold',
        message: `Ticket ${taken} of sale ${sold.saleId} is held by ${by}.`,
        sameOrder,
      };
    }
    // Its buyer has the tickets it was first written with; a second set of them would be lost stock, or worse.
    if (table.hasOrder(order)) {
      const message = `Order ${sold.orderId} of sale ${sold.saleId} is in the log already, with other tickets.`;
      return { reason: 'orderExists', message, sameOrder: false };
    }
    table.sell(sold.ticketNumbers, order);
    return undefined;
  }

  /** Frees the tickets of an `orderCancelled` or `ticketsReleased` that are still this order's. */
  free(record: unknown): GateRefusal | undefined {
    const freed = parseSold(record);
    if ('reason' in freed) return freed;
    const table = this.#sales.get(freed.saleId);
    if (table === undefined) return undefined;
    table.free(freed.ticketNumbers, fingerprint(freed.orderId));
    return undefined;
  }

  /** Whether this very order holds every ticket that the record names. */
  isSold(record: unknown): boolean {
    const sold = parseSold(record);
    if ('reason' in sold) return false;
    const table = this.#sales.get(sold.saleId);
    const order = fingerprint(sold.orderId);
    return table !== undefined && sold.ticketNumbers.every((ticket) => table.get(ticket) === order);
  }

  #tableOf(saleId: number): TicketTable {
    let table = this.#sales.get(saleId);
    if (table === undefined) {
      table = new TicketTable();
      this.#sales.set(saleId, table);
    }
    return table;
  }
}
