/**
 * Every bound of the server, with its unit in the name and its reason beside it; by what they are about in `limits/`.
 * Deployment decisions (addresses, secrets, pool sizes) are in `config.ts`; what is here holds everywhere.
 */
import { ABUSE_LIMITS } from './limits/abuse.ts';
import { ACCOUNT_LIMITS } from './limits/accounts.ts';
import { CATALOGUE_LIMITS } from './limits/catalogue.ts';
import { FLEET_LIMITS } from './limits/fleet.ts';
import { HOLD_AND_PAYMENT_LIMITS } from './limits/holds-and-payments.ts';
import { IDEMPOTENCY_LIMITS } from './limits/idempotency.ts';
import { LIVE_STATE_LIMITS } from './limits/live-states.ts';
import { ORDER_LIMITS } from './limits/orders.ts';
import { OVERLOAD_LIMITS } from './limits/overload.ts';
import { PROCESS_LIMITS } from './limits/process.ts';
import { READINESS_LIMITS } from './limits/readiness.ts';
import { REBUILD_LIMITS } from './limits/rebuilds.ts';
import { REPORT_LIMITS } from './limits/reports.ts';
import { REQUEST_LIMITS } from './limits/requests.ts';
import { TRACE_LIMITS } from './limits/traces.ts';
import { WAITING_ROOM_LIMITS } from './limits/waiting-room.ts';

export const LIMITS = {
  ...REQUEST_LIMITS,
  ...OVERLOAD_LIMITS,
  ...ABUSE_LIMITS,
  ...CATALOGUE_LIMITS,
  ...ACCOUNT_LIMITS,
  ...IDEMPOTENCY_LIMITS,
  ...WAITING_ROOM_LIMITS,
  ...LIVE_STATE_LIMITS,
  ...HOLD_AND_PAYMENT_LIMITS,
  ...ORDER_LIMITS,
  ...REBUILD_LIMITS,
  ...READINESS_LIMITS,
  ...PROCESS_LIMITS,
  ...FLEET_LIMITS,
  ...REPORT_LIMITS,
  ...TRACE_LIMITS,
} as const;

function assertRelations(): void {
  const relations: ReadonlyArray<readonly [string, boolean]> = [
    ['a state may be missed a few times before it is stale', LIMITS.stateStaleMs >= 5 * LIMITS.stateRefreshMs],
    ['a lease survives a few late ticks', LIMITS.tickerLeaseMs >= 5 * LIMITS.tickMs],
    [
      'an applier notices that somebody waits',
      LIMITS.archiveWantedMs >= 2 * (LIMITS.applierLingerMs + LIMITS.archiveWantedAnswerMs),
    ],
    ['traces do not keep a process that stops', LIMITS.traceExportMs < LIMITS.stopMs],
    ['the gateway gives up before the handler', LIMITS.gatewayTimeoutMs < LIMITS.handlerTimeoutMs],
    [
      'stores give up before the handler',
      LIMITS.mysqlAcquireTimeoutMs + LIMITS.mysqlQueryTimeoutMs < LIMITS.handlerTimeoutMs,
    ],
    ['readiness is known before its handler gives up', 2 * LIMITS.readinessMs < LIMITS.handlerTimeoutMs],
    ['a connection outlives its handler', LIMITS.stalledConnectionMs > LIMITS.handlerTimeoutMs],
    ['a delay is seen several times before it counts', LIMITS.loopDelayIntervalMs >= 5 * LIMITS.loopBeatMs],
    ['a command gives up before its connection does', LIMITS.redisCommandTimeoutMs < LIMITS.redisSocketTimeoutMs],
    ['a change outwaits a Redis command', LIMITS.configureWaitMs > LIMITS.redisCommandTimeoutMs],
    ['a fresh payment is not abandoned', 2 * LIMITS.freshPaymentMs <= LIMITS.abandonedPaymentsMs],
    ['a login gives up before its handler', LIMITS.passwordHashWaitMs < LIMITS.handlerTimeoutMs],
    ['a pending key outlives its handler', LIMITS.idempotencyPendingSeconds * 1000 > LIMITS.handlerTimeoutMs],
    [
      'a stop finishes before it is forced: leases, sockets, payments, the archive, the goodbyes to operators and to MySQL',
      LIMITS.tickerLeaseMs +
        LIMITS.liveCloseMs +
        LIMITS.operatorCloseMs +
        LIMITS.drainMs +
        LIMITS.archiveOnStopMs +
        LIMITS.fleetGoodbyeMs +
        LIMITS.reportGoodbyeMs +
        LIMITS.storeProbeMs <
        LIMITS.stopMs,
    ],
    ['a report may be nearly a second late', LIMITS.fleetStaleMs >= 2 * LIMITS.fleetReportMs],
    ['a document comes before the next one is due', LIMITS.fleetReadMs < LIMITS.fleetReportMs],
    ['who left is shown before it is forgotten', LIMITS.fleetLeftMs > LIMITS.fleetStaleMs],
    ['who records survives a few late rounds', LIMITS.reportLeaseMs >= 5 * LIMITS.fleetReportMs],
    ['a quiet row is many rows', LIMITS.reportQuietSampleMs % LIMITS.reportSampleMs === 0],
    ['the first hour fits', LIMITS.reportOpeningMs / LIMITS.reportSampleMs < LIMITS.reportRows / 2],
    ['a slow store is not down', Math.max(LIMITS.redisSlowMs, LIMITS.mysqlSlowMs) < LIMITS.storeProbeMs],
    ['who polls is told before a worker goes', LIMITS.pollAfterMsMax < LIMITS.workerFarewellMs],
    ['a worker may wait for migrations', LIMITS.migrationLockSeconds * 1000 < LIMITS.workerReadyMs],
    ['a probe is over before its worker has to tell', LIMITS.storeProbeMs < LIMITS.workerAnswerMs],
    ['a worker that has room may be late to say so', LIMITS.roomTrustMs >= 4 * LIMITS.roomTellMs],
    ['a worker hears before it answers', LIMITS.workerHeardMs < LIMITS.workerAnswerMs],
    ['workers answer before their primary does', LIMITS.workerAnswerMs < LIMITS.workersAnswerMs],
    ['a socket is stuck before it is silent', LIMITS.liveStuckMs < 2 * LIMITS.liveHeartbeatMs],
    ['a heartbeat is many beats', LIMITS.liveHeartbeatMs >= 10 * LIMITS.liveBeatMs],
    ['who is told to come back comes before the opening', 2 * LIMITS.earlyJoinSpreadMs <= LIMITS.earlyJoinMs],
    ['a poll interval fits into 16 bits', LIMITS.pollAfterMsMax < 2 ** 16],
    ['the default page fits', LIMITS.pageItemsDefault <= LIMITS.pageItemsMax],
    ['sums of money stay exact', LIMITS.priceMinorUnits * LIMITS.ticketsPerBuyer < Number.MAX_SAFE_INTEGER],
  ];
  for (const [statement, holds] of relations) {
    if (!holds) throw new Error(`limits.ts contradicts itself: ${statement}`);
  }
}

assertRelations();
