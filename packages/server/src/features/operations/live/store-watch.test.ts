import { expect, test } from 'vitest';
import { StoreWatch } from './store-watch.ts';

function watchAt() {
  const clock = { nowMs: 0 };
  const watch = new StoreWatch({ slowMs: 50, downMs: 1_000, nowMs: () => clock.nowMs });
  return { clock, watch };
}

test('a store is up or slow by how long its last answer took', async () => {
  const { clock, watch } = watchAt();
  const takes = (ms: number) => async () => {
    clock.nowMs += ms;
  };
  expect(await watch.ask(takes(50))).toBe(true);
  expect(watch.read()).toEqual({ status: 'up', latencyMs: 50 });
  await watch.ask(takes(51));
  expect(watch.read()).toEqual({ status: 'slow', latencyMs: 51 });
});

test('a store that hangs is asked no second question, is slow meanwhile, then down, and up when it has answered', async () => {
  const { clock, watch } = watchAt();
  const { promise, resolve } = Promise.withResolvers<void>();
  const asked = watch.ask(() => promise);
  clock.nowMs = 200;
  expect(await watch.ask(() => Promise.reject(new Error('a second question')))).toBe(false);
  expect(watch.read()).toEqual({ status: 'slow', latencyMs: 200 });
  clock.nowMs = 1_000;
  expect(watch.read()).toEqual({ status: 'down', latencyMs: null });
  resolve();
  await asked;
  await watch.ask(async () => undefined);
  expect(watch.read()).toEqual({ status: 'up', latencyMs: 0 });
});

test('a store that refuses is down', async () => {
  const { watch } = watchAt();
  expect(await watch.ask(() => Promise.reject(new Error('OOM')))).toBe(false);
  expect(watch.read()).toEqual({ status: 'down', latencyMs: null });
});
