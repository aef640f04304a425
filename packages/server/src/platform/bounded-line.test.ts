import { expect, test } from 'vitest';
import { createBoundedLine } from './bounded-line.ts';

function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, open: resolve };
}

test('as much work as allowed runs, the next waits, and one more is told to come back', async () => {
  const line = createBoundedLine({ atOnce: 2, waiting: 1 });
  const finish = gate();
  let running = 0;
  const work = async () => {
    running += 1;
    await finish.promise;
    return 'x';
  };
  const accepted = [line.run(work), line.run(work), line.run(work)];
  expect(await line.run(work)).toEqual({ status: 'busy' });
  expect(running).toBe(2);
  finish.open();
  expect(await Promise.all(accepted)).toEqual(Array(3).fill({ status: 'done', result: 'x' }));
  expect(running).toBe(3);
});

test('work that fails gives its place to the next', async () => {
  const line = createBoundedLine({ atOnce: 1, waiting: 1 });
  const failing = line.run(() => Promise.reject(new Error('broken')));
  const next = line.run(() => Promise.resolve(7));
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toEqual({ status: 'done', result: 7 });
  expect(await line.run(() => Promise.resolve(8))).toEqual({ status: 'done', result: 8 });
});
