/**
 * The line and the stock of each sale as this process knows them from its last reading. All servers say the same, or nearly:
 * `max by (sale)` is the sale's. Of at most `LIMITS.fleetSales` sales, those that sell first.
 */
import type { Metric } from 'prom-client';
import { counters, gauges } from '../../../platform/metric-kinds.ts';
import type { LiveSale } from '../../stock/live-sales.ts';
import { mostUrgent } from '../live/sale-facts.ts';

export interface SaleMetricSources {
  /** Those that this process answers from. */
  readonly sales: () => readonly LiveSale[];
  /** And those whose readings have become too old for that. */
  readonly lastReadings: () => readonly LiveSale[];
  /** Orders that this process made durable, by sale, since it began. */
  readonly orders: () => ReadonlyMap<number, number>;
  readonly nowMs: () => number;
}

export function createSaleMetrics({ sales, lastReadings, orders, nowMs }: SaleMetricSources): readonly Metric[] {
  // A registry collects all of them in one turn of the event loop: the sales are put in order once, and not for each.
  let collected: readonly LiveSale[] | undefined;
  const shown = (): readonly LiveSale[] => {
    if (collected === undefined) {
      collected = mostUrgent(sales()).shown;
      queueMicrotask(() => {
        collected = undefined;
      });
    }
    return collected;
  };
  const ofSale = (name: string, help: string, of: (sale: LiveSale) => number): Metric =>
    gauges(name, help, ['sale'], () => shown().map((sale) => [{ sale: sale.saleId }, of(sale)] as const));
  return [
    gauges('fest_sale_tickets', 'Tickets of a sale by state: available, held or sold', ['sale', 'state'], () =>
      shown().flatMap(({ saleId, snapshot: { available, held, sold } }) =>
        Object.entries({ available, held, sold }).map(([state, count]) => [{ sale: saleId, state }, count] as const),
      ),
    ),
    ofSale('fest_sale_capacity_tickets', 'Tickets that a sale has in all', ({ snapshot }) => snapshot.capacity),
    gauges('fest_sale_phase', '1 for the phase that a sale is in', ['sale', 'phase'], () =>
      shown().map(({ saleId, phase }) => [{ sale: saleId, phase }, 1] as const),
    ),
    ofSale('fest_sale_epoch', 'How often the state of a sale was built anew', ({ snapshot }) => snapshot.epoch),
    ofSale('fest_sale_waiting_buyers', 'Numbers in the line that were not admitted yet', ({ snapshot }) =>
      Math.max(0, snapshot.drawn - snapshot.servingNumber),
    ),
    ofSale('fest_sale_queue_number', 'The highest number drawn', ({ snapshot }) => snapshot.drawn),
    ofSale(
      'fest_sale_serving_number',
      'Everybody up to this number was admitted',
      ({ snapshot }) => snapshot.servingNumber,
    ),
    ofSale(
      'fest_sale_pending_buyers',
      'Buyers who were admitted and have not made a hold yet',
      ({ snapshot }) => snapshot.pending,
    ),
    ofSale('fest_sale_active_buyers', 'Buyers who hold or pay', ({ snapshot }) => snapshot.inside),
    ofSale('fest_sale_active_buyers_max', 'Buyers who may hold or pay at a time', ({ snapshot }) => snapshot.maxActive),
    ofSale(
      'fest_sale_admission_per_second',
      'Buyers a second that the operator allows (of mode fixed; in mode auto its upper bound)',
      ({ snapshot }) => snapshot.perSecond,
    ),
    // Also while it is too old to answer from: else what should wake somebody would vanish.
    gauges('fest_sale_reading_age_seconds', 'How old the last reading of a sale is', ['sale'], () =>
      mostUrgent(lastReadings()).shown.map(
        ({ saleId, readAtMs }) => [{ sale: saleId }, Math.max(0, (nowMs() - readAtMs) / 1_000)] as const,
      ),
    ),
    counters('fest_orders_total', 'Orders that this process made durable, by sale', ['sale'], function* () {
      const counts = orders();
      for (const { saleId } of shown()) yield [{ sale: saleId }, counts.get(saleId) ?? 0] as const;
    }),
  ];
}
