import { describe, expect, it } from 'vitest';
import { inParallel } from './in-parallel.ts';

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('work in parallel', () => {
  it('keeps the order of the items, and no more under way than it may', async () => {
    let [underWay, most] = [0, 0];
    const done: number[] = [];
    const results = await inParallel(
      [5, 1, 4, 2, 3, 0],
      2,
      async (item) => {
        underWay += 1;
        most = Math.max(most, underWay);
        for (let turn = 0; turn < item; turn += 1) await soon();
        underWay -= 1;
        return item * 10;
      },
      { onProgress: (count) => done.push(count) },
    );
    expect(results).toEqual([50, 10, 40, 20, 30, 0]);
    expect(most).toBe(2);
    expect(done).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('ends with the first failure, and begins nothing after it', async () => {
    const begun: number[] = [];
    const work = async (item: number): Promise<void> => {
      begun.push(item);
      await soon();
      if (item === 1) throw new Error('refused');
    };
    await expect(inParallel([0, 1, 2, 3, 4, 5, 6, 7], 2, work)).rejects.toThrow('refused');
    await soon();
    expect(begun.length).toBeLessThan(5);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const work = async (item: number): Promise<void> => {
      if (item === 2) stop.abort(new Error('enough'));
    };
    await expect(inParallel([0, 1, 2, 3], 1, work, { signal: stop.signal })).rejects.toThrow('enough');
  });
});
