import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../limits.ts';
import { LatencyHistogram } from '../../../platform/latency-histogram.ts';
import { WAIT_SCALE } from '../../../platform/sale-tallies.ts';
import { bestKnown, type ReportFacts, saleReport } from './report.ts';
import { sample } from './test-support.ts';

const NOW_MS = 1_000_000_000;

const FACTS = {
  nowMs: NOW_MS,
  environment: 'test',
  sale: {
    id: 7,
    name: 'Day 1',
    festivalId: 1,
    price: 5_000,
    currency: 'EUR',
    capacity: 100,
    limitPerBuyer: 4,
    opensAtMs: NOW_MS - 60_000,
    closesAtMs: NOW_MS + 60_000,
    refundUntilMs: NOW_MS,
    rejoin: 'keep',
    holdSeconds: 60,
    admissionSeconds: 60,
  },
  festival: { title: 'F', venue: 'V' },
  live: undefined,
  came: undefined,
  confirmed: undefined,
  samples: [],
  tallies: [],
  orders: {
    ...{ paid: 0, cancelling: 0, cancelled: 0, gross: 0, givenBack: 0 },
    ...{ ticketsSold: 0, ticketsGivenBack: 0, buyers: 0, firstAtMs: null, lastAtMs: null },
  },
  holders: { withTickets: 0, atLimit: 0, mostTickets: 0, checkedIn: 0 },
  payments: [],
  events: [],
  actions: [],
} as unknown as ReportFacts;

const reportOf = (change: Partial<ReportFacts>) => saleReport({ ...FACTS, ...change });

describe('that the serving number never went back', () => {
  test('is told of rows that follow each other in one epoch', () => {
    const samples = [
      sample(0, 5_000, { servingNumber: 20 }),
      sample(5_000, 10_000, { servingNumber: 30 }),
      sample(10_000, 15_000, { servingNumber: 29 }),
      sample(15_000, 20_000, { servingNumber: 5, epoch: 2 }),
    ];
    expect(reportOf({ samples }).fairness.servingNumber).toEqual({ comparisons: 2, steppedBack: 1 });
  });

  test('is not doubted because a server that was cut off from Redis recorded beside another one', () => {
    const samples = [
      sample(0, 5_000, { servingNumber: 1_500 }),
      sample(5_000, 8_300, { servingNumber: 1_000, complete: false }),
      sample(5_000, 10_000, { servingNumber: 1_700 }),
    ];
    const report = reportOf({ samples });
    expect(report.fairness.servingNumber).toEqual({ comparisons: 1, steppedBack: 0 });
    expect(report.timeline.servingNumber).toEqual([1_500, 1_700]);
    expect(report.recorded.incomplete).toEqual([]);
  });
});

test('of a time of which nobody knew better, what one process knew stays', () => {
  const alone = sample(5_000, 10_000, { complete: false });
  const rows = [sample(0, 5_000), alone, sample(10_000, 15_000), sample(11_000, 12_000, { complete: false })];
  expect(bestKnown(rows)).toEqual([rows[0], alone, rows[2]]);
});

test('sold out is a sale when all is sold, not when all is held', () => {
  const held = sample(0, 5_000, { available: 0, held: 94, sold: 6 });
  expect(reportOf({ samples: [held] }).totals.soldOutAt).toBeNull();
  const sold = sample(5_000, 10_000, { available: 0, held: 0, sold: 100 });
  expect(reportOf({ samples: [held, sold] }).totals.soldOutAt).toBe(new Date(10_000).toISOString());
});

test('a sale that nobody knows any more is over when its time is', () => {
  expect(reportOf({}).partial).toBe(true);
  const samples = [sample(0, 5_000, { phase: 'open' })];
  expect(reportOf({ samples, nowMs: FACTS.sale.closesAtMs }).partial).toBe(false);
});

test('a peak is that of the rows that were merged', () => {
  const most = { waiting: 900, ordersPerSecond: 40, requestsPerSecond: 8_000 };
  const { peaks } = reportOf({ samples: [sample(0, 5_000, { most, waiting: 1, ordersPerSecond: 1 })] }).totals;
  expect([peaks.waiting.value, peaks.ordersPerSecond.value, peaks.requestsPerSecond.value]).toEqual([900, 40, 8_000]);
});

test('waits are in seconds, estimates and refusals added up over processes', () => {
  const waits = new LatencyHistogram();
  for (const seconds of [10, 20, 300]) waits.record(seconds / WAIT_SCALE);
  const tally = { refused: { sold_out: 2 }, early: 1, within: 2, late: 0, waits: waits.encode() };
  const other = { refused: { sold_out: 1, not_admitted: 9 }, early: 0, within: 1, late: 1, waits: '' };
  const { fairness, refusals } = reportOf({ tallies: [tally, other] });
  expect(fairness.waits?.measured).toBe(3);
  expect(fairness.waits?.p50Seconds).toBeCloseTo(20, 0);
  expect(Math.abs((fairness.waits?.maxSeconds ?? 0) - 300)).toBeLessThan(3);
  expect(fairness.estimates).toEqual({ early: 1, within: 3, late: 1 });
  expect(refusals.byCode).toEqual([
    { code: 'not_admitted', count: 9 },
    { code: 'sold_out', count: 3 },
  ]);
});

test('who was turned away unseen is what rows say a second, times their length', () => {
  const refusedPerSecondByCode = { overloaded: 3 };
  const samples = [sample(0, 5_000, {}, { refusedPerSecondByCode }), sample(5_000, 65_000)];
  expect(reportOf({ samples }).refusals.overloaded).toBe(15);
});

test('how many came in their turn is not told after a rebuild', () => {
  expect(reportOf({ samples: [sample(0, 1)] }).fairness.turns).toEqual({ served: 20, came: 15, share: 0.75 });
  expect(reportOf({ samples: [sample(0, 1, { epoch: 2 })] }).fairness.turns).toBeNull();
});

test('events beyond the bound are left out, and that is said', () => {
  const event = { id: 'a', at: '', kind: 'process', level: 'info', saleId: null, operatorId: null, text: '' } as const;
  const events = Array.from({ length: LIMITS.reportEvents + 1 }, () => event);
  const report = reportOf({ events });
  expect([report.incidents.length, report.incidentsLeftOut]).toEqual([LIMITS.reportEvents, true]);
  expect(reportOf({ events: [event] }).incidentsLeftOut).toBe(false);
});
