import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../limits.ts';
import type { SaleSnapshot } from '../../../redis/scripts/sale-state.ts';
import type { LiveSale } from '../../stock/live-sales.ts';
import { createSaleMetrics } from './sale-metrics.ts';

const SNAPSHOT = {
  epoch: 2,
  capacity: 100,
  available: 60,
  held: 30,
  sold: 10,
  servingNumber: 45,
  drawn: 500,
  pending: 5,
  inside: 30,
  maxActive: 50,
  perSecond: 20,
  opensAtMs: 0,
  closesAtMs: 0,
} as SaleSnapshot;

const saleOf = (saleId: number, changes: Partial<LiveSale> = {}): LiveSale => ({
  saleId,
  snapshot: SNAPSHOT,
  steps: [],
  windowsBehindMs: 0,
  phase: 'open',
  readAtMs: 1_000,
  ...changes,
});

async function linesOf(
  sales: readonly LiveSale[],
  orders = new Map<number, number>(),
  lastReadings = sales,
): Promise<readonly string[]> {
  const registry = new Registry();
  const metrics = createSaleMetrics({
    sales: () => sales,
    lastReadings: () => lastReadings,
    orders: () => orders,
    nowMs: () => 1_250,
  });
  for (const metric of metrics) registry.registerMetric(metric);
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the metrics of sales', () => {
  it('tell stock, line and admission as they were read', async () => {
    expect(await linesOf([saleOf(7)], new Map([[7, 4]]))).toEqual([
      'fest_sale_tickets{sale="7",state="available"} 60',
      'fest_sale_tickets{sale="7",state="held"} 30',
      'fest_sale_tickets{sale="7",state="sold"} 10',
      'fest_sale_capacity_tickets{sale="7"} 100',
      'fest_sale_phase{sale="7",phase="open"} 1',
      'fest_sale_epoch{sale="7"} 2',
      'fest_sale_waiting_buyers{sale="7"} 455',
      'fest_sale_queue_number{sale="7"} 500',
      'fest_sale_serving_number{sale="7"} 45',
      'fest_sale_pending_buyers{sale="7"} 5',
      'fest_sale_active_buyers{sale="7"} 30',
      'fest_sale_active_buyers_max{sale="7"} 50',
      'fest_sale_admission_per_second{sale="7"} 20',
      'fest_sale_reading_age_seconds{sale="7"} 0.25',
      'fest_orders_total{sale="7"} 4',
    ]);
  });

  it('tell the age of a reading that is too old to answer from, and nothing else of it', async () => {
    const lines = await linesOf([], new Map(), [saleOf(7, { readAtMs: -58_750 })]);
    expect(lines).toEqual(['fest_sale_reading_age_seconds{sale="7"} 60']);
  });

  it('are of so many sales at most, those that sell first', async () => {
    const closed = Array.from({ length: LIMITS.fleetSales + 5 }, (_, index) => saleOf(index + 1, { phase: 'closed' }));
    const lines = await linesOf([...closed, saleOf(9_999)]);
    expect(lines.filter((line) => line.startsWith('fest_sale_epoch'))).toHaveLength(LIMITS.fleetSales);
    expect(lines).toContain('fest_sale_phase{sale="9999",phase="open"} 1');
  });

  it('are read and put in order once a collection, however many they are, and anew for the next', async () => {
    let count = 0;
    const sales = (): readonly LiveSale[] => {
      count += 1;
      return [saleOf(count)];
    };
    const registry = new Registry();
    for (const metric of createSaleMetrics({
      sales,
      lastReadings: () => [],
      orders: () => new Map(),
      nowMs: () => 0,
    })) {
      registry.registerMetric(metric);
    }
    await registry.metrics();
    expect(count).toBe(1);
    expect(await registry.metrics()).toContain('fest_sale_epoch{sale="2"} 2');
    expect(count).toBe(2);
  });
});
