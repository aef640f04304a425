/** Documents of `/operations/live`, as a fleet of two servers in the middle of a sale sends them. */
import type { LiveSaleReport, OperationsEvent, OperationsLive, ProcessReport } from '@fest/server/contract/operations';

export const LIVE_AT = '2026-07-01T18:00:05.000Z';

export function liveSale(overrides: Partial<LiveSaleReport> = {}): LiveSaleReport {
  return {
    saleId: 7,
    name: 'Day 1 General',
    festivalTitle: 'Harvest Festival',
    phase: 'open',
    epoch: 1,
    rebuilding: false,
    capacity: 5_000,
    available: 3_560,
    held: 236,
    sold: 1_204,
    waiting: 12_345,
    servingNumber: 2_611,
    outflowPerSecond: 48.4,
    active: 480,
    maxActive: 500,
    mode: 'auto',
    perSecond: 50,
    ratePerSecond: 50,
    limitedBy: 'slots',
    showRate: 0.82,
    ordersPerSecond: 21.3,
    opensAt: '2026-07-01T17:58:00.000Z',
    closesAt: '2026-07-01T20:00:00.000Z',
    ...overrides,
  };
}

export function liveProcess(overrides: Partial<ProcessReport> = {}): ProcessReport {
  return {
    id: 'p-1',
    server: 'server-1',
    worker: null,
    startedAt: '2026-07-01T17:00:00.000Z',
    beat: 3_600,
    ageMs: 400,
    stale: false,
    leaving: false,
    requestsPerSecond: 812.5,
    errorsPerSecond: 0,
    refusedPerSecond: 14.2,
    p99Ms: 12.4,
    eventLoopUtilization: 0.43,
    cpu: 0.66,
    memoryBytes: 268_435_456,
    webSockets: 6_100,
    logLagRecords: 6,
    failedRecords: 0,
    logOutOfSpace: false,
    paymentsInFlight: 18,
    redis: { status: 'up', latencyMs: 0.4 },
    mysql: { status: 'up', latencyMs: 2.1 },
    ...overrides,
  };
}

export function liveEvent(overrides: Partial<OperationsEvent> = {}): OperationsEvent {
  return {
    id: '000001',
    at: '2026-07-01T17:58:00.000Z',
    kind: 'phase',
    level: 'info',
    saleId: 7,
    operatorId: null,
    text: 'opened at its opening time',
    ...overrides,
  };
}

const EVENTS: readonly OperationsEvent[] = [
  liveEvent(),
  liveEvent({
    id: '000002',
    at: '2026-07-01T17:58:41.000Z',
    kind: 'action',
    operatorId: 2,
    text: 'rate from 30 to 50',
  }),
  liveEvent({
    id: '000003',
    at: '2026-07-01T17:59:30.000Z',
    kind: 'store',
    level: 'warning',
    saleId: null,
    text: 'MySQL is slow: 412 ms',
  }),
];

export function liveDocument(overrides: Partial<OperationsLive> = {}): OperationsLive {
  return {
    format: 'fest.operations.live/1',
    at: LIVE_AT,
    environment: 'local',
    complete: true,
    fleet: {
      requestsPerSecond: 1_625,
      ordersPerSecond: 21.3,
      errorsPerSecond: 0,
      refusedPerSecondByCode: { not_admitted: 20.4, rate_limited: 8 },
      latency: [
        { class: 'wait', perSecond: 1_500, p50Ms: 0.8, p95Ms: 4.1, p99Ms: 9.8, maxMs: 31, errorsPerSecond: 0 },
        { class: 'pay', perSecond: 22, p50Ms: 6, p95Ms: 14, p99Ms: 38, maxMs: 61, errorsPerSecond: 0 },
      ],
      p50Ms: 0.9,
      p95Ms: 5.2,
      p99Ms: 12.4,
      maxMs: 61,
      eventLoopUtilizationMax: 0.43,
      cpu: 1.32,
      memoryBytes: 536_870_912,
      webSockets: 12_200,
      logLagRecords: 12,
      failedRecords: 0,
      paymentsInFlight: 36,
      redis: { status: 'up', latencyMs: 0.4 },
      mysql: { status: 'up', latencyMs: 2.1 },
    },
    processesLeftOut: 0,
    salesLeftOut: 0,
    processes: [liveProcess(), liveProcess({ id: 'p-2', server: 'server-2', ageMs: 700 })],
    sales: [
      liveSale(),
      liveSale({
        saleId: 8,
        name: 'Day 2 General',
        phase: 'scheduled',
        available: 5_000,
        held: 0,
        sold: 0,
        waiting: 310,
        servingNumber: 0,
        outflowPerSecond: 0,
        active: 0,
        limitedBy: null,
        showRate: null,
        ordersPerSecond: 0,
        opensAt: '2026-07-01T19:00:00.000Z',
      }),
      liveSale({
        saleId: 9,
        name: '東京 Night 🎟',
        festivalTitle: 'Matsuri',
        phase: 'soldOut',
        capacity: 800,
        available: 0,
        held: 3,
        sold: 797,
        waiting: 0,
        outflowPerSecond: 0,
        active: 3,
        limitedBy: 'stock',
        ordersPerSecond: 0.4,
      }),
    ],
    events: [...EVENTS],
    ...overrides,
  };
}
