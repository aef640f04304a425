import { describe, expect, it } from 'vitest';
import { backoffMs, retry } from './retry.ts';

describe('backoffMs', () => {
  it('doubles up to its bound, with jitter in the upper half', () => {
    expect([0, 1, 2, 3, 10].map((attempt) => backoffMs(attempt, 100, 1_000, () => 1))).toEqual([
      100, 200, 400, 800, 1_000,
    ]);
    expect(backoffMs(3, 100, 1_000, () => 0)).toBe(400);
  });
});

describe('retry', () => {
  const options = { firstMs: 1, maxMs: 2, isTransient: (error: unknown) => String(error).includes('away') };
  it('goes on while the fault passes by itself', async () => {
    let tries = 0;
    const work = async () => {
      tries += 1;
      if (tries < 4) throw new Error('away');
      return 'done';
    };
    expect(await retry(work, options)).toBe('done');
    expect(tries).toBe(4);
  });
  it('gives up at once on a fault that stays', async () => {
    let tries = 0;
    const work = async () => {
      tries += 1;
      throw new Error('wrong');
    };
    await expect(retry(work, options)).rejects.toThrow('wrong');
    expect(tries).toBe(1);
  });
  it('stops waiting when it is told to, with the last fault', async () => {
    const stop = new AbortController();
    const waiting = retry(async () => Promise.reject(new Error('away')), {
      ...options,
      firstMs: 60_000,
      maxMs: 60_000,
      signal: stop.signal,
    });
    stop.abort();
    await expect(waiting).rejects.toThrow('away');
  });
});
