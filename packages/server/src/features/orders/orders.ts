/** What an order looks like to its buyer, and what may be cancelled. Decisions on plain data. */
import { toTimeText } from '../../contract/json-time.ts';
import type { Order } from '../../contract/schemas.ts';
import type { OrderPaid } from '../../order-log/records.ts';
import type { OrderCursor, StoredOrder } from './store.ts';

export type SignTicket = (ticket: { saleId: number; ticketNumber: number; orderId: string }) => string;

/** A fresh order (from the log, through Redis) in the shape of an archived one. */
export function fromFresh(order: OrderPaid): StoredOrder {
  const { orderId, paymentId, saleId, festivalId, accountId, amount, currency, at, ticketNumbers } = order;
  return {
    orderId,
    paymentId,
    saleId,
    festivalId,
    accountId,
    amount,
    currency,
    status: 'paid',
    paidAtMs: at,
    tickets: ticketNumbers.map((ticketNumber) => ({ ticketNumber, checkedInAtMs: null })),
  };
}

export function orderDocument(order: StoredOrder, sign: SignTicket): Order {
  const { orderId, saleId, festivalId, amount, currency, paidAtMs, status, tickets } = order;
  return {
    orderId,
    saleId,
    festivalId,
    amount,
    currency,
    paidAt: toTimeText(paidAtMs),
    status,
    // A cancelled order has no tickets any more: its codes are void and their numbers may be somebody else's.
    tickets:
      status === 'paid'
        ? tickets.map(({ ticketNumber, checkedInAtMs }) => ({
            ticketNumber,
            code: sign({ saleId, ticketNumber, orderId }),
            checkedInAt: checkedInAtMs === null ? null : toTimeText(checkedInAtMs),
          }))
        : [],
  };
}

function isNewer(a: OrderCursor, b: OrderCursor): boolean {
  return a.paidAtMs !== b.paidAtMs ? a.paidAtMs > b.paidAtMs : a.orderId > b.orderId;
}

/**
 * One page, newest first, from the archive and what is not in it, in which of two with the same id the later one counts. An
 * order in both is shown once, as archived: the archive knows check-ins and cancellations.
 */
export function mergePage(
  archived: readonly StoredOrder[],
  fresh: readonly StoredOrder[],
  limit: number,
  after: OrderCursor | undefined,
): { readonly items: readonly StoredOrder[]; readonly next: OrderCursor | undefined } {
  const known = new Set(archived.map(({ orderId }) => orderId));
  const unarchived = new Map(
    fresh
      .filter((order) => !known.has(order.orderId) && (after === undefined || isNewer(after, order)))
      .map((order) => [order.orderId, order]),
  ).values();
  const all = [...archived, ...unarchived].sort((a, b) => (isNewer(a, b) ? -1 : 1));
  const items = all.slice(0, limit);
  const last = items.at(-1);
  return {
    items,
    next: all.length > limit && last !== undefined ? { paidAtMs: last.paidAtMs, orderId: last.orderId } : undefined,
  };
}

export function encodeCursor({ paidAtMs, orderId }: OrderCursor): string {
  return Buffer.from(`${paidAtMs} ${orderId}`).toString('base64url');
}

/** Undefined for anything `encodeCursor` did not make. */
export function decodeCursor(text: string): OrderCursor | undefined {
  const match = /^(\d{1,15}) ([\w-]{1,64})$/.exec(Buffer.from(text, 'base64url').toString('utf8'));
  return match === null ? undefined : { paidAtMs: Number(match[1]), orderId: match[2] ?? '' };
}
