/** The table of contents of the server: everything that is registered, in order. */
import Fastify, { type FastifyBaseLogger, LogController, type RouteOptions } from 'fastify';
import { API_PREFIX } from './contract/paths.ts';
import { NoQuery } from './contract/schemas.ts';
import { createAbuseLimits } from './features/abuse-limits/abuse-limits.ts';
import { createAccountMetrics } from './features/accounts/account-metrics.ts';
import { registerAccountRoutes } from './features/accounts/routes.ts';
import { registerCatalogueRoutes } from './features/catalogue/routes.ts';
import { registerCheckInRoutes } from './features/check-in/routes.ts';
import { asksForWebSocket } from './features/live/handshake.ts';
import { registerLiveRoutes } from './features/live/routes.ts';
import { registerOperationsLiveRoutes } from './features/operations/live/routes.ts';
import { registerSaleReportRoutes } from './features/operations/report/routes.ts';
import { registerOperationsRoutes } from './features/operations/routes.ts';
import { registerOrderRoutes } from './features/orders/routes.ts';
import { registerPaymentRoutes } from './features/payments/routes.ts';
import { readFreeBytes, registerReadinessRoutes } from './features/readiness/routes.ts';
import { registerSaleOrderRoutes } from './features/sale-orders/routes.ts';
import { registerStockRoutes } from './features/stock/routes.ts';
import { registerWaitingRoomRoutes } from './features/waiting-room/routes.ts';
import { createFleet, type Fleet } from './fleet-core.ts';
import { LIMITS } from './limits.ts';
import { registerAuthentication } from './platform/authentication.ts';
import type { ClockSource } from './platform/clock-sources.ts';
import { registerDocumentation } from './platform/documentation.ts';
import type { FestApp } from './platform/fest-app.ts';
import { openFrontDoor } from './platform/front-door.ts';
import { GatheringRedis } from './platform/gathering-redis.ts';
import { registerHandlerDeadline } from './platform/handler-deadline.ts';
import { type HealthFacts, registerHealth, type SharedReadiness } from './platform/health.ts';
import { registerIdempotency } from './platform/idempotency.ts';
import type { LameDuck } from './platform/lame-duck.ts';
import { registerMetrics, type ShareMetrics } from './platform/metrics.ts';
import { watchBodies } from './platform/overload/body-arrival.ts';
import { boundConnections } from './platform/overload/connections.ts';
import { LoadShedder } from './platform/overload/load-shedder.ts';
import { overloadMetrics } from './platform/overload/overload-metrics.ts';
import type { SharedPort } from './platform/overload/shared-port.ts';
import { answerClientError, registerProblemDetails, sendProblem } from './platform/problem-details.ts';
import { measureAnswers, type ProcessHealth } from './platform/process-health.ts';
import { registerRequestContext } from './platform/request-hooks.ts';
import { createRequestIds } from './platform/request-ids.ts';
import { ShortWay } from './platform/short-way.ts';
import type { Tracing } from './platform/tracing.ts';
import { trustOf } from './platform/trusted-proxies.ts';
import type { SaleCore } from './sale-core.ts';
import type { Services } from './services.ts';

export interface Group {
  readonly metrics: ShareMetrics;
  readonly health: () => Promise<SharedReadiness>;
  readonly port: SharedPort;
}

export interface AppDependencies {
  readonly services: Services;
  readonly core: SaleCore;
  /** What operators are told; without it nothing is reported by itself. */
  readonly fleet?: Fleet;
  readonly health: () => Promise<HealthFacts>;
  /** When this process is one of several behind a port: what is said of all of them, whichever is asked. */
  readonly group?: Group;
  /** What is told of the metrics in place of a text that is shared for a while. */
  readonly tellMetrics?: ShareMetrics;
  /** Says that the server is about to stop. */
  readonly lameDuck?: LameDuck;
  /** Learns from the answers to those who hold and pay how long they took. */
  readonly processHealth?: ProcessHealth;
  /** Shared with the admission, which steers by what it sheds. */
  readonly loadShedder?: LoadShedder;
  readonly tracing?: Tracing;
  /** Of a clock that was made from sources, how far these are ahead of it. */
  readonly clocksAheadSeconds?: () => ReadonlyMap<ClockSource, number>;
  /** In place of what the file system of a folder says. For tests. */
  readonly readFreeBytes?: (directory: string) => Promise<number>;
}

