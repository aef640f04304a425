/** What operators are told of this process and of all others, wired together once per process. */
import { performance } from 'node:perf_hooks';
import type { StoreHealth } from './contract/operations.ts';
import { FleetReader } from './features/operations/live/fleet-reader.ts';
import { LiveDocument } from './features/operations/live/live-document.ts';
import { OperatorSockets } from './features/operations/live/operator-sockets.ts';
import { Reporter } from './features/operations/live/reporter.ts';
import { SaleMemory } from './features/operations/live/sale-memory.ts';
import { type FigureSources, Sampler } from './features/operations/live/sampler.ts';
import { StoreWatch } from './features/operations/live/store-watch.ts';
import { SaleRecorder } from './features/operations/report/recorder.ts';
import { LIMITS } from './limits.ts';
import { askMysql } from './platform/mysql-statements.ts';
import { fewRandomBytes } from './platform/random-bytes.ts';
import { RequestMeters } from './platform/request-meters.ts';
import type { SaleCore } from './sale-core.ts';
import type { Services } from './services.ts';

export interface FleetOptions {
  readonly services: Services;
  readonly core: SaleCore;
  /** Of several that share a port, from 1. */
  readonly worker?: number;
  /** Name of the server that the worker is of; without it that of the configuration. */
  readonly server?: string;
  /** Whether this process is about to stop. */
  readonly isLeaving?: () => boolean;
}

export interface Fleet {
  /** How each store answered the last question. */
  readonly stores: () => Readonly<Record<'redis' | 'mysql', StoreHealth>>;
  /** To be told of every answer. */
  readonly meters: RequestMeters;
  readonly operators: OperatorSockets;
  readonly reporter: Reporter;
  readonly document: LiveDocument;
  readonly recorder: SaleRecorder;
  /** Reports from now on. */
  start(): void;
  /** Says goodbye. While Redis is connected still, after everything else has stopped. */
  stop(): Promise<void>;
}

const ID_BYTES = 9;

/** Does nothing until it is started, or an operator listens. */
export function createFleet(options: FleetOptions): Fleet {
  const { services, core } = options;
  const { config, redis, mysql, clock, logger } = services;
  const meters = new RequestMeters(core.saleTallies);
  const nowMs = () => performance.now();
  const watch = (slowMs: number) => new StoreWatch({ slowMs, downMs: LIMITS.storeProbeMs, nowMs });
  const stores = { redis: watch(LIMITS.redisSlowMs), mysql: watch(LIMITS.mysqlSlowMs) };
  const identity = {
    id: fewRandomBytes(ID_BYTES).toString('base64url'),
    server: options.server ?? config.serverName,
    worker: options.worker ?? null,
    startedAtMs: clock.nowMs(),
  };
  const { events } = core;
  const sales = new SaleMemory({ live: core.live, catalogue: core.catalogue, clock, logger });
  const operators: OperatorSockets = new OperatorSockets({
    read: async () => JSON.stringify(await document.read()),
    clock,
    logger,
  });
  const sources = figureSources(options, meters, () => core.broadcast.open + operators.open);
  const reporter = new Reporter({
    redis,
    sampler: new Sampler({ identity, sources, ...stores }),
    events,
    redisWatch: stores.redis,
    mysqlWatch: stores.mysql,
    askMysql: () => askMysql(mysql, LIMITS.storeProbeMs),
    logger,
  });
  const reader = new FleetReader({ redis, noticed: events });
  const document = new LiveDocument({
    environment: config.environment,
    reader,
    reporter,
    events,
    sales,
    isRebuilding: (saleId, epoch) => core.rebuilds.isRebuilding(saleId) || core.live.floor(saleId) > epoch,
    clock,
    logger,
  });
  const recorder = new SaleRecorder({ id: identity.id, redis, mysql, document, sales, clock, logger });
  return {
    stores: () => ({ redis: stores.redis.read(), mysql: stores.mysql.read() }),
    meters,
    operators,
    reporter,
    document,
    recorder,
    start() {
      sales.start();
      reporter.start();
      recorder.start();
      // Reports of processes that were killed long ago go also when no operator ever looks.
      reader.read().catch((error: unknown) => logger.debug({ err: error }, 'old reports were not looked for'));
    },
    async stop() {
      await reporter.stop();
      await recorder.stop();
    },
  };
}

function figureSources(
  { core, isLeaving = () => false }: FleetOptions,
  meters: RequestMeters,
  webSockets: () => number,
): FigureSources {
  return {
    requests: () => meters.takeWindow(),
    orders: () => core.acknowledgedOrders.take(),
    admissions: () => core.ticker.reports,
    tallies: () => core.saleTallies.read(),
    webSockets,
    logLagRecords: () => core.applier.lag,
    failedRecords: () => core.applier.failedRecords,
    logOutOfSpace: () => core.log.stats().outOfSpace,
    paymentsInFlight: () => core.processor.inFlight,
    isLeaving,
  };
}
