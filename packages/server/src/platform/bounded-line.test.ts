import { afterEach, expect, test, vi } from 'vitest';
import { createBoundedLine } from './bounded-line.ts';

afterEach(() => {
  vi.useRealTimers();
});

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
  expect(line.isFull).toBe(true);
  expect(await line.run(work)).toEqual({ status: 'busy' });
  expect(running).toBe(2);
  finish.open();
  expect(await Promise.all(accepted)).toEqual(Array(3).fill({ status: 'done', result: 'x' }));
  expect(running).toBe(3);
  expect(line.isFull).toBe(false);
  await line.close();
  expect(line.isFull).toBe(true);
});

test('work that fails gives its place to the next', async () => {
  const line = createBoundedLine({ atOnce: 1, waiting: 1 });
  const failing = line.run(() => Promise.reject(new Error('broken')));
  const next = line.run(() => Promise.resolve(7));
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toEqual({ status: 'done', result: 7 });
  expect(await line.run(() => Promise.resolve(8))).toEqual({ status: 'done', result: 8 });
});

test('who goes away leaves the line at once, makes room, and its work is never begun', async () => {
  const line = createBoundedLine({ atOnce: 1, waiting: 2 });
  const finish = gate();
  const began: string[] = [];
  const work = (name: string) => () => {
    began.push(name);
    return name === 'first' ? finish.promise : Promise.resolve();
  };
  const away = new AbortController();
  const first = line.run(work('first'));
  const gone = line.run(work('gone'), away.signal);
  const second = line.run(work('second'), new AbortController().signal);
  expect(line.waiting).toBe(2);
  away.abort();
  expect(await gone).toEqual({ status: 'abandoned' });
  expect(line.waiting).toBe(1);
  const third = line.run(work('third'));
  finish.open();
  expect(await Promise.all([first, second, third])).toEqual(Array(3).fill({ status: 'done', result: undefined }));
  expect(began).toEqual(['first', 'second', 'third']);
});

test('who is away already is not let in, even when there is room', async () => {
  const line = createBoundedLine({ atOnce: 1, waiting: 1 });
  const work = vi.fn(() => Promise.resolve());
  expect(await line.run(work, AbortSignal.abort())).toEqual({ status: 'abandoned' });
  expect(work).not.toHaveBeenCalled();
});

test('work that has begun goes on when nobody waits for it any more', async () => {
  const line = createBoundedLine({ atOnce: 1, waiting: 0 });
  const finish = gate();
  const away = new AbortController();
  const running = line.run(() => finish.promise, away.signal);
  await Promise.resolve();
  away.abort();
  finish.open();
  expect(await running).toEqual({ status: 'done', result: undefined });
});

test('who has waited long enough is told to come back, and its work is never begun', async () => {
  vi.useFakeTimers();
  const line = createBoundedLine({ atOnce: 1, waiting: 2, longestWaitMs: 1_000 });
  const finish = gate();
  const late = vi.fn(() => Promise.resolve());
  const first = line.run(() => finish.promise);
  const tooLate = line.run(late);
  await vi.advanceTimersByTimeAsync(999);
  expect(line.waiting).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await tooLate).toEqual({ status: 'busy' });
  const inTime = line.run(() => Promise.resolve());
  expect(vi.getTimerCount()).toBe(1);
  finish.open();
  expect(await Promise.all([first, inTime])).toMatchObject([{ status: 'done' }, { status: 'done' }]);
  expect(late).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test('who would wait too long is told at once, and is let in again when the work gets faster', async () => {
  vi.useFakeTimers();
  const line = createBoundedLine({ atOnce: 2, waiting: 100, longestWaitMs: 1_000 });
  let tookMs = 500;
  const work = () => new Promise<void>((resolve) => setTimeout(resolve, tookMs));
  const first = line.run(work);
  await vi.advanceTimersByTimeAsync(500);
  await first;
  // Two at once, half a second each: who finds more than four in the line would wait longer than a second.
  const outcomes = Array.from({ length: 10 }, () => line.run(work));
  expect(await Promise.all(outcomes.slice(7))).toEqual(Array(3).fill({ status: 'busy' }));
  expect(line.waiting).toBe(5);
  tookMs = 50;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await Promise.all(outcomes.slice(0, 7))).toEqual(Array(7).fill({ status: 'done', result: undefined }));
  const later = Array.from({ length: 8 }, () => line.run(work));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await Promise.all(later)).toEqual(Array(8).fill({ status: 'done', result: undefined }));
});

test('a line that closes sends everybody away who waits or comes, and resolves when the running work is done', async () => {
  const line = createBoundedLine({ atOnce: 1, waiting: 2, longestWaitMs: 60_000 });
  const finish = gate();
  const running = line.run(() => finish.promise);
  const waiting = line.run(() => Promise.resolve());
  let closed = false;
  const closing = line.close().then(() => {
    closed = true;
  });
  expect(await waiting).toEqual({ status: 'busy' });
  expect(await line.run(() => Promise.resolve())).toEqual({ status: 'busy' });
  expect(closed).toBe(false);
  finish.open();
  await closing;
  expect(await running).toMatchObject({ status: 'done' });
  await line.close();
});
