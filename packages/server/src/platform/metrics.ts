/** Prometheus metrics of this process. Label sets are closed: routes are patterns, never paths. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, type Metric, Registry } from 'prom-client';
import { SERVICE_PATHS } from '../contract/paths.ts';
import { LIMITS } from '../limits.ts';
import type { OrderLogStats } from '../order-log/order-log.ts';
import type { ClockSource } from './clock-sources.ts';
import type { FestApp } from './fest-app.ts';
import type { LoadShedder } from './overload/load-shedder.ts';
import type { PasswordHashingStats } from './password-hashing.ts';
import type { RequestMeters } from './request-meters.ts';
import { registerRequestMetrics } from './request-metrics.ts';
import { shareReading } from './shared-reading.ts';

export interface MetricSources {
  readonly applierLag: () => number;
  readonly failedRecords: () => number;
  readonly paymentsInFlight: () => number;
  readonly orderLog: () => Pick<OrderLogStats, 'appended' | 'fsyncs' | 'fsyncSeconds' | 'outOfSpace'>;
  /** Sales that are being built anew, as far as this process knows, and how many it has put in place. */
  readonly rebuilds: () => { readonly pending: number; readonly finished: number };
  /** Filled by the payments. */
  readonly orderAcknowledgement: Histogram;
  /** Filled by the waiting room. */
  readonly waitEstimates: readonly Metric[];
  readonly passwords: () => PasswordHashingStats;
  /** Kept by the live sockets. */
  readonly live: readonly Metric[];
  /** Of the sales that this process admits to: what limited the last decision, and what it knew. */
  readonly admissions: () => ReadonlyMap<number, AdmissionMetrics>;
}

export interface AdmissionMetrics {
  readonly limitedBy: string;
  readonly showRate: number;
  readonly ratePerSecond: number;
}

/** From when the gateway's outcome is known until the order is durable in the order log: what a buyer waits for us. */
export function createOrderAcknowledgement(): Histogram {
  return new Histogram({
    name: 'fest_order_acknowledgement_seconds',
    help: 'Time from the outcome at the gateway being known until the order is durable in the order log',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [],
  });
}

export interface ProcessMetricSources extends MetricSources {
  /** Kept by the limits of accounts and addresses. */
  readonly abuse: readonly Metric[];
  readonly shedder: Pick<LoadShedder, 'refusedLate'>;
  /** See `overloadMetrics`. */
  readonly overload: readonly Metric[];
  /** See `ClockWatch`. */
  readonly clocksAheadSeconds: () => ReadonlyMap<ClockSource, number>;
}

/** What is told of the metrics of a process, when somebody asks for them. Given its own once, at the start. */
export type ShareMetrics = (own: Registry) => () => Promise<string>;

/**
 * A text is told to all who ask within a second, or longer when printing it took long: that is work, and whoever reaches the port
 * can ask for it.
 *
 * @param gather gives how the text is printed once everything for it is there; waiting for that is no work
 */
export function sharePrinting(gather: () => Promise<() => Promise<string>>): () => Promise<string> {
  const printing = async (): Promise<{ readonly text: string; readonly tookMs: number }> => {
    const print = await gather();
    const beganMs = performance.now();
    const text = await print();
    return { text, tookMs: performance.now() - beganMs };
  };
  const reading = shareReading(printing, LIMITS.figuresMs, ({ tookMs }) => tookMs);
  return async () => (await reading()).text;
}

const shareOwn: ShareMetrics = (own) => sharePrinting(async () => () => own.metrics());

export function registerMetrics(
  app: FestApp,
  sources: ProcessMetricSources,
  meters: RequestMeters,
  share: ShareMetrics = shareOwn,
): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  registry.registerMetric(sources.orderAcknowledgement);
  for (const metric of sources.live) registry.registerMetric(metric);
  for (const metric of sources.abuse) registry.registerMetric(metric);
  for (const metric of sources.waitEstimates) registry.registerMetric(metric);
  for (const metric of sources.overload) registry.registerMetric(metric);
  registerPasswords(registry, sources.passwords);
  registerClocks(registry, sources.clocksAheadSeconds);
  registerAdmissions(registry, sources.admissions);
  gauge('fest_applier_lag_records', 'Durable log records that are not in MySQL yet', sources.applierLag);
  gauge(
    'fest_applier_failed_records',
    'Log records of this server that MySQL refused and nobody has dealt with',
    sources.failedRecords,
  );
  gauge('fest_sale_rebuilds_pending', 'Sales whose state is being built anew', () => sources.rebuilds().pending);
  gauge(
    'fest_sale_rebuilds_finished',
    'Sales this process has built anew since the start',
    () => sources.rebuilds().finished,
  );
  gauge('fest_payments_in_flight', 'Payments this process works on', sources.paymentsInFlight);
  gauge('fest_order_log_records', 'Records appended since the start', () => sources.orderLog().appended);
  gauge('fest_order_log_fsyncs', 'fdatasync calls since the start', () => sources.orderLog().fsyncs);
  gauge(
    'fest_order_log_fsync_seconds',
    'Time spent in fdatasync since the start',
    () => sources.orderLog().fsyncSeconds,
  );
  gauge('fest_order_log_out_of_space', '1 while the disk of the order log has no room: no payment is started', () =>
    Number(sources.orderLog().outOfSpace),
  );

  registerRequestMetrics(app, registry, sources.shedder, meters);
  const tell = share(registry);
  app.get(SERVICE_PATHS.metrics, { schema: { hide: true } }, async (_request, reply) =>
    reply.type(registry.contentType).send(await tell()),
  );
}

function registerAdmissions(registry: Registry, read: MetricSources['admissions']): void {
  new Gauge({
    name: 'fest_admission_limit',
    help: 'What limits the admission to a sale: closed, nobodyWaits, rate, health, slots or stock; told by who admits to it',
    labelNames: ['sale', 'reason'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const [sale, { limitedBy }] of read()) this.set({ sale, reason: limitedBy }, 1);
    },
  });
  const ofSale = (name: string, help: string, of: (admission: AdmissionMetrics) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['sale'] as const,
      registers: [registry],
      collect() {
        this.reset();
        for (const [sale, admission] of read()) this.set({ sale }, of(admission));
      },
    });
  };
  ofSale(
    'fest_admission_show_rate',
    'Share of those admitted now who are expected to make a hold, 0 to 1',
    ({ showRate }) => showRate,
  );
  ofSale('fest_admission_rate_per_second', 'Buyers a second that the rate allows at present', (of) => of.ratePerSecond);
}

function registerPasswords(registry: Registry, read: MetricSources['passwords']): void {
  new Counter({
    name: 'fest_password_hashes_total',
    help: 'Passwords to be hashed or checked: hashed, refused because too many wait, abandoned by the client, failed',
    labelNames: ['outcome'] as const,
    registers: [registry],
    collect() {
      const { hashed, busy, abandoned, failed } = read();
      this.reset();
      for (const [outcome, count] of Object.entries({ hashed, busy, abandoned, failed })) this.inc({ outcome }, count);
    },
  });
  new Gauge({
    name: 'fest_password_hashes_waiting',
    help: 'Passwords that wait for a thread to hash them',
    registers: [registry],
    collect() {
      this.set(read().waiting);
    },
  });
}

function registerClocks(registry: Registry, read: ProcessMetricSources['clocksAheadSeconds']): void {
  new Gauge({
    name: 'fest_clock_offset_seconds',
    help: 'How far the clocks of Redis, MySQL and this machine are ahead of the time this server goes by',
    labelNames: ['source'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const [source, seconds] of read()) this.set({ source }, seconds);
    },
  });
}
