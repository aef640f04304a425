/** The parts that sell, wired together once per process, with their order of starting and stopping. */
import { randomUUID } from 'node:crypto';
import { Applier } from './features/archive/applier.ts';
import { createApplierMetrics } from './features/archive/applier-metrics.ts';
import { readUnfinished, registerLog, retireApplied } from './features/archive/apply-batch.ts';
import { Retention } from './features/archive/retention.ts';
import { type Catalogue, createCatalogue } from './features/catalogue/catalogue-cache.ts';
import { SettingsReconciler } from './features/catalogue/settings-reconciler.ts';
import { LiveBroadcast } from './features/live/live-broadcast.ts';
import { busyAdmissions } from './features/operations/live/busy-admissions.ts';
import { EventQueue } from './features/operations/live/event-queue.ts';
import { phaseChanged, salesDoubted, salesRebuilt } from './features/operations/live/sayings.ts';
import { createSaleMetrics } from './features/operations/metrics/sale-metrics.ts';
import { PhaseReconciler } from './features/operations/phase-reconciler.ts';
import { Cancellations } from './features/orders/cancellation.ts';
import { createTicketCodes, type TicketCodes } from './features/orders/ticket-code.ts';
import { releaseArchivedVoid, releaseKnownVoid } from './features/orders/void-tickets.ts';
import { AbandonedPayments } from './features/payments/abandoned-payments.ts';
import { AcknowledgedOrders } from './features/payments/acknowledged-orders.ts';
import { boundedGateway } from './features/payments/bounded-gateway.ts';
import type { PaymentGateway } from './features/payments/gateway.ts';
import { createOrphanage } from './features/payments/orphans.ts';
import { createPaymentMetrics, measureGateway } from './features/payments/payment-metrics.ts';
import { PaymentProcessor, type PaymentProcessorOptions } from './features/payments/payment-processor.ts';
import type { Unfinished } from './features/payments/payments.ts';
import { findUnfinished, resumeUnfinished } from './features/payments/resume.ts';
import { findArchivedPayment } from './features/payments/store.ts';
import { LiveSales } from './features/stock/live-sales.ts';
import { createRebuildStore } from './features/stock/rebuild-store.ts';
import { Rebuilds } from './features/stock/rebuilds.ts';
import { Sweeper } from './features/stock/sweeper.ts';
import type { HealthFacts } from './features/waiting-room/health-rate.ts';
import { createQueueTokens, type QueueTokens } from './features/waiting-room/queue-token.ts';
import { Ticker } from './features/waiting-room/ticker.ts';
import { WaitErrors } from './features/waiting-room/wait-errors.ts';
import { Housekeeping } from './housekeeping.ts';
import { LIMITS } from './limits.ts';
import { type OrderLog, openOrderLog } from './order-log/order-log.ts';
import { openOrderLogReader } from './order-log/reader.ts';
import { createOrderAcknowledgement, type MetricSources } from './platform/metrics.ts';
import { seatsFor } from './platform/open-files.ts';
import { createOrderLogMeter, readDiskRoom } from './platform/order-log-metrics.ts';
import { createPasswordHashing, type PasswordHashing } from './platform/password-hashing.ts';
import { SaleTallies } from './platform/sale-tallies.ts';
import type { Services } from './services.ts';

export interface SaleCore {
  readonly log: OrderLog;
  readonly applier: Applier;
  readonly catalogue: Catalogue;
  readonly live: LiveSales;
  readonly broadcast: LiveBroadcast;
  readonly rebuilds: Rebuilds;
  readonly ticker: Ticker;
  readonly sweeper: Sweeper;
  readonly settingsReconciler: SettingsReconciler;
  readonly phaseReconciler: PhaseReconciler;
  readonly gateway: PaymentGateway;
  readonly processor: PaymentProcessor;
  readonly abandonedPayments: AbandonedPayments;
  readonly cancellations: Cancellations;
  readonly queueTokens: QueueTokens;
  readonly ticketCodes: TicketCodes;
  readonly passwordHashing: PasswordHashing;
  readonly waitErrors: WaitErrors;
  /** What operators are to hear of. */
  readonly events: EventQueue;
  readonly acknowledgedOrders: AcknowledgedOrders;
  /** What was refused of each sale, and how long people waited. */
  readonly saleTallies: SaleTallies;
  readonly metricSources: MetricSources;
  /** Finishes what the last life left, then starts admitting, sweeping and archiving. */
  start(): Promise<void>;
  /** Stops admitting; finishes payments under way as far as time allows; archives; closes the log. */
  stop(): Promise<void>;
}

