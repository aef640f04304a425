import Fastify from 'fastify';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { FestApp } from './fest-app.ts';
import { RequestMeters } from './request-meters.ts';
import { registerRequestMetrics } from './request-metrics.ts';

it('answers are told by class of routes, and problem documents by code, known ones from the start', async () => {
  const registry = new Registry();
  const meters = new RequestMeters();
  registerRequestMetrics(Fastify() as unknown as FestApp, registry, { refusedLate: () => false }, meters);
  const queue = '/api/v1/sales/:saleId/queue';
  meters.count({}, queue, 'POST', 200, 0.002);
  meters.count({}, queue, 'GET', 200, 0.001);
  meters.count({}, queue, 'GET', 401, 0.001, 'bad_queue_token', '7');
  meters.count({}, queue, 'GET', 503, 0.001, 'store_unavailable', '7');
  meters.count({}, queue, 'GET', 503, 0.001, 'overloaded', '7');
  meters.countRefused(0.0005);
  const text = await registry.metrics();
  expect(text).toContain(`fest_http_requests_total{class="join",route="${queue}",method="POST",status="200"} 1\n`);
  expect(text).toContain(`fest_http_requests_total{class="wait",route="${queue}",method="GET",status="401"} 1\n`);
  expect(text).toContain('fest_http_requests_total{class="refused",route="refused",method="any",status="503"} 1\n');
  expect(text).toContain(`fest_http_request_duration_seconds_count{class="wait",route="${queue}"} 4\n`);
  expect(text).toContain(`fest_http_request_duration_seconds_bucket{le="0.001",class="join",route="${queue}"} 0\n`);
  expect(text).toContain('fest_problems_total{code="bad_queue_token"} 1\n');
  expect(text).toContain('fest_problems_total{code="overloaded"} 2\n');
  // What is refused for overload is no error.
  expect(text).toContain('fest_http_errors_total{class="wait"} 1\n');
  expect(text).toContain('fest_http_errors_total{class="hold"} 0\n');
  expect(text).toContain('fest_problems_total{code="sold_out"} 0\n');
});
