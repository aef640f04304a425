/** What a server of workers tells at /metrics when it has done everything once: all metrics there are, with all their labels. */
import { createAbuseMetrics } from '@fest/server/features/abuse-limits/abuse-metrics';
import { createAccountMetrics } from '@fest/server/features/accounts/account-metrics';
import { createApplierMetrics } from '@fest/server/features/archive/applier-metrics';
import { createLiveMetrics } from '@fest/server/features/live/live-metrics';
import { createSaleMetrics } from '@fest/server/features/operations/metrics/sale-metrics';
import type { PaymentGateway } from '@fest/server/features/payments/gateway';
import { createPaymentMetrics, measureGateway } from '@fest/server/features/payments/payment-metrics';
import type { LiveSale } from '@fest/server/features/stock/live-sales';
import { WaitErrors } from '@fest/server/features/waiting-room/wait-errors';
import type { FestApp } from '@fest/server/platform/fest-app';
import { createOrderAcknowledgement, createRegistry } from '@fest/server/platform/metrics';
import { createOrderLogMeter } from '@fest/server/platform/order-log-metrics';
import { LoadShedder } from '@fest/server/platform/overload/load-shedder';
import { overloadMetrics } from '@fest/server/platform/overload/overload-metrics';
import { RequestMeters } from '@fest/server/platform/request-meters';
import { registerRequestMetrics } from '@fest/server/platform/request-metrics';
import type { SaleSnapshot } from '@fest/server/redis/scripts/sale-state';
import { exposeMetrics } from '@fest/server/workers/group-metrics';
import Fastify from 'fastify';
import type { Redis } from 'ioredis';

const SNAPSHOT = {
  ...{ epoch: 1, capacity: 100, available: 60, held: 30, sold: 10, servingNumber: 45, drawn: 500, pending: 5 },
  ...{ inside: 30, maxActive: 50, perSecond: 20, opensAtMs: 0, closesAtMs: 0 },
} as SaleSnapshot;
const SALE: LiveSale = { saleId: 7, snapshot: SNAPSHOT, steps: [], windowsBehindMs: 0, phase: 'open', readAtMs: 0 };
const LOG = {
  ...{ appended: 9, batches: 3, fsyncs: 3, fsyncSeconds: 0.01, bytes: 900, lastBatchRecords: 3, outOfSpace: false },
  ...{ pendingRecords: 0, pendingBytes: 0, checkpoints: 0, checkpointFailures: 0 },
};
const PATHS: readonly (readonly [method: string, path: string])[] = [
  ['POST', 'sales/:saleId/queue'],
  ['GET', 'sales/:saleId/queue'],
  ['POST', 'sales/:saleId/holds'],
  ['POST', 'holds/:holdId/payments'],
];

function countedMeters(): RequestMeters {
  const meters = new RequestMeters();
  for (const [method, path] of PATHS) {
    meters.count({}, `/api/v1/${path}`, method, 200, 0.001);
    meters.count({}, `/api/v1/${path}`, method, 503, 0.001, 'store_unavailable');
  }
  meters.countRefused(0.001);
  return meters;
}

export async function fullExposition(): Promise<string> {
  const shedder = new LoadShedder();
  const registry = createRegistry({
    selling: [
      ...createSaleMetrics({
        sales: () => [SALE],
        lastReadings: () => [SALE],
        orders: () => new Map([[7, 4]]),
        nowMs: () => 0,
      }),
      ...createPaymentMetrics({
        ...{ inFlight: 1, captured: 1, oldestSeconds: 1, oldestCapturedSeconds: 1 },
        counts: { started: 4, succeeded: 2, failed: 1, refunded: 1 },
      }),
      ...measureGateway({} as PaymentGateway).metrics,
      ...createOrderLogMeter(
        () => LOG,
        async () => ({ freeBytes: 1, totalBytes: 2 }),
      ).all,
      ...createApplierMetrics({ lag: 1, failedRecords: 0, counts: { records: 9, batches: 3, retries: 0 } }),
    ],
    rebuilds: () => ({ pending: 0, finished: 0 }),
    orderAcknowledgement: createOrderAcknowledgement(),
    waitEstimates: new WaitErrors().metrics,
    passwords: () => ({ waiting: 0, hashed: 0, busy: 0, abandoned: 0, failed: 0 }),
    live: createLiveMetrics(() => 0).all,
    admissions: () => new Map([[7, { limitedBy: 'rate', showRate: 0.9, ratePerSecond: 20 }]]),
    abuse: createAbuseMetrics().all,
    auth: createAccountMetrics().all,
    shedder,
    overload: overloadMetrics({
      shedder,
      server: { getConnections: (tell: (error: Error | null, count: number) => void) => tell(null, 0) as never },
      redis: { commandQueue: [] } as unknown as Redis,
    }),
    clocksAheadSeconds: () =>
      new Map([
        ['redis', 0],
        ['mysql', 0],
        ['system', 0],
      ]),
    stores: () => ({ redis: { status: 'up', latencyMs: 1 }, mysql: { status: 'slow', latencyMs: 300 } }),
    isLeaving: () => false,
    identity: { server: 'server-1', environment: 'test' },
  });
  registerRequestMetrics(Fastify() as unknown as FestApp, registry, shedder, countedMeters());
  const answer = await registry.getMetricsAsJSON();
  return exposeMetrics({ primary: [], workers: [{ worker: 1, answer, crashes: 0 }] } as never, 1);
}
