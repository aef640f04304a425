import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Rounds } from './rounds.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('follow each other a while apart, and never overlap', async () => {
  const open: (() => void)[] = [];
  const rounds = new Rounds(() => new Promise<void>((resolve) => open.push(resolve)), 100);
  rounds.start();
  await vi.advanceTimersByTimeAsync(99);
  expect(open).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(open).toHaveLength(1);
  open[0]?.();
  await vi.advanceTimersByTimeAsync(100);
  expect(open).toHaveLength(2);
});

it('end with the one under way, which can see that it is the last', async () => {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const work = vi.fn(() => ended);
  const rounds = new Rounds(work, 100);
  rounds.start();
  await vi.advanceTimersByTimeAsync(100);
  let stopped = false;
  const stopping = rounds.stop().then(() => {
    stopped = true;
  });
  await vi.advanceTimersByTimeAsync(1_000);
  expect([rounds.stopped, stopped, work.mock.calls.length]).toEqual([true, false, 1]);
  end();
  await stopping;
  rounds.start();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(work).toHaveBeenCalledTimes(1);
});
