/** A report of a sale for tests: three rows of five seconds, then a gap, then one more. */
import type { ReportTimeline, SaleReport } from '@fest/server/contract/sale-report';

const BEGIN_MS = Date.UTC(2026, 6, 1, 12);
export const reportTime = (seconds: number): string => new Date(BEGIN_MS + seconds * 1_000).toISOString();

/** Rows by when they begin and end, in seconds. */
export function timeline(spans: readonly (readonly [number, number])[]): ReportTimeline {
  const each = <Value>(value: Value): Value[] => spans.map(() => value);
  return {
    from: spans.map(([from]) => reportTime(from)),
    to: spans.map(([, to]) => reportTime(to)),
    complete: each(true),
    phase: each('open'),
    epoch: each(1),
    drawn: each(90),
    servingNumber: spans.map((_, row) => 10 * row),
    waiting: spans.map((_, row) => 90 - 10 * row),
    active: each(5),
    maxActive: each(10),
    available: each(60),
    held: each(5),
    sold: each(35),
    mode: each('fixed'),
    perSecond: each(5),
    ratePerSecond: each(5),
    limitedBy: each('rate'),
    showRate: each(0.9),
    outflowPerSecond: each(2),
    ordersPerSecond: each(1),
    refused: each({ not_admitted: 10 }),
    requestsPerSecond: each(100),
    errorsPerSecond: each(0),
    refusedPerSecondByCode: each({ not_admitted: 2 }),
    p50Ms: each(1),
    p95Ms: each(4),
    p99Ms: each(9),
    eventLoopUtilizationMax: each(0.4),
    redis: each('up'),
    mysql: each('up'),
    silent: each(0),
    logLagRecords: each(0),
    processes: each(2),
  };
}

export function saleReport(change: Partial<SaleReport> = {}): SaleReport {
  return {
    format: 'fest.sale-report/1',
    generatedAt: reportTime(3_600),
    environment: 'local',
    partial: false,
    sale: {
      id: 7,
      name: 'Day 1',
      festivalId: 3,
      festivalTitle: 'Test Festival',
      venue: 'Somewhere',
      phase: 'closed',
      epoch: 1,
      price: 4_950,
      currency: 'EUR',
      capacity: 100,
      limitPerBuyer: 4,
      opensAt: reportTime(0),
      closesAt: reportTime(3_000),
      refundUntil: reportTime(90_000),
      rejoin: 'keep',
      holdSeconds: 300,
      admissionSeconds: 100,
    },
    recorded: {
      from: reportTime(0),
      to: reportTime(65),
      rows: 4,
      gaps: [{ from: reportTime(15), to: reportTime(60) }],
      incomplete: [],
    },
    totals: {
      line: { drawn: 90, servingNumber: 60, waiting: 30, came: 54, asOf: reportTime(3_600) },
      orders: {
        all: 21,
        paid: 20,
        cancelling: 0,
        cancelled: 1,
        confirmed: 21,
        buyers: 21,
        firstAt: reportTime(1),
        lastAt: reportTime(60),
      },
      tickets: { capacity: 100, sold: 35, givenBack: 2, checkedIn: 0 },
      money: { gross: 183_150, givenBack: 9_900, net: 173_250 },
      payments: [
        { outcome: 'succeeded', failureCode: null, count: 21 },
        { outcome: 'failed', failureCode: 'card_declined', count: 3 },
      ],
      peaks: {
        waiting: { value: 90, at: reportTime(5) },
        ordersPerSecond: { value: 1, at: reportTime(5) },
        requestsPerSecond: { value: 100, at: reportTime(5) },
        p99Ms: { value: 9, at: reportTime(5) },
      },
      soldOutAt: null,
    },
    refusals: { byCode: [{ code: 'not_admitted', count: 40 }], processes: 2, overloaded: 0 },
    fairness: {
      servingNumber: { comparisons: 3, steppedBack: 0 },
      turns: { served: 60, came: 54, share: 0.9 },
      waits: { measured: 3, p50Seconds: 12, p90Seconds: 30, p99Seconds: 31, maxSeconds: 31 },
      estimates: { early: 1, within: 2, late: 0 },
      buyers: { withTickets: 20, atLimit: 1, mostTickets: 4, limitPerBuyer: 4 },
      notMeasured: ['What is before the server.'],
    },
    incidents: [
      {
        id: '1',
        at: reportTime(8),
        kind: 'store',
        level: 'error',
        saleId: null,
        operatorId: null,
        text: 'MySQL does not answer server-1',
      },
    ],
    incidentsLeftOut: false,
    actions: [
      {
        id: 'a.1',
        at: reportTime(12),
        operatorId: 4,
        operator: 'Ada',
        action: 'phase',
        from: { phase: 'open' },
        to: { phase: 'paused' },
        forced: [],
      },
    ],
    actionsLeftOut: false,
    timeline: timeline([
      [0, 5],
      [5, 10],
      [10, 15],
      [60, 65],
    ]),
    ...change,
  };
}
