/** What becomes of payments, and how the gateway answers. */
import { performance } from 'node:perf_hooks';
import { Counter, Histogram, type Metric } from 'prom-client';
import { byLabel, counter, counters, gauge } from '../../platform/metric-kinds.ts';
import type { PaymentGateway } from './gateway.ts';
import type { PaymentProcessor } from './payment-processor.ts';

export type PaymentFigures = Pick<
  PaymentProcessor,
  'inFlight' | 'counts' | 'captured' | 'oldestSeconds' | 'oldestCapturedSeconds'
>;

export function createPaymentMetrics(processor: PaymentFigures): readonly Metric[] {
  return [
    gauge('fest_payments_in_flight', 'Payments this process works on', () => processor.inFlight),
    gauge(
      'fest_payments_oldest_seconds',
      'How long this process has worked on the oldest of those that are no durable order yet; 0 without any',
      () => {
        return processor.oldestSeconds;
      },
    ),
    gauge(
      'fest_payments_captured',
      'Payments whose money was taken, as this process knows, without a durable order or refund yet',
      () => processor.captured,
    ),
    gauge(
      'fest_payments_captured_oldest_seconds',
      'Since when this process has known of the oldest of them; 0 without any',
      () => processor.oldestCapturedSeconds,
    ),
    counter('fest_payments_started_total', 'Payments begun through this process', () => processor.counts.started),
    counters(
      'fest_payments_total',
      'Payments this process brought to an end: succeeded, failed or refunded',
      ['outcome'],
      () => {
        const { succeeded, failed, refunded } = processor.counts;
        return byLabel('outcome', { succeeded, failed, refunded });
      },
    ),
  ];
}

/** All answers of each question, so that each is there from the start. */
const ANSWERS = {
  charge: ['captured', 'declined', 'unknown'],
  lookup: ['captured', 'declined', 'processing', 'notFound', 'unknown'],
  refund: ['refunded', 'notFound', 'unknown'],
} as const;
type Question = keyof typeof ANSWERS;

export interface MeasuredGateway {
  readonly gateway: PaymentGateway;
  readonly metrics: readonly Metric[];
}

/** @param gateway one that always answers (`boundedGateway`) */
export function measureGateway(gateway: PaymentGateway): MeasuredGateway {
  const requests = new Counter({
    name: 'fest_gateway_requests_total',
    help: 'Requests to the payment gateway by answer; unknown: none in time, or one that does not say',
    labelNames: ['operation', 'outcome'] as const,
    registers: [],
  });
  const seconds = new Histogram({
    name: 'fest_gateway_request_duration_seconds',
    help: 'Time until the payment gateway answered, or was not waited for any more',
    labelNames: ['operation'] as const,
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [],
  });
  for (const [operation, outcomes] of Object.entries(ANSWERS)) {
    for (const outcome of outcomes) requests.inc({ operation, outcome }, 0);
    seconds.zero({ operation });
  }
  async function measure<Answer>(
    operation: Question,
    ask: () => Promise<Answer>,
    outcomeOf: (answer: Answer) => string,
  ): Promise<Answer> {
    const beganMs = performance.now();
    const answer = await ask();
    seconds.observe({ operation }, (performance.now() - beganMs) / 1_000);
    requests.inc({ operation, outcome: outcomeOf(answer) });
    return answer;
  }
  return {
    gateway: {
      charge: (request) =>
        measure(
          'charge',
          () => gateway.charge(request),
          ({ kind }) => kind,
        ),
      lookup: (paymentId) =>
        measure(
          'lookup',
          () => gateway.lookup(paymentId),
          ({ kind }) => kind,
        ),
      refund: (paymentId) =>
        measure(
          'refund',
          () => gateway.refund(paymentId),
          (result) => result,
        ),
      check: () => gateway.check(),
      close: () => gateway.close(),
    },
    metrics: [requests, seconds],
  };
}
