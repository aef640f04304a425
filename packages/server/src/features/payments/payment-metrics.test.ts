import { type Metric, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { PaymentGateway } from './gateway.ts';
import { createPaymentMetrics, measureGateway } from './payment-metrics.ts';

async function linesOf(metrics: readonly Metric[]): Promise<readonly string[]> {
  const registry = new Registry();
  for (const metric of metrics) registry.registerMetric(metric);
  return (await registry.metrics()).split('\n').filter((line) => !line.startsWith('#'));
}

const REQUEST = { paymentId: 'pay_1_a', amount: 5_000, currency: 'EUR', method: 'card' };

describe('a measured gateway', () => {
  const gateway: PaymentGateway = {
    charge: async () => ({ kind: 'declined', failureCode: 'card_declined' }),
    lookup: async () => ({ kind: 'processing' }),
    refund: async () => 'unknown',
    check: async () => ({ kind: 'answers' }),
    close: async () => undefined,
  };

  it('answers as before, and each answer is counted under what was asked', async () => {
    const measured = measureGateway(gateway);
    expect(await measured.gateway.charge(REQUEST)).toEqual({ kind: 'declined', failureCode: 'card_declined' });
    expect(await measured.gateway.lookup('pay_1_a')).toEqual({ kind: 'processing' });
    expect(await measured.gateway.refund('pay_1_a')).toBe('unknown');
    const lines = await linesOf(measured.metrics);
    expect(lines).toContain('fest_gateway_requests_total{operation="charge",outcome="declined"} 1');
    expect(lines).toContain('fest_gateway_requests_total{operation="lookup",outcome="processing"} 1');
    expect(lines).toContain('fest_gateway_requests_total{operation="refund",outcome="unknown"} 1');
    // What has not happened yet is zero, not unknown.
    expect(lines).toContain('fest_gateway_requests_total{operation="charge",outcome="captured"} 0');
    expect(lines).toContain('fest_gateway_request_duration_seconds_count{operation="charge"} 1');
  });
});

it('payments are told by outcome, with how long the oldest captured one has waited for its order', async () => {
  const lines = await linesOf(
    createPaymentMetrics({
      inFlight: 4,
      counts: { started: 20, succeeded: 10, failed: 4, refunded: 2 },
      captured: 3,
      oldestSeconds: 90,
      oldestCapturedSeconds: 61.5,
    }),
  );
  expect(lines.filter((line) => line !== '')).toEqual([
    'fest_payments_in_flight 4',
    'fest_payments_oldest_seconds 90',
    'fest_payments_captured 3',
    'fest_payments_captured_oldest_seconds 61.5',
    'fest_payments_started_total 20',
    'fest_payments_total{outcome="succeeded"} 10',
    'fest_payments_total{outcome="failed"} 4',
    'fest_payments_total{outcome="refunded"} 2',
  ]);
});
