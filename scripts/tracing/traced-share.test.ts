import { openTelemetry } from '@fest/server/platform/opentelemetry';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { Arm } from '../core/arms.ts';
import { startCollector } from './collector.ts';
import { noting, type Sent, tracedShare } from './traced-share.ts';

test('the collector finds requests in what a server sends, and not their steps', async () => {
  const collector = await startCollector();
  try {
    const tracing = openTelemetry({
      tracesUrl: collector.url,
      tracesShare: 1,
      serverName: 'server-1',
      environment: 'test',
      logger: pino({ level: 'silent' }),
      random: Math.random,
    });
    const route = '/api/v1/sales/:saleId/queue';
    const beganMs = Date.now();
    const span = tracing.begin({ method: 'POST', route, requestId: '"name":"POST /x","kind":2', headers: {} });
    span?.child('redis join', {}).end();
    span?.end();
    await tracing.stop();
    expect(collector.requests()).toMatchObject([{ name: `POST ${route}` }]);
    const [{ atMs } = { atMs: 0 }] = collector.requests();
    expect(atMs).toBeGreaterThan(beganMs - 1_000);
    expect(atMs).toBeLessThan(Date.now() + 1_000);
    expect(collector.collected()).toMatchObject({ spans: 2 });
  } finally {
    await collector.close();
  }
});

test('the share is of the first requests of units, in the time in which blocks were sent', () => {
  const sent: readonly Sent[] = [
    { fromMs: 100, toMs: 200, units: 6 },
    { fromMs: 300, toMs: 400, units: 4 },
  ];
  const at = (name: string, ...times: readonly number[]) => times.map((atMs) => ({ name, atMs }));
  const requests = [
    ...at('POST /api/v1/sales/:saleId/holds', 99, 100, 250, 300, 400, 401),
    ...at('POST /api/v1/sales/:saleId/queue', 150),
    ...at('GET /api/v1/holds', 150),
  ];
  expect(tracedShare('hold', sent, requests)).toBeCloseTo(0.3);
  expect(tracedShare('join', sent, requests)).toBeCloseTo(0.1);
  expect(tracedShare('confirmation', sent, requests)).toBe(0);
});

test('what a block needs before and after it is not counted', async () => {
  const sent: Sent[] = [];
  let now = 0;
  const arm: Arm = {
    name: 'join',
    measured: 'server',
    lanes: 1,
    firstUnits: 1,
    unitsMax: 9,
    async prepare(units) {
      now = 10;
      const tidy = async (): Promise<void> => {
        now = 30;
      };
      return { job: { kind: 'join', saleId: 1, tokens: Array.from({ length: units }, () => 'x') }, tidy };
    },
  };
  const { tidy } = await noting(arm, sent, () => now).prepare(7);
  now = 20;
  await tidy();
  expect(sent).toEqual([{ fromMs: 10, toMs: 20, units: 7 }]);
  expect(now).toBe(30);
});
