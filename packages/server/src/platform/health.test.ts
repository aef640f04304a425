import { expect, test } from 'vitest';
import { type HealthFacts, readinessOf, sharedProbe } from './health.ts';

test('a store that hangs is asked once, however often its health is asked for', async () => {
  let asked = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const probe = sharedProbe(() => {
    asked += 1;
    return promise;
  }, 20);
  expect(await Promise.all([probe(), probe()])).toEqual([false, false]);
  expect(await probe()).toBe(false);
  expect(asked).toBe(1);
  resolve();
  expect(await probe()).toBe(true);
  expect(await probe()).toBe(true);
  expect(asked).toBe(2);
});

test('a store that refuses is asked anew each time', async () => {
  let asked = 0;
  const probe = sharedProbe(async () => {
    asked += 1;
    throw new Error('LOADING');
  }, 1_000);
  expect([await probe(), await probe()]).toEqual([false, false]);
  expect(asked).toBe(2);
});

test('a server sells without MySQL, but not without Redis or its log, and not while it drains', () => {
  const facts: HealthFacts = {
    draining: false,
    redis: true,
    mysql: true,
    orderLog: true,
    applierLag: 0,
    serverName: 'server-1',
  };
  expect(readinessOf(facts)).toBe('ready');
  expect(readinessOf({ ...facts, mysql: false })).toBe('degraded');
  for (const fault of [{ redis: false }, { orderLog: false }, { draining: true }]) {
    expect(readinessOf({ ...facts, ...fault })).toBe('notReady');
  }
});
