import { expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatElapsed,
  formatMs,
  formatProcessors,
  formatRate,
  formatShare,
  formatSpan,
} from './numbers.ts';

test.each([
  [formatCount(1_234_567), '1,234,567'],
  [formatCount(999), '999'],
  [formatRate(0.39), '0.3'],
  [formatRate(99.99), '99.9'],
  [formatRate(1_625.8), '1,625'],
  [formatMs(0.31), '0.4 ms'],
  [formatMs(12.1), '13 ms'],
  [formatMs(12_340), '12.4 s'],
  [formatBytes(536_870_912), '512 MiB'],
  [formatBytes(1_610_612_736), '1.5 GiB'],
  [formatShare(0.9999), '99 %'],
  [formatShare(1), '100 %'],
  [formatProcessors(0.416), '0.42'],
  [formatProcessors(null), '–'],
  [formatElapsed(34_900), '0:34'],
  [formatElapsed(720_000), '12:00'],
  [formatElapsed(5_400_000), '1:30:00'],
  [formatSpan(4_999), '4 s'],
  [formatSpan(240_000), '4 min'],
  [formatSpan(7_300_000), '2 h'],
  [formatSpan(300_000_000), '3 d'],
])('%s is %s', (text, expected) => {
  expect(text).toBe(expected);
});
