import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { LIMITS } from '../../limits.ts';
import type { LiveSales } from '../stock/live-sales.ts';
import { Ticker } from './ticker.ts';

test('a Redis that hangs keeps no stop for longer than a lease, however often it is told to', async () => {
  let asked = 0;
  const redis = {
    evalsha: () => {
      asked += 1;
      return new Promise(() => undefined);
    },
  } as unknown as Redis;
  const snapshot = { epoch: 1, storedPhase: 'open', opensAtMs: 0, pending: 0 };
  const live = { followed: new Set([1]), get: () => ({ snapshot }) } as unknown as LiveSales;
  const ticker = new Ticker({
    redis,
    live,
    clock: { nowMs: Date.now },
    logger: pino({ level: 'silent' }),
    node: 'one',
    health: () => ({ eventLoopUtilization: 0, requestP99Ms: 0, cpu: 0 }),
    recordPhase: async () => undefined,
  });
  ticker.start();
  await sleep(10);
  expect(asked).toBe(1);
  const beganMs = performance.now();
  await ticker.stop();
  await ticker.stop();
  expect(performance.now() - beganMs).toBeLessThan(LIMITS.tickerLeaseMs * 1.5);
});
