/** Who may see all orders of a sale, and what they see. Decisions on plain data. */
import { toTimeText } from '../../contract/json-time.ts';
import type { SaleOrder } from '../../contract/sale-orders.ts';
import type { OrderStatus, Role } from '../../contract/words.ts';

/** An order in the archive, with its buyer. */
export interface ArchivedOrder {
  /** Orders of a sale are numbered as they are confirmed. */
  readonly number: number;
  readonly orderId: string;
  readonly paymentId: string;
  readonly saleId: number;
  readonly festivalId: number;
  readonly accountId: number;
  readonly name: string;
  /** Undefined for a deleted account. */
  readonly email: string | undefined;
  readonly ticketNumbers: readonly number[];
  readonly amount: number;
  readonly currency: string;
  readonly status: OrderStatus;
  readonly paidAtMs: number;
  readonly cancelledAtMs: number | undefined;
}

/** Operators see every sale, an organizer those of own festivals. */
export function maySeeOrders(
  account: { readonly accountId: number; readonly roles: readonly Role[] },
  sale: { readonly organizerId: number },
): boolean {
  return account.roles.includes('operator') || sale.organizerId === account.accountId;
}

export function toSaleOrder(order: ArchivedOrder): SaleOrder {
  const { email, ticketNumbers, paidAtMs, cancelledAtMs, ...others } = order;
  return {
    ...others,
    email: email ?? '',
    ticketNumbers: [...ticketNumbers],
    paidAt: toTimeText(paidAtMs),
    cancelledAt: cancelledAtMs === undefined ? null : toTimeText(cancelledAtMs),
  };
}
