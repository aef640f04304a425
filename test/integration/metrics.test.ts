/** Whoever reaches the port may ask for the metrics, as often as they like: it costs the server one text a second. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '@fest/server/limits';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';
import { until } from '../support/visitor.ts';

let fest: TestApp;
beforeAll(async () => {
  fest = await buildTestApp({ sharesMetrics: true, started: false });
});
afterAll(() => fest?.close());

const read = async (): Promise<string> => (await fest.app.inject({ url: '/metrics' })).body;

/** As many as may have been printed since, on a machine that is busy with other tests; on another one it is one. */
const texts = (beganMs: number): number => 1 + Math.floor((performance.now() - beganMs) / LIMITS.figuresMs);

integration('the metrics of a single process', () => {
  test.each<[string, string, Record<string, string>]>([
    ['through a load balancer', '/metrics', { 'x-forwarded-for': '203.0.113.7' }],
    ['through a proxy that says so as the standard does', '/metrics', { forwarded: 'for=203.0.113.7' }],
    ...['/%6detrics', '/metric%73?x', '/metrics/', '//metrics'].map(
      (path): [string, string, Record<string, string>] => [`by ${path}, which a rule for /metrics lets pass`, path, {}],
    ),
  ])('are told to nobody who asks %s', async (_, url, headers) => {
    const { statusCode, body } = await fest.app.inject({ url, headers });
    expect([statusCode, JSON.parse(body).code]).toEqual([404, 'not_found']);
  });

  test('are told for a question mark behind the path', async () => {
    expect((await fest.app.inject({ url: '/metrics?' })).statusCode).toBe(200);
  });

  test('are one text for all who ask within a second, then another', async () => {
    const beganMs = performance.now();
    const first = await read();
    expect(first).toContain('\n# TYPE fest_http_requests_total counter\n');
    // It would show in the next text, as the readings themselves would.
    await fest.app.inject({ url: '/api/v1/festivals' });
    const others = await Promise.all(Array.from({ length: 20 }, read));
    expect(new Set([first, ...others]).size).toBeLessThanOrEqual(texts(beganMs));
    await sleep(LIMITS.figuresMs);
    const next = await until(read, (text) => text !== first);
    expect(next).toContain(
      'fest_http_requests_total{class="browse",route="/api/v1/festivals",method="GET",status="200"} 1\n',
    );
  });
});