export async function buildApp({
  services,
  core,
  fleet = createFleet({ services, core }),
  health,
  group,
  tellMetrics = group?.metrics,
  lameDuck,
  processHealth,
  loadShedder = new LoadShedder(),
  tracing,
  clocksAheadSeconds = () => new Map(),
  readFreeBytes: freeBytes = readFreeBytes,
}: AppDependencies): Promise<FestApp> {
  const loggerInstance: FastifyBaseLogger = services.logger;
  const requestIds = createRequestIds();
  const app: FestApp = Fastify({
    loggerInstance,
    // One line a request would be the dearest part of a poll; refusals of 500 and above are logged by problem-details.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: LIMITS.bodyBytes,
    routerOptions: { maxParamLength: LIMITS.pathParameterCharacters, ignoreTrailingSlash: false },
    requestTimeout: LIMITS.requestTimeoutMs,
    keepAliveTimeout: LIMITS.keepAliveTimeoutMs,
    connectionTimeout: LIMITS.stalledConnectionMs,
    http: {
      maxHeaderSize: LIMITS.headerBytes,
      // Node takes the larger of the two for a whole request, and the default for headers is 60 s.
      requestTimeout: LIMITS.requestTimeoutMs,
      headersTimeout: LIMITS.requestTimeoutMs,
      connectionsCheckingInterval: LIMITS.slowRequestCheckMs,
      // Checked by problem-details, so that the refusal is a problem document.
      requireHostHeader: false,
      shouldUpgradeCallback: asksForWebSocket,
    },
    trustProxy: trustOf(services.config.trustProxy),
    requestIdHeader: false,
    genReqId: ({ headers }) => requestIds(headers),
    // problem-details refuses requests while the server closes.
    return503OnClosing: false,
    // Bodies are taken as they are: a "1" is not a 1, and an unknown field is an error, not something to drop.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: true } },
    frameworkErrors: sendProblem,
    clientErrorHandler: answerClientError,
  });

  // JSON is the only body; Fastify would take text/plain as well and leave it to the schema to refuse it.
  app.removeContentTypeParser('text/plain');

  // --- every answer ---------------------------------------------------------------------------------------------------
  registerRequestContext(app, tracing);
  registerProblemDetails(app);
  const deadlines = registerHandlerDeadline(app, LIMITS.handlerTimeoutMs);
  boundConnections(app, services, loadShedder, group?.port);
  watchBodies(app, loadShedder);
  await registerDocumentation(app);
  const limits = createAbuseLimits(services);
  const accountMetrics = createAccountMetrics();
  const sources = {
    ...core.metricSources,
    abuse: limits.metrics,
    auth: accountMetrics.all,
    shedder: loadShedder,
    overload: overloadMetrics({ shedder: loadShedder, server: app.server, redis: services.redis }),
    clocksAheadSeconds,
    stores: fleet.stores,
    isLeaving: () => lameDuck?.begun === true,
    identity: { server: services.config.serverName, environment: services.config.environment },
  };
  const { meters, operators } = fleet;
  registerMetrics(app, sources, meters, tellMetrics);
  registerHealth(app, health, group?.health);
  if (processHealth !== undefined) measureAnswers(app, processHealth);
  const authentication = registerAuthentication(app, services.accessTokens);
  registerIdempotency(app, services);
  const shortWay = new ShortWay(app, {
    meters,
    shedder: loadShedder,
    authentication,
    deadlines,
    processHealth,
    trustedProxies: services.config.trustProxy,
    requestIds,
    tracing,
  });
  const isLeaving = (): boolean => lameDuck?.begun === true;
  const { redis } = services;
  const onRequest = redis instanceof GatheringRedis ? (nowMs: number) => redis.sendOverdue(nowMs) : () => undefined;
  const frontDoor = openFrontDoor(app, { meters, shedder: loadShedder, shortWay, isLeaving, onRequest });

  // --- the API --------------------------------------------------------------------------------------------------------
  const { live, rebuilds, catalogue, queueTokens, ticketCodes, processor, cancellations, log, passwordHashing } = core;
  const shared = { services, authentication, live, directory: catalogue, limits, shortWay };
  await app.register(
    async (api: FestApp) => {
      api.addHook('onRoute', refuseUnknownQuery);
      registerAccountRoutes(api, { services, authentication, passwordHashing, limits, metrics: accountMetrics });
      registerCatalogueRoutes(api, {
        services,
        authentication,
        catalogue,
        saleStates: live,
        reconcileSoon: (saleId) => core.settingsReconciler.soon(saleId),
      });
      registerWaitingRoomRoutes(api, { ...shared, queueTokens, frontDoor, waitErrors: core.waitErrors });
      const upgrades = registerLiveRoutes(api, {
        live,
        directory: catalogue,
        broadcast: core.broadcast,
        meters,
        shedder: loadShedder,
      });
      registerStockRoutes(api, { ...shared, queueTokens });
      registerPaymentRoutes(api, { ...shared, processor, logId: log.logId });
      registerOrderRoutes(api, { ...shared, ticketCodes, cancellations });
      registerSaleOrderRoutes(api, shared);
      registerCheckInRoutes(api, { services, authentication, catalogue, ticketCodes });
      registerOperationsRoutes(api, {
        ...shared,
        rebuilds,
        log,
        events: core.events,
        announce: catalogue.announce,
        admissions: () => core.ticker.reports,
      });
      registerOperationsLiveRoutes(api, { authentication, operators, upgrades });
      registerSaleReportRoutes(api, { services, authentication, catalogue, live });
      registerReadinessRoutes(api, { ...shared, core, clocksAheadSeconds, readFreeBytes: freeBytes });
    },
    { prefix: API_PREFIX },
  );
  return app;
}

/** A route that names no query parameters takes none: a misspelt one is noticed instead of ignored. */
function refuseUnknownQuery(route: RouteOptions): void {
  route.schema = { querystring: NoQuery, ...route.schema };
}