export interface SaleCoreOptions {
  readonly services: Services;
  readonly gateway: PaymentGateway;
  readonly onPaymentStep?: NonNullable<PaymentProcessorOptions['onStep']>;
  /** How busy this process is, for the admission; without it, as if it had nothing to do. */
  readonly health?: () => HealthFacts;
  /** For tests: in place of the disk the order log is on. */
  readonly logFilesModule?: URL;
}

const AT_REST: HealthFacts = { eventLoopUtilization: 0, requestP99Ms: 0, cpu: 0 };

export async function createSaleCore(options: SaleCoreOptions): Promise<SaleCore> {
  const { services, onPaymentStep, logFilesModule, health = () => AT_REST } = options;
  const { gateway, metrics: gatewayMetrics } = measureGateway(boundedGateway(options.gateway));
  const { config, clock, logger, redis, mysql } = services;
  const log = await openOrderLog({
    directory: config.logDirectory,
    ...(logFilesModule === undefined ? {} : { filesModule: logFilesModule }),
  });
  const logMeter = createOrderLogMeter(
    () => log.stats(),
    () => readDiskRoom(config.logDirectory),
  );
  log.onDurable(() => logMeter.batch(log.stats()));
  const applier = new Applier({
    log,
    directory: config.logDirectory,
    server: config.serverName,
    mysql,
    redis,
    clock,
    logger,
  });
  await registerLog(mysql, { logId: log.logId, server: config.serverName }, clock.nowMs());
  await applier.open();
  const catalogue = await createCatalogue(services);
  const live = new LiveSales({
    redis,
    clock,
    logger,
    onSuspect: (saleId, reason) => rebuilds.suspect(saleId, reason),
  });
  const broadcast = new LiveBroadcast({
    states: live,
    seats: { sockets: seatsFor(config.liveSockets, logger), perAddress: config.liveSocketsPerAddress },
    logger,
  });
  const events = new EventQueue(clock);
  const rebuilds = new Rebuilds({
    redis,
    store: createRebuildStore(mysql),
    log,
    live,
    clock,
    logger,
    onDoubted: (sales) => events.say(...salesDoubted(sales)),
    onRebuilt: (sales) => events.say(...salesRebuilt(sales)),
  });
  const settingsReconciler = new SettingsReconciler({ mysql, live, saleStates: live, logger });
  const shared = { redis, clock, logger, live };
  const phaseReconciler = new PhaseReconciler({
    ...shared,
    mysql,
    record: (record) => log.append(record),
    isBehind: () => applier.lag > 0,
  });
  const ticker = new Ticker({
    ...shared,
    node: `${config.serverName}/${randomUUID()}`,
    health,
    recordPhase: (record) => {
      events.say(phaseChanged(record));
      return log.append(record);
    },
  });
  const sweeper = new Sweeper(shared);
  const saleTallies = new SaleTallies({ isSale: (saleId) => live.followed.has(saleId) });
  const waitErrors = new WaitErrors(saleTallies);
  live.onRead((sale) => waitErrors.settle(sale));
  live.onUnfollow((saleId) => waitErrors.forget(saleId));
  const orderAcknowledgement = createOrderAcknowledgement();
  const acknowledgedOrders = new AcknowledgedOrders();
  const processor = new PaymentProcessor({
    ...shared,
    log,
    gateway,
    directory: catalogue,
    releaseCancelledElsewhere: [
      (order) => releaseKnownVoid(redis, log, order),
      (order) => releaseArchivedVoid(mysql, log, order),
    ],
    findOutcome: async (paymentId) => {
      await applier.drain(LIMITS.mysqlQueryTimeoutMs);
      return findArchivedPayment(mysql, paymentId);
    },
    onAcknowledged: (seconds, saleId) => {
      orderAcknowledgement.observe(seconds);
      acknowledgedOrders.count(saleId);
    },
    ...(onPaymentStep === undefined ? {} : { onStep: onPaymentStep }),
  });
  const abandonedPayments = new AbandonedPayments({
    ...shared,
    directory: catalogue,
    processor,
    logId: log.logId,
    orphanage: createOrphanage(mysql),
    drain: () => applier.drain(LIMITS.abandonedPaymentsMs),
  });
  const housekeeping = new Housekeeping({ mysql, clock, logger });
  const retention = new Retention({
    log,
    applier,
    logger,
    archiveDirectory: config.logArchiveDirectory,
    keepRecords: config.logKeepRecords,
  });
  const cancellations = new Cancellations({ ...shared, mysql, log, gateway });
  const passwordHashing = createPasswordHashing({
    costLog2: config.passwordCostLog2,
    threads: config.passwordThreads,
    processes: config.passwordProcesses,
  });

  return {
    log,
    applier,
    catalogue,
    live,
    broadcast,
    rebuilds,
    ticker,
    sweeper,
    settingsReconciler,
    phaseReconciler,
    gateway,
    processor,
    abandonedPayments,
    cancellations,
    queueTokens: createQueueTokens(config.queueTokenSecret),
    ticketCodes: createTicketCodes(config.ticketSigningSeed),
    passwordHashing,
    waitErrors,
    events,
    acknowledgedOrders,
    saleTallies,
    metricSources: {
      selling: [
        ...createSaleMetrics({
          sales: () => [...live.followed].flatMap((saleId) => live.get(saleId) ?? []),
          lastReadings: () => live.lastReadings,
          orders: () => acknowledgedOrders.total,
          nowMs: () => clock.nowMs(),
        }),
        ...createPaymentMetrics(processor),
        ...gatewayMetrics,
        ...logMeter.all,
        ...createApplierMetrics(applier),
      ],
      rebuilds: () => rebuilds.counts,
      orderAcknowledgement,
      waitEstimates: waitErrors.metrics,
      passwords: () => passwordHashing.stats(),
      live: broadcast.metrics.all,
      admissions: () => busyAdmissions(ticker.reports),
    },
    async start() {
      // Before the applier moves on: what is unfinished is known as of its position.
      const unfinished = await readLeftToDo();
      applier.start();
      await rebuilds.start();
      const sales = await catalogue.listSalesToFollow();
      for (const { id } of sales) live.follow(id);
      catalogue.onChange(({ saleIds }) => {
        Promise.all(saleIds.map(followOrForget)).catch((error: unknown) => {
          logger.warn(
            { err: error, saleIds },
            'a changed sale could not be looked up; it is followed when somebody asks for it',
          );
        });
      });
      // A sale that cannot be loaded now is tried again by every refresh.
      await Promise.allSettled(sales.map(({ id }) => live.load(id)));
      resumeUnfinished(unfinished, processor, logger);
      cancellations.start();
      // What was left is worked on again, and no request has come yet: whatever else is paying through this log was abandoned.
      await abandonedPayments.resumeAll(0);
      abandonedPayments.start();
      live.start();
      settingsReconciler.start();
      phaseReconciler.start();
      ticker.start();
      sweeper.start();
      housekeeping.start();
      retention.start();
    },
    async stop() {
      await ticker.stop();
      await Promise.all([processor.stop(LIMITS.drainMs), cancellations.stop(LIMITS.drainMs)]);
      await Promise.all([
        sweeper.stop(),
        settingsReconciler.stop(),
        phaseReconciler.stop(),
        abandonedPayments.stop(),
        housekeeping.stop(),
        retention.stop(),
        passwordHashing.close(),
      ]);
      await rebuilds.stop();
      live.stop();
      await retire().catch((error: unknown) => {
        logger.warn(
          { err: error },
          'stopping with records that are not archived yet; the next start goes on with them',
        );
      });
      await applier.stop();
      await log.close();
      await gateway.close();
    },
  };

  /** A sale that was created or changed is followed and read anew; one that was deleted is not followed any more. */
  async function followOrForget(saleId: number): Promise<void> {
    if ((await catalogue.getSale(saleId)) === undefined) {
      live.unfollow(saleId);
      return;
    }
    live.follow(saleId);
    // Before an opening the state is read every few seconds only: too late for a changed capacity.
    await live.refresh(saleId);
  }

  async function readLeftToDo(): Promise<Unfinished> {
    const reader = await openOrderLogReader(config.logDirectory, applier.appliedLsn);
    try {
      return await findUnfinished(reader, log.durableLsn, await readUnfinished(mysql, log.logId));
    } finally {
      await reader.close();
    }
  }

  /** Says that nothing in this log is unknown to MySQL, so that rebuilds need not wait for this server to come back. */
  async function retire(): Promise<void> {
    await applier.drain(LIMITS.archiveOnStopMs);
    await applier.stop();
    await log.close();
    if (await retireApplied(mysql, log.logId, log.durableLsn, clock.nowMs())) return;
    throw new Error(`MySQL does not have the order log up to its last record, ${log.durableLsn}`);
  }
}
