/**
 * Prometheus metrics of this process. Label sets are closed: routes are patterns, never paths; sales are the few that are watched.
 * Every family has its own file; here they come together.
 */
import { performance } from 'node:perf_hooks';
import type { FastifyRequest } from 'fastify';
import { collectDefaultMetrics, Histogram, type Metric, Registry } from 'prom-client';
import type { StoreHealth } from '../contract/operations.ts';
import { SERVICE_PATHS } from '../contract/paths.ts';
import { LIMITS } from '../limits.ts';
import type { ClockSource } from './clock-sources.ts';
import type { FestApp } from './fest-app.ts';
import { byLabel, counter, counters, gauge, gauges } from './metric-kinds.ts';
import type { LoadShedder } from './overload/load-shedder.ts';
import type { PasswordHashingStats } from './password-hashing.ts';
import type { RequestMeters } from './request-meters.ts';
import { registerRequestMetrics } from './request-metrics.ts';
import { shareReading } from './shared-reading.ts';

export interface MetricSources {
  /** Sales that are being built anew, as far as this process knows, and how many it has put in place. */
  readonly rebuilds: () => { readonly pending: number; readonly finished: number };
  /** Filled by the payments. */
  readonly orderAcknowledgement: Histogram;
  /** Filled by the waiting room. */
  readonly waitEstimates: readonly Metric[];
  readonly passwords: () => PasswordHashingStats;
  /** Kept by the live sockets. */
  readonly live: readonly Metric[];
  /** Of the line and the stock, the payments and their gateway, the order log, and the applier. */
  readonly selling: readonly Metric[];
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
  /** Kept by the accounts. */
  readonly auth: readonly Metric[];
  readonly shedder: Pick<LoadShedder, 'refusedLate'>;
  /** See `overloadMetrics`. */
  readonly overload: readonly Metric[];
  /** See `ClockWatch`. */
  readonly clocksAheadSeconds: () => ReadonlyMap<ClockSource, number>;
  /** By the last question, one a second. */
  readonly stores: () => Readonly<Record<'redis' | 'mysql', StoreHealth>>;
  readonly isLeaving: () => boolean;
  readonly identity: { readonly server: string; readonly environment: string };
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
  const registry = createRegistry(sources);
  registerRequestMetrics(app, registry, sources.shedder, meters);
  const tell = share(registry);
  app.get(SERVICE_PATHS.metrics, { schema: { hide: true } }, async (request, reply) => {
    if (!isAskedDirectly(request)) return reply.callNotFound();
    return reply.type(registry.contentType).send(await tell());
  });
}

/**
 * Metrics are for whoever reaches this port, and not for the public behind a load balancer: its own rule for this path, if it has one, goes by
 * how it is written, and `/%6detrics` is the same path here.
 */
function isAskedDirectly({ headers, raw }: FastifyRequest): boolean {
  const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
  return !isForwarded && raw.url?.split('?')[0] === SERVICE_PATHS.metrics;
}

/** All metrics but those of the requests, which are counted by hooks of the app. */
export function createRegistry(sources: ProcessMetricSources): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const all: readonly Metric[] = [
    ...processMetrics(sources),
    sources.orderAcknowledgement,
    ...sources.selling,
    ...sources.waitEstimates,
    ...sources.live,
    ...sources.auth,
    ...sources.abuse,
    ...sources.overload,
    ...passwordMetrics(sources.passwords),
    ...storeMetrics(sources),
    ...admissionMetrics(sources.admissions),
    gauge('fest_sale_rebuilds_pending', 'Sales whose state is being built anew', () => sources.rebuilds().pending),
    counter('fest_sale_rebuilds_total', 'Sales this process has built anew', () => sources.rebuilds().finished),
  ];
  for (const metric of all) registry.registerMetric(metric);
  return registry;
}

function processMetrics({ identity, isLeaving }: ProcessMetricSources): readonly Metric[] {
  return [
    gauges('fest_server_info', 'Always 1; says which server this is', ['server', 'environment'], () => [
      [{ ...identity }, 1],
    ]),
    gauge('fest_server_leaving', '1 once this process was told to stop', () => Number(isLeaving())),
    counter('fest_event_loop_busy_seconds_total', 'Time in which the event loop was not idle', () => {
      return performance.eventLoopUtilization().active / 1_000;
    }),
  ];
}

function storeMetrics({ stores, clocksAheadSeconds }: ProcessMetricSources): readonly Metric[] {
  return [
    gauges('fest_store_up', '1 when a store answered the last question, which is asked every second', ['store'], () =>
      Object.entries(stores()).map(([store, { status }]) => [{ store }, Number(status !== 'down')] as const),
    ),
    gauges('fest_store_latency_seconds', 'How long a store took to answer the smallest question', ['store'], () =>
      Object.entries(stores()).flatMap(([store, { latencyMs }]) =>
        latencyMs === null ? [] : [[{ store }, latencyMs / 1_000] as const],
      ),
    ),
    gauges(
      'fest_clock_offset_seconds',
      'How far the clocks of Redis, MySQL and this machine are ahead of the time this server goes by',
      ['source'],
      () => [...clocksAheadSeconds()].map(([source, seconds]) => [{ source }, seconds] as const),
    ),
  ];
}

function admissionMetrics(read: MetricSources['admissions']): readonly Metric[] {
  const ofSale = (name: string, help: string, of: (admission: AdmissionMetrics) => number): Metric =>
    gauges(name, help, ['sale'], () => [...read()].map(([sale, admission]) => [{ sale }, of(admission)] as const));
  return [
    gauges(
      'fest_admission_limit',
      'What limits the admission to a sale: closed, nobodyWaits, rate, health, slots or stock; told by who admits to it',
      ['sale', 'reason'],
      () => [...read()].map(([sale, { limitedBy }]) => [{ sale, reason: limitedBy }, 1] as const),
    ),
    ofSale('fest_admission_show_rate', 'Share of those admitted now who are expected to make a hold, 0 to 1', (of) => {
      return of.showRate;
    }),
    ofSale('fest_admission_rate_per_second', 'Buyers a second that the rate allows at present', (of) => {
      return of.ratePerSecond;
    }),
  ];
}

function passwordMetrics(read: MetricSources['passwords']): readonly Metric[] {
  return [
    counters(
      'fest_password_hashes_total',
      'Passwords to be hashed or checked: hashed, refused because too many wait, abandoned by the client, failed',
      ['outcome'],
      () => {
        const { hashed, busy, abandoned, failed } = read();
        return byLabel('outcome', { hashed, busy, abandoned, failed });
      },
    ),
    gauge('fest_password_hashes_waiting', 'Passwords that wait for a thread to hash them', () => read().waiting),
  ];
}
