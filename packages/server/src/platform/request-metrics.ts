/** What `RequestMeters` has counted, as Prometheus metrics. */
import { Counter, type Metric, type Registry } from 'prom-client';
import type { FestApp } from './fest-app.ts';
import type { LoadShedder } from './overload/load-shedder.ts';
import { problemCodeOf } from './problem-details.ts';
import { LATENCY_BUCKETS, type RequestMeter, RequestMeters } from './request-meters.ts';

/**
 * Counts all answers from now on. What does not pass through Fastify's hooks has to be counted by who answers it.
 *
 * @param shedder what it has refused counts under no route, whenever it was
 */
export function registerRequestMetrics(
  app: FestApp,
  registry: Registry,
  shedder: Pick<LoadShedder, 'refusedLate'>,
  meters = new RequestMeters(),
): RequestMeters {
  registry.registerMetric(
    new Counter({
      name: 'fest_http_requests_total',
      help: 'Answers by route pattern, method and status',
      labelNames: ['route', 'method', 'status'] as const,
      registers: [],
      collect() {
        this.reset();
        for (const { route, method, statuses } of meters.all()) {
          for (const [status, count] of statuses) this.inc({ route, method, status }, count);
        }
      },
    }),
  );
  registry.registerMetric(requestSeconds(meters));
  app.addHook('onResponse', (request, reply, done) => {
    const { config, url } = request.routeOptions;
    const seconds = reply.elapsedTime / 1000;
    if (shedder.refusedLate(reply.raw)) meters.countRefused(seconds);
    else {
      const code = problemCodeOf(reply.raw);
      const parameter = code === undefined ? undefined : saleParameterOf(request.params);
      meters.count(config, url, request.method, reply.statusCode, seconds, code, parameter);
    }
    done();
  });
  return meters;
}

/** Of a path, whichever says what sale the request was about. */
function saleParameterOf(parameters: unknown): string | undefined {
  const { saleId, holdId, paymentId, orderId } = (parameters ?? {}) as Readonly<Record<string, string | undefined>>;
  return saleId ?? holdId ?? paymentId ?? orderId;
}

/** prom-client's histograms count for themselves only. Of what a registry holds it asks nothing but this. */
function requestSeconds(meters: RequestMeters): Metric {
  const name = 'fest_http_request_seconds';
  const metric = {
    name,
    get: async () => {
      const routes = Map.groupBy(meters.all(), ({ route }) => route);
      return {
        name,
        help: 'Time from the request to its answer',
        type: 'histogram',
        aggregator: 'sum',
        values: [...routes].flatMap(([route, ofRoute]) => samplesOf(name, route, ofRoute)),
      };
    },
  };
  return metric as unknown as Metric;
}

function samplesOf(name: string, route: string, meters: readonly RequestMeter[]) {
  let count = 0;
  const buckets = [...LATENCY_BUCKETS, '+Inf'].map((le, index) => {
    for (const { buckets } of meters) count += buckets[index] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le, route }, value: count, exemplar: null };
  });
  const sum = meters.reduce((total, { sumSeconds }) => total + sumSeconds, 0);
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: { route }, value: sum },
    { metricName: `${name}_count`, labels: { route }, value: count },
  ];
}
