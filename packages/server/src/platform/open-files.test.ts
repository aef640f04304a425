import { pino } from 'pino';
import { expect, test } from 'vitest';
import { LIMITS } from '../limits.ts';
import { openFilesLimit, parseOpenFilesLimit, seatsFor } from './open-files.ts';

const logger = pino({ level: 'silent' });

test.each([
  ['Max open files            20000                20000                files     \n', 20_000],
  ['Limit  Soft Limit\nMax open files            1024                 524288               files', 1_024],
  ['Max open files            unlimited            unlimited            files     ', undefined],
  ['', undefined],
])('%j says %s', (text, limit) => {
  expect(parseOpenFilesLimit(text)).toBe(limit);
});

test('sockets leave files for everything else', () => {
  expect(seatsFor(10_000, logger, 20_000)).toBe(10_000);
  expect(seatsFor(20_000, logger, 20_000)).toBe(20_000 - LIMITS.liveSpareFiles);
  expect(seatsFor(20_000, logger, 1_000)).toBe(0);
});

test('where no limit is known, what was wanted is what there is', () => {
  expect(seatsFor(50_000, logger, Number.POSITIVE_INFINITY)).toBe(50_000);
});

test('this process has a limit, or none that is known', () => {
  expect(openFilesLimit() ?? Number.POSITIVE_INFINITY).toBeGreaterThan(100);
});
