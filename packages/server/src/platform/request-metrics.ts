/** What `RequestMeters` has counted, as Prometheus metrics. */
import { Counter, type Metric, type Registry } from 'prom-client';
import { ROUTE_CLASSES } from '../contract/operations.ts';
import { PROBLEMS, type ProblemCode } from '../contract/problems.ts';
import type { FestApp } from './fest-app.ts';
import { counters } from './metric-kinds.ts';
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
      help: 'Answers by class of routes, route pattern, method and status',
      labelNames: ['class', 'route', 'method', 'status'] as const,
      registers: [],
      collect() {
        this.reset();
        for (const { class: kind, route, method, statuses } of meters.all()) {
          for (const [status, count] of statuses) this.inc({ class: kind, route, method, status }, count);
        }
      },
    }),
  );
  registry.registerMetric(requestSeconds(meters));
  registry.registerMetric(
    counters(
      'fest_http_errors_total',
      'Answers of 500 and above by class of routes, without refusals for overload',
      ['class'],
      () => errorsOf(meters),
    ),
  );
  registry.registerMetric(
    counters('fest_problems_total', 'Answers that are problem documents, by code', ['code'], function* () {
      for (const code of Object.keys(PROBLEMS) as ProblemCode[])
        yield [{ code }, meters.problems.get(code) ?? 0] as const;
    }),
  );
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

/** Of every class, also those without any. */
function errorsOf(meters: RequestMeters): readonly (readonly [{ readonly class: string }, number])[] {
  const all = [...meters.all()];
  return ROUTE_CLASSES.map((name) => {
    const ofClass = all.filter((meter) => meter.class === name);
    return [{ class: name }, ofClass.reduce((sum, { errors }) => sum + errors, 0)] as const;
  });
}

/** Of a path, whichever says what sale the request was about. */
function saleParameterOf(parameters: unknown): string | undefined {
  const { saleId, holdId, paymentId, orderId } = (parameters ?? {}) as Readonly<Record<string, string | undefined>>;
  return saleId ?? holdId ?? paymentId ?? orderId;
}

/** prom-client's histograms count for themselves only. Of what a registry holds it asks nothing but this. */
function requestSeconds(meters: RequestMeters): Metric {
  const name = 'fest_http_request_duration_seconds';
  const metric = {
    name,
    get: async () => {
      const routes = Map.groupBy(meters.all(), (meter) => `${meter.class} ${meter.route}`);
      return {
        name,
        help: 'Time from the request to its answer',
        type: 'histogram',
        aggregator: 'sum',
        values: [...routes.values()].flatMap((ofRoute) => samplesOf(name, ofRoute)),
      };
    },
  };
  return metric as unknown as Metric;
}

/** @param meters of one route and class: they differ in their method */
function samplesOf(name: string, meters: readonly RequestMeter[]) {
  const labels = { class: meters[0]?.class, route: meters[0]?.route };
  let count = 0;
  const buckets = [...LATENCY_BUCKETS, '+Inf'].map((le, index) => {
    for (const { buckets } of meters) count += buckets[index] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count, exemplar: null };
  });
  const sum = meters.reduce((total, { sumSeconds }) => total + sumSeconds, 0);
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
