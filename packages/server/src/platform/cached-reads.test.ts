import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCachedReads } from './cached-reads.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function createFixture() {
  const reads: number[] = [];
  const failures: unknown[] = [];
  let answer: (key: number) => Promise<string | undefined> = async (key) => `value ${key}`;
  const cache = createCachedReads<number, string | undefined>({
    read: (key) => {
      reads.push(key);
      return answer(key);
    },
    isAbsent: (value) => value === undefined,
    entries: 3,
    freshMs: 5_000,
    staleMs: 60_000,
    refreshWaitMs: 250,
    nowMs: () => Date.now(),
    onFailedRead: (error) => failures.push(error),
  });
  return {
    cache,
    reads,
    failures,
    setAnswer: (next: typeof answer) => {
      answer = next;
    },
  };
}

describe('cached reads', () => {
  test('many who ask at once cause one read, and later ones none while it is fresh', async () => {
    const { cache, reads } = createFixture();
    expect(await Promise.all([cache.get(1), cache.get(1), cache.get(1)])).toEqual(['value 1', 'value 1', 'value 1']);
    vi.advanceTimersByTime(4_999);
    await cache.get(1);
    expect(reads).toEqual([1]);
    vi.advanceTimersByTime(1);
    await cache.get(1);
    expect(reads).toEqual([1, 1]);
  });

  test('asking for many unknown keys pushes no known one out', async () => {
    const { cache, reads, setAnswer } = createFixture();
    await cache.get(1);
    setAnswer(async () => undefined);
    for (let key = 100; key < 120; key += 1) expect(await cache.get(key)).toBeUndefined();
    reads.length = 0;
    expect(await cache.get(1)).toBe('value 1');
    expect(await cache.get(119)).toBeUndefined();
    expect(reads).toEqual([]);
  });

  test('an invalidation during a read makes the next reader read again', async () => {
    const { cache, setAnswer } = createFixture();
    const slow = Promise.withResolvers<string>();
    setAnswer(() => slow.promise);
    const early = cache.get(1);
    cache.invalidate(1);
    setAnswer(async () => 'new');
    const late = cache.get(1);
    slow.resolve('old');
    expect(await early).toBe('old');
    expect(await late).toBe('new');
    expect(await cache.get(1)).toBe('new');
  });

  test('an invalidated answer is not given while the new one can be read', async () => {
    const { cache, setAnswer } = createFixture();
    await cache.get(1);
    setAnswer(async () => 'changed');
    cache.invalidateAll();
    expect(await cache.get(1)).toBe('changed');
  });

  test('when the store fails the last answer goes on, and a moment later it is asked again', async () => {
    const { cache, reads, failures, setAnswer } = createFixture();
    await cache.get(1);
    vi.advanceTimersByTime(5_000);
    setAnswer(() => Promise.reject(new Error('gone')));
    expect(await cache.get(1)).toBe('value 1');
    expect(await cache.get(1)).toBe('value 1');
    expect(reads.length).toBe(2);
    expect(failures.length).toBe(1);
    vi.advanceTimersByTime(1_000);
    setAnswer(async () => 'back');
    expect(await cache.get(1)).toBe('back');
  });

  test('a store that hangs costs a reader a quarter of a second, not a time-out', async () => {
    const { cache, setAnswer } = createFixture();
    await cache.get(1);
    vi.advanceTimersByTime(5_000);
    const hanging = Promise.withResolvers<string>();
    setAnswer(() => hanging.promise);
    const first = cache.get(1);
    await vi.advanceTimersByTimeAsync(250);
    expect(await first).toBe('value 1');
    expect(await cache.get(1)).toBe('value 1');
    hanging.resolve('late');
    await vi.advanceTimersByTimeAsync(0);
    expect(await cache.get(1)).toBe('late');
  });

  test('an answer that is too old does not stand in for a failed read', async () => {
    const { cache, setAnswer } = createFixture();
    await cache.get(1);
    vi.advanceTimersByTime(60_001);
    setAnswer(() => Promise.reject(new Error('gone')));
    await expect(cache.get(1)).rejects.toThrow('gone');
  });

  test('a first read that fails is reported and not kept', async () => {
    const { cache, setAnswer } = createFixture();
    setAnswer(() => Promise.reject(new Error('gone')));
    await expect(cache.get(1)).rejects.toThrow('gone');
    setAnswer(async () => 'here');
    expect(await cache.get(1)).toBe('here');
  });
});
