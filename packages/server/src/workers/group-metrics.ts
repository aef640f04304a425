/**
 * The metrics of all workers in one answer: every series once for each worker, with a label that says whose it is.
 *
 * Not added up: a sum of counters falls when one of the workers starts anew, and Prometheus takes a counter that falls for one
 * that began at zero, so that `rate()` would count all that the others ever did once more. Whoever wants the sum says so:
 * `sum without (worker) (rate(fest_http_requests_total[1m]))`.
 */
import { type Metric, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';
import type { Gathered } from './messages.ts';

type MetricObject = MetricObjectWithValues<MetricValue<string>>;
type Sample = MetricObject['values'][number];

/** On its way between processes a number that is none becomes null. */
type SentSample = Omit<Sample, 'value'> & { readonly value: number | null };

export type SentMetric = Omit<MetricObject, 'values'> & { readonly values: readonly SentSample[] };

function isMetrics(answer: unknown): answer is readonly SentMetric[] {
  return Array.isArray(answer);
}

function labelled({ values, ...metric }: SentMetric, worker: string): MetricObject {
  return {
    ...metric,
    values: values.map((sample) => ({
      ...sample,
      value: sample.value ?? Number.NaN,
      labels: { ...sample.labels, worker },
    })),
  };
}

/** What the primary knows of its workers, as metrics of its own. @param workers how many there are to be */
function describeWorkers({ workers: reports }: Gathered, workers: number): readonly MetricObject[] {
  const numbers = Array.from({ length: workers }, (_, index) => index + 1);
  const of = (worker: number) => reports.find((report) => report.worker === worker);
  const metric = (name: string, help: string, type: 'gauge' | 'counter', read: (worker: number) => number) =>
    ({
      name,
      help,
      type,
      values: numbers.map((worker) => ({ value: read(worker), labels: { worker: String(worker) } })),
    }) as unknown as MetricObject;
  return [
    metric(
      'fest_worker_up',
      '1 when the worker has told its figures, 0 when it is away or does not answer',
      'gauge',
      (k) => Number(isMetrics(of(k)?.answer)),
    ),
    metric(
      'fest_worker_crashes_total',
      'How often the worker ended without having been told to',
      'counter',
      (k) => of(k)?.crashes ?? 0,
    ),
  ];
}

/** In the text format of Prometheus. */
export async function exposeMetrics(gathered: Gathered, workers: number): Promise<string> {
  const merged = new Map<string, MetricObject>();
  const add = (metric: MetricObject): void => {
    const known = merged.get(metric.name);
    merged.set(metric.name, known === undefined ? metric : { ...known, values: [...known.values, ...metric.values] });
  };
  for (const metric of describeWorkers(gathered, workers)) add(metric);
  for (const { worker, answer } of gathered.workers) {
    if (isMetrics(answer)) for (const metric of answer) add(labelled(metric, String(worker)));
  }
  if (isMetrics(gathered.primary)) for (const metric of gathered.primary) add(labelled(metric, 'primary'));
  const registry = new Registry();
  // All that a registry asks of a metric to print it.
  for (const metric of merged.values())
    registry.registerMetric({ name: metric.name, get: async () => metric } as unknown as Metric);
  return registry.metrics();
}
