/** What a server that admits in mode `auto` takes for its health: what those ask for who were admitted, and not what others do. */
import { randomUUID } from 'node:crypto';
import { ProcessHealth } from '@fest/server/platform/process-health';
import { saleKeys } from '@fest/server/redis/keys';
import { afterEach, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';
import { call, enter, newVisitor, newVisitors, until } from '../support/visitor.ts';

let fest: TestApp | undefined;
const health = new ProcessHealth();
afterEach(async () => {
  health.stop();
  await fest?.close();
});

const SAMPLE_MS = 1_100;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

integration('in mode auto', () => {
  it('people go on being admitted while a crowd logs in, whose passwords wait for seconds', async () => {
    health.start();
    const server = await buildTestApp({ processHealth: health, config: { passwordCostLog2: 13, passwordThreads: 1 } });
    fest = server;
    const { id } = await server.createSale();
    const operator = await newVisitor(server, 'operator');
    await operator.call('PUT', `/sales/${id}/admission`, { body: { mode: 'auto' } });
    // The line never ends, so that the rate is what limits.
    await server.services.redis.hset(saleKeys.sale(id), 'drawn', 1_000_000);
    const rates: number[] = [];
    const latencies: number[] = [];
    let isOver = false;
    const watch = async () => {
      for (; !isOver; await pause(100)) {
        rates.push(server.core.ticker.reports.get(id)?.ratePerSecond ?? Number.NaN);
        latencies.push(health.read().requestP99Ms);
      }
    };
    const watched = watch();
    const beganMs = performance.now();
    const waits: number[] = [];
    const logIn = async () => {
      const body = { email: `${randomUUID()}@example.org`, password: 'not the password' };
      // Some may be refused, on a machine that is busy with more than this.
      expect([401, 503]).toContain((await call(server, 'POST', '/sessions', { body })).status);
      waits.push(performance.now() - beganMs);
    };
    await Promise.all(Array.from({ length: 80 }, logIn));
    await pause(SAMPLE_MS);
    isOver = true;
    await watched;
    // Far later than what an admitted buyer may wait for.
    expect(Math.max(...waits)).toBeGreaterThan(500);
    expect(Math.max(...latencies)).toBe(0);
    // Two cuts at most, were the processor busy with it.
    expect(Math.min(...rates.filter((rate) => !Number.isNaN(rate)))).toBeGreaterThan(25);
  });

  it('what buyers wait for who hold is what counts', async () => {
    health.start();
    const server = await buildTestApp({ processHealth: health });
    fest = server;
    const { id } = await server.createSale();
    const visitors = await newVisitors(server, 40);
    const tokens = await Promise.all(visitors.map((visitor) => enter(visitor, id)));
    await pause(SAMPLE_MS);
    const holds = await Promise.all(visitors.map((visitor, index) => visitor.hold(id, tokens[index] ?? '')));
    expect(holds.filter(({ status }) => status === 201)).toHaveLength(40);
    await until(
      async () => health.read().requestP99Ms,
      (milliseconds) => milliseconds > 0,
    );
  });
});
