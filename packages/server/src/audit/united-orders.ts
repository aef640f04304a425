import type { OrderFacts, SaleEvidence } from './evidence.ts';

/** An order of the union of log and MySQL. Where both have it, the log's word counts: MySQL is its copy. */
export interface UnitedOrder extends OrderFacts {
  readonly inLog: boolean;
  readonly inArchive: boolean;
  /** Not cancelled in either. */
  readonly live: boolean;
}

export function uniteOrders({ log, archive }: Pick<SaleEvidence, 'log' | 'archive'>): readonly UnitedOrder[] {
  const united: UnitedOrder[] = [];
  for (const order of log.orders.values()) {
    const archived = archive.orders.get(order.orderId);
    const live = !order.cancelled && archived?.cancelled !== true;
    united.push({ ...order, inLog: true, inArchive: archived !== undefined, live });
  }
  for (const order of archive.orders.values()) {
    if (!log.orders.has(order.orderId))
      united.push({ ...order, inLog: false, inArchive: true, live: !order.cancelled });
  }
  return united;
}

/** Tickets as one text, for comparing: the order in which numbers were taken does not matter. */
export function ticketText(ticketNumbers: readonly number[]): string {
  return [...ticketNumbers].sort((left, right) => left - right).join(', ');
}
