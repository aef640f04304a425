/** The process: stores → core → app → listen → drain. */
import { buildApp } from './app.ts';
import { type Config, redactedConfig } from './config.ts';
import { ensureBootstrapAccounts } from './features/accounts/bootstrap-accounts.ts';
import { SimulatedGateway } from './features/payments/simulated-gateway.ts';
import { createFleet } from './fleet-core.ts';
import { LIMITS } from './limits.ts';
import { createAccessTokens } from './platform/access-tokens.ts';
import { ClockWatch, createClockReaders } from './platform/clock-sources.ts';
import { withDeadline } from './platform/deadline.ts';
import { createStoreProbes, type HealthFacts } from './platform/health.ts';
import { LameDuck } from './platform/lame-duck.ts';
import { createLogger } from './platform/logger.ts';
import { createMysqlPool, migrate } from './platform/mysql.ts';
import { LoadShedder } from './platform/overload/load-shedder.ts';
import { steered } from './platform/overload/shed-level.ts';
import { ProcessHealth } from './platform/process-health.ts';
import { checkRedis, connectRedis, connectSubscriber } from './platform/redis.ts';
import { openTracing } from './platform/tracing.ts';
import { createSaleCore, type SaleCore } from './sale-core.ts';
import type { Services } from './services.ts';
import { onStop, seeOff } from './stopping.ts';
import { groupOf } from './workers/group.ts';
import type { WorkerLink } from './workers/worker-link.ts';

async function connectServices(config: Config): Promise<{ services: Services; clockWatch: ClockWatch }> {
  const logger = createLogger(config);
  const ran = await migrate(config.mysqlUrl);
  if (ran.length > 0) logger.info({ migrations: ran }, 'migrated the database');
  const redis = await connectRedis(config.redisUrl);
  const hint = await checkRedis(redis);
  if (hint !== undefined) logger.warn(hint);
  const mysql = createMysqlPool(config.mysqlUrl, config.mysqlPoolSize);
  const clockWatch = await ClockWatch.begin({ readers: createClockReaders({ redis, mysql }), logger });
  const services: Services = {
    config,
    clock: clockWatch.clock,
    logger,
    redis,
    subscriber: await connectSubscriber(config.redisUrl),
    mysql,
    accessTokens: createAccessTokens(config.jwtSecret, clockWatch.clock),
  };
  return { services, clockWatch };
}

export interface ProcessOptions {
  /** When this process is a worker. */
  readonly link?: WorkerLink;
  /** Name of the server that the worker is of. */
  readonly server?: string;
}

/** For test harnesses: what a deployment never changes. */
export interface ProcessOverrides {
  /** See `OrderLogOptions.filesModule`. */
  readonly logFilesModule?: URL;
}

/** Runs a server until the process is told to stop. Resolves once it listens. */
export async function runServer(
  config: Config,
  { link, server = config.serverName, ...overrides }: ProcessOptions & ProcessOverrides = {},
): Promise<void> {
  const { services, clockWatch } = await connectServices(config);
  const { logger, redis, subscriber, mysql, clock } = services;
  logger.info({ config: redactedConfig(config), node: process.version }, 'starting');
  const gateway = new SimulatedGateway({
    directory: config.gatewayDirectory,
    name: config.serverName,
    seed: config.gatewaySeed,
    clock,
    latencyMs: config.gatewayLatencyMs,
    latencySigma: config.gatewayLatencySigma,
    declineRate: config.gatewayDeclineRate,
    timeoutRate: config.gatewayTimeoutRate,
    unknownRate: config.gatewayUnknownRate,
    timeoutMs: config.gatewayTimeoutMs,
  });
  const processHealth = new ProcessHealth();
  const loadShedder = new LoadShedder();
  const core = await createSaleCore({
    services,
    gateway,
    health: () => steered(processHealth.read(), loadShedder.relief),
    ...overrides,
  });
  // From the first record on, also while it starts.
  void core.log.failure.then((error) => {
    // Nothing can be acknowledged any more. Only a restart re-reads what is really on disk.
    logger.fatal({ err: error }, 'the order log failed; stopping at once');
    process.exit(1);
  });
  reportRecovery(logger, core);
  const created = await ensureBootstrapAccounts(services, core.passwordHashing);
  if (created.length > 0) logger.info({ accounts: created }, 'created the first accounts');

  const lameDuck = new LameDuck();
  const fleet = createFleet({
    services,
    core,
    server,
    isLeaving: () => lameDuck.begun,
    ...(link === undefined ? {} : { worker: link.worker }),
  });
  const askStores = createStoreProbes({ redis, mysql });
  const health = async (): Promise<HealthFacts> => ({
    draining: lameDuck.begun,
    ...(await askStores()),
    orderLog: !core.log.stats().outOfSpace,
    applierLag: core.applier.lag,
    serverName: config.serverName,
  });
  const tracing = await openTracing(config, logger);
  const app = await buildApp({
    services,
    core,
    fleet,
    ...(tracing === undefined ? {} : { tracing }),
    processHealth,
    loadShedder,
    clocksAheadSeconds: () => clockWatch.aheadSeconds,
    lameDuck,
    health,
    ...(link === undefined ? {} : { group: groupOf(link, health) }),
  });
  processHealth.start();
  await core.start();
  clockWatch.start();
  fleet.start();
  // A worker whose primary has gone is never given a port.
  await Promise.race([
    app.listen({ host: config.host, port: config.port, backlog: LIMITS.listenBacklog }),
    ...(link === undefined ? [] : [link.toldToLeave]),
  ]);

  onStop({ config, logger, link }, async (why) => {
    await seeOff({ why, app, lameDuck, core, operators: fleet.operators, config, logger, link });
    // Then requests under way, then payments under way.
    clockWatch.stop();
    processHealth.stop();
    await app.close();
    await core.stop();
    await fleet.stop();
    await tracing?.stop();
    // A database that hangs does not keep the process: it notices by itself that nobody is there any more.
    await withDeadline(mysql.end(), LIMITS.storeProbeMs, () => new Error('no goodbye from MySQL')).catch(
      (error: unknown) => logger.warn({ err: error }, 'the connections to MySQL were not closed properly'),
    );
    redis.disconnect();
    subscriber.disconnect();
    logger.info('stopped');
  });
  link?.ready();
}

/** What opening the order log found is said at every start: silence would look like "nothing was lost". */
function reportRecovery(logger: Services['logger'], { log, applier }: SaleCore): void {
  const { records, lastLsn, tornBytes, conflicts, durationMs, uncleanOwner } = log.recovery;
  const facts = { logId: log.logId, records, lastLsn, appliedLsn: applier.appliedLsn, durationMs };
  logger.info(facts, 'opened the order log');
  if (uncleanOwner !== undefined) logger.warn({ uncleanOwner }, 'the process before did not close the order log');
  if (tornBytes > 0)
    logger.warn(
      { tornBytes, tornAt: log.recovery.tornAt },
      'cut a torn tail off the order log: it was never acknowledged',
    );
  if (conflicts > 0)
    logger.fatal({ conflicts, samples: log.recovery.conflictSamples }, 'the order log has sold a ticket twice');
}
