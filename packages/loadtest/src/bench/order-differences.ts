/** Whether an order is what its buyer has paid for. Pure. */
import type { Hold, Order } from '@fest/server/contract/schemas';

/** @returns what is otherwise, a clause each */
export function differencesOf(
  order: Order,
  orderId: string,
  { saleId, ticketNumbers, amount, currency }: Pick<Hold, 'saleId' | 'ticketNumbers' | 'amount' | 'currency'>,
): readonly string[] {
  const found = inOrder(order.tickets.map(({ ticketNumber }) => ticketNumber));
  const bought = inOrder(ticketNumbers);
  return [
    ...differs('it', order.orderId, orderId),
    ...differs('its sale', order.saleId, saleId),
    ...differs('its list of tickets', found, bought),
    ...differs('its price', `${order.amount} ${order.currency}`, `${amount} ${currency}`),
    ...differs('its status', order.status, 'paid'),
    ...(order.tickets.every(({ code }) => code.length > 0) ? [] : ['a ticket has no code']),
  ];
}

function inOrder(numbers: readonly number[]): string {
  return [...numbers].sort((left, right) => left - right).join(', ');
}

function differs(what: string, found: string | number, wanted: string | number): readonly string[] {
  return found === wanted ? [] : [`${what} is ${found} instead of ${wanted}`];
}
