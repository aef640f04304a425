/** Samples for tests. */
import type { FleetReport, LiveSaleReport } from '../../../contract/operations.ts';
import type { FleetSample, SaleSample, Second } from './sample.ts';

const UP = { status: 'up', latencyMs: 1 } as const;

export function sale(change: Partial<LiveSaleReport> = {}): LiveSaleReport {
  return {
    saleId: 7,
    name: 'Day 1',
    festivalTitle: 'Test Festival',
    phase: 'open',
    epoch: 1,
    rebuilding: false,
    capacity: 100,
    available: 90,
    held: 4,
    sold: 6,
    waiting: 50,
    servingNumber: 20,
    outflowPerSecond: 2,
    active: 3,
    maxActive: 30,
    mode: 'fixed',
    perSecond: 5,
    ratePerSecond: 5,
    limitedBy: 'rate',
    showRate: 0.9,
    ordersPerSecond: 1,
    opensAt: '2027-01-01T00:00:00.000Z',
    closesAt: '2027-01-02T00:00:00.000Z',
    ...change,
  };
}

export function fleet(change: Partial<FleetReport> = {}): FleetReport {
  return {
    requestsPerSecond: 100,
    ordersPerSecond: 1,
    errorsPerSecond: 0,
    refusedPerSecondByCode: {},
    latency: [],
    p50Ms: 1,
    p95Ms: 5,
    p99Ms: 9,
    maxMs: 20,
    eventLoopUtilizationMax: 0.3,
    cpu: 0.5,
    memoryBytes: 1,
    webSockets: 0,
    logLagRecords: 0,
    failedRecords: 0,
    paymentsInFlight: 0,
    redis: UP,
    mysql: UP,
    ...change,
  };
}

export function second(change: Partial<Second> = {}): Second {
  return { complete: true, sale: sale(), fleet: fleet(), processes: 2, silent: 0, refused: {}, ...change };
}

export function sample(
  fromMs: number,
  toMs: number,
  change: Partial<Omit<SaleSample, 'fleet'>> = {},
  ofFleet: Partial<FleetSample> = {},
): SaleSample {
  return {
    fromMs,
    toMs,
    complete: true,
    phase: 'open',
    epoch: 1,
    drawn: 70,
    servingNumber: 20,
    waiting: 50,
    active: 3,
    maxActive: 30,
    capacity: 100,
    available: 90,
    held: 4,
    sold: 6,
    mode: 'fixed',
    perSecond: 5,
    ratePerSecond: 5,
    limitedBy: 'rate',
    showRate: 0.9,
    came: 15,
    outflowPerSecond: 2,
    ordersPerSecond: 1,
    refused: {},
    most: { waiting: 50, ordersPerSecond: 1, requestsPerSecond: 100 },
    fleet: {
      requestsPerSecond: 100,
      errorsPerSecond: 0,
      refusedPerSecondByCode: {},
      p50Ms: 1,
      p95Ms: 5,
      p99Ms: 9,
      eventLoopUtilizationMax: 0.3,
      redis: 'up',
      mysql: 'up',
      silent: 0,
      logLagRecords: 0,
      processes: 2,
      ...ofFleet,
    },
    ...change,
  };
}
