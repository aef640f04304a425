import { expect, test } from 'vitest';
import { LIMITS } from '../../limits.ts';
import { firstWindow, type LingerWindow, nextWindow } from './linger.ts';

const BEGIN_MS = 5_000;

/** When a batch goes, after its first record, if so many records come in each window. */
function lingerMs(recordsPerWindow: (window: number) => number): number {
  let window: LingerWindow | undefined = firstWindow(BEGIN_MS);
  let records = 0;
  for (let count = 0; count < 1_000; count += 1) {
    const { untilMs }: LingerWindow = window;
    records += recordsPerWindow(count);
    window = nextWindow(window, untilMs, records);
    if (window === undefined) return untilMs - BEGIN_MS;
  }
  throw new Error('it never goes');
}

test.each([
  ['single records', () => 1, LIMITS.applierLingerMs],
  ['one too few', () => LIMITS.applierBusyRecords - 1, LIMITS.applierLingerMs],
  ['many all the time', () => LIMITS.applierBusyRecords, LIMITS.applierLingerMaxMs],
  ['very many', () => 50 * LIMITS.applierBusyRecords, LIMITS.applierLingerMaxMs],
  ['a burst that ends', (window: number) => (window < 2 ? 1_000 : 0), 3 * LIMITS.applierLingerMs],
  ['a burst that ebbs', (window: number) => (window < 1 ? 1_000 : 3), 2 * LIMITS.applierLingerMs],
])('%s', (_, recordsPerWindow, expected) => {
  expect(lingerMs(recordsPerWindow)).toBe(expected);
});

test('a window that was looked at late does not make the whole longer', () => {
  const late = nextWindow(firstWindow(BEGIN_MS), BEGIN_MS + LIMITS.applierLingerMaxMs - 10, 10_000);
  expect(late?.untilMs).toBe(BEGIN_MS + LIMITS.applierLingerMaxMs);
  expect(nextWindow(firstWindow(BEGIN_MS), BEGIN_MS + LIMITS.applierLingerMaxMs, 10_000)).toBeUndefined();
});
