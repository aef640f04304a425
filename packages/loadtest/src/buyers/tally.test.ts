import { describe, expect, it } from 'vitest';
import { Latencies } from './latencies.ts';
import type { SucceededPayment } from './report.ts';
import { isOver } from './sale-watch.ts';
import { ordersPerSecond, Tally } from './tally.ts';

describe('Latencies', () => {
  it('gives quantiles in milliseconds', () => {
    const latencies = new Latencies();
    for (let milliseconds = 1; milliseconds <= 1_000; milliseconds += 1) latencies.record(milliseconds);
    const { count, p50, p95, p99, max } = latencies.quantiles();
    expect(count).toBe(1_000);
    expect(Math.abs(p50 - 500)).toBeLessThanOrEqual(1);
    expect(Math.abs(p95 - 950)).toBeLessThanOrEqual(1);
    expect(Math.abs(p99 - 990)).toBeLessThanOrEqual(1);
    expect(Math.abs(max - 1_000)).toBeLessThanOrEqual(1);
  });

  it('is all zeros when nothing was recorded, and takes what is out of range', () => {
    expect(new Latencies().quantiles()).toEqual({ count: 0, p50: 0, p95: 0, p99: 0, max: 0 });
    const extremes = new Latencies();
    extremes.record(0);
    extremes.record(1e12);
    expect(extremes.quantiles().count).toBe(2);
  });

  it('says null, for a load test, of what was not measured', () => {
    expect(new Latencies().latencies()).toMatchObject({
      count: 0,
      p50Ms: null,
      p999Ms: null,
      maxMs: null,
      meanMs: null,
    });
    const latencies = new Latencies(86_400_000_000);
    for (let milliseconds = 1; milliseconds <= 1_000; milliseconds += 1) latencies.record(milliseconds);
    latencies.record(3_600_000);
    const { count, p90Ms, p999Ms, maxMs } = latencies.latencies();
    expect(count).toBe(1_001);
    expect(Math.abs((p90Ms ?? 0) - 901)).toBeLessThanOrEqual(1);
    expect(Math.abs((p999Ms ?? 0) - 1_000)).toBeLessThanOrEqual(1);
    expect(Math.abs((maxMs ?? 0) - 3_600_000)).toBeLessThan(3_600);
  });
});

const payment = (atMs: number): SucceededPayment => ({
  paymentId: `pay_1_${atMs}`,
  orderId: `ord_1_${atMs}`,
  saleId: 1,
  buyer: 0,
  ticketNumbers: [1, 2],
  atMs,
});

describe('Tally', () => {
  it('rounds rates down and has none for a single order', () => {
    expect(ordersPerSecond([payment(0), payment(300), payment(601)])).toBe(3);
    expect(ordersPerSecond([payment(5)])).toBe(0);
    expect(ordersPerSecond([])).toBe(0);
  });

  it('counts answers by status and code, and where buyers are', () => {
    const tally = new Tally(3);
    tally.arrived();
    tally.moved('away', 'waiting');
    tally.answered('join', 200, undefined, 5);
    tally.answered('hold', 409, 'sold_out', 5);
    tally.answered('hold', 409, 'sold_out', 5);
    tally.retried('network');
    expect(tally.progress()).toMatchObject({ buyers: 3, arrived: 1, waiting: 1, active: 0, requests: 3 });
    const report = tally.report(false);
    expect(report.answers).toEqual({ 200: 1, '409 sold_out': 2 });
    expect(report.retries.network).toBe(1);
    expect(report.latencies.hold.count).toBe(2);
  });

  it('takes the ticket numbers of the order over those of the hold', () => {
    const tally = new Tally(1);
    const index = tally.succeeded(payment(1));
    tally.corrected(index, [7]);
    expect(tally.report(false)).toMatchObject({ ticketsBought: 1, succeeded: [{ ticketNumbers: [7] }] });
  });
});

describe('isOver', () => {
  it('waits for holds that may still come back', () => {
    const stock = (held: number) => ({ available: 0, held, sold: 10 - held });
    expect(isOver({ phase: 'soldOut', stock: stock(1) })).toBe(false);
    expect(isOver({ phase: 'soldOut', stock: stock(0) })).toBe(true);
    expect(isOver({ phase: 'closed', stock: stock(1) })).toBe(false);
    expect(isOver({ phase: 'closed', stock: stock(0) })).toBe(true);
    expect(isOver({ phase: 'open', stock: stock(0) })).toBe(false);
    expect(isOver({ phase: 'paused', stock: stock(0) })).toBe(false);
  });
});
