import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { shareReading } from './shared-reading.ts';

function countingReading(forMs: number, tookMs = 0) {
  let readings = 0;
  const read = async () => {
    await sleep(10);
    readings += 1;
    return readings;
  };
  return { read, shared: shareReading(read, forMs, () => tookMs) };
}

test('however many ask, it is read once at a time, and told for a while', async () => {
  const { shared } = countingReading(60);
  expect(await Promise.all([shared(), shared()])).toEqual([1, 1]);
  expect(await shared()).toBe(1);
  await sleep(70);
  expect(await shared()).toBe(2);
});

test('with no time to be told for, only a reading that is under way is shared', async () => {
  const { shared } = countingReading(0);
  expect(await Promise.all([shared(), shared()])).toEqual([1, 1]);
  expect(await shared()).toBe(2);
});

test('what was dear to read is told for longer', async () => {
  const { shared } = countingReading(10, 10);
  await shared();
  await sleep(50);
  expect(await shared()).toBe(1);
  await sleep(200);
  expect(await shared()).toBe(2);
});

test('a reading that failed is told to those who waited for it, and made anew', async () => {
  let fails = true;
  const shared = shareReading(async () => {
    if (fails) throw new Error('away');
    return 'well';
  }, 60_000);
  await expect(shared()).rejects.toThrow('away');
  fails = false;
  expect(await shared()).toBe('well');
});
