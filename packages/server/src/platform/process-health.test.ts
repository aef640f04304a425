import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { API_PREFIX, ROUTES } from '../contract/paths.ts';
import type { FestApp } from './fest-app.ts';
import { measureAnswers, ProcessHealth } from './process-health.ts';

function workFor(milliseconds: number): void {
  for (const endMs = performance.now() + milliseconds; performance.now() < endMs; ) {
    // Busy on purpose.
  }
}

let health: ProcessHealth;
beforeEach(() => {
  health = new ProcessHealth();
  health.start();
});
afterEach(() => health.stop());

describe('the health of a process', () => {
  it('tells how busy the last second was, and forgets it with the next, though nobody asked', async () => {
    expect(health.read()).toEqual({ eventLoopUtilization: 0, requestP99Ms: 0, cpu: 0 });
    for (let answer = 0; answer < 95; answer += 1) health.record(2);
    for (let answer = 0; answer < 5; answer += 1) health.record(800);
    workFor(900);
    await sleep(150);
    const busy = health.read();
    expect(busy.requestP99Ms).toBeGreaterThan(780);
    expect(busy.requestP99Ms).toBeLessThan(820);
    expect(busy.cpu).toBeGreaterThan(0);
    await sleep(1_050);
    const idle = health.read();
    expect(idle.requestP99Ms).toBe(0);
    expect(idle.eventLoopUtilization).toBeLessThan(busy.eventLoopUtilization);
  });

  it('makes nothing of a handful of answers', async () => {
    health.record(5_000);
    await sleep(1_050);
    expect(health.read().requestP99Ms).toBe(0);
  });
});

describe('what is measured of answers', () => {
  const recorded: number[] = [];
  let app: FestApp;
  beforeEach(async () => {
    recorded.length = 0;
    app = Fastify() as unknown as FestApp;
    measureAnswers(app, { record: (milliseconds: number) => recorded.push(milliseconds) } as unknown as ProcessHealth);
    const slow = async () => {
      await sleep(30);
      return {};
    };
    await app.register(
      async (api) => {
        for (const route of [ROUTES.saleHolds, ROUTES.holdPayments, ROUTES.sessions, ROUTES.saleQueue])
          api.post(route, slow);
        api.get(ROUTES.saleQueue, slow);
      },
      { prefix: API_PREFIX },
    );
  });
  afterEach(() => app.close());

  const post = (path: string, payload?: object) =>
    app.inject({ method: 'POST', url: API_PREFIX + path, ...(payload === undefined ? {} : { payload }) });

  it('is those of holds and payments, each once', async () => {
    await post('/sales/1/holds', { quantity: 1 });
    await post('/holds/h/payments', { method: 'card' });
    expect(recorded).toHaveLength(2);
    for (const milliseconds of recorded) expect(milliseconds).toBeGreaterThan(25);
  });

  it('is not what others ask for, however long that takes', async () => {
    await post('/sessions', {});
    await post('/sales/1/queue');
    await app.inject({ method: 'GET', url: `${API_PREFIX}/sales/1/queue` });
    expect(recorded).toEqual([]);
  });

  it('begins with the end of the body: who sends it slowly is no reason', async () => {
    await app.listen({ port: 0, host: '127.0.0.1' });
    const address = app.server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    async function* slowly() {
      yield Buffer.from('{"quantity"');
      await sleep(400);
      yield Buffer.from(':1}');
    }
    const url = `http://127.0.0.1:${port}${API_PREFIX}/sales/1/holds`;
    const headers = { 'content-type': 'application/json' };
    const body = ReadableStream.from(slowly());
    expect((await fetch(url, { method: 'POST', headers, body, duplex: 'half' })).status).toBe(200);
    expect(recorded).toHaveLength(1);
    expect(recorded[0]).toBeLessThan(300);
  });
});
