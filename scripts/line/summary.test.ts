import { expect, test } from 'vitest';
import type { Block } from '../core/block.ts';
import type { Pair } from '../core/compare.ts';
import { brokenBounds, type Growth, growthOf, judgeGrowth, type PerWaiter, perWaiter } from './summary.ts';
import type { Waiting } from './waiting.ts';

const block = (cpuMicros: number, redis = 0.1): Block => ({
  units: 1_000,
  requests: 1_000,
  seconds: 0.5,
  cpuMicros,
  shares: { server: 0.9, redis },
  others: 0,
  stolen: 0,
  answers: {},
  faults: [],
});
const pairsOf = (short: number, long: number, spread = 0): readonly Pair[] =>
  Array.from({ length: 10 }, (_, index) => ({
    ceiling: block(short),
    path: block(long * (1 + (index % 2 === 0 ? spread : -spread))),
  }));

test.each([
  ['the same', pairsOf(50, 50.5), pairsOf(50, 50), 'same'],
  ['a tenth more', pairsOf(50, 55), pairsOf(50, 50), 'grows'],
  ['a tenth more, and nobody knows', pairsOf(50, 55, 0.2), pairsOf(50, 50), 'tooNoisy'],
  ['equal blocks that are not equal', pairsOf(50, 50), pairsOf(50, 58), 'tooNoisy'],
  ['no processor time', pairsOf(Number.NaN, 50), pairsOf(50, 50), 'unknown'],
  ['too few pairs', pairsOf(50, 55).slice(0, 9), pairsOf(50, 50), 'tooFewPairs'],
])('%s', (_, pairs, equal, verdict) => {
  expect(growthOf(pairs, equal).verdict).toBe(verdict);
});

test('what cannot be reckoned is no claim', () => {
  const nothing = { estimate: Number.NaN, low: Number.NaN, high: Number.NaN };
  expect(judgeGrowth(nothing, { estimate: 1, low: 1, high: 1 })).toBe('tooNoisy');
});

const memory = (drawn: number, redis: number, heap: number) => ({
  drawn,
  redis,
  numberKeys: drawn * 8.5,
  hashes: drawn / 128,
  otherKeys: 900,
  server: { resident: 2 * heap, heap, external: 0 },
});

test('bytes a waiter are what came with the waiters, by their number', () => {
  expect(perWaiter(memory(1_000, 3_000_000 + 9_000, 50_000_000 + 2_000), memory(0, 3_000_000, 50_000_000))).toEqual({
    drawn: 1_000,
    numberKeys: 8.5,
    redis: 9,
    heap: 2,
    resident: 4,
  });
});

const FINE: PerWaiter = { drawn: 1_000_000, numberKeys: 8.6, redis: 9.4, heap: 3, resident: 30 };
const SAME = { verdict: 'same' } as Growth;
const ASKED = { people: 100, statuses: { 200: 1_000 }, faults: [] } as unknown as Waiting;

test.each([
  ['nothing', FINE, SAME, ASKED, []],
  ['hashes too large', { ...FINE, numberKeys: 16.1 }, SAME, ASKED, ['A number takes Redis more than 16 bytes.']],
  ['Redis grew by more', { ...FINE, redis: 40 }, SAME, ASKED, ['A number takes Redis more than 16 bytes.']],
  ['not known', { ...FINE, redis: Number.NaN }, SAME, ASKED, ['A number takes Redis more than 16 bytes.']],
  ['an object each', { ...FINE, heap: 80 }, SAME, ASKED, ["The server's heap grew by more than 16 bytes a waiter."]],
  [
    'nothing: of few waiters their hashes alone count',
    { ...FINE, drawn: 99_999, redis: 40, heap: 80 },
    SAME,
    ASKED,
    [],
  ],
  [
    'hashes too large, of few waiters too',
    { ...FINE, drawn: 99_999, numberKeys: 17 },
    SAME,
    ASKED,
    ['A number takes Redis more than 16 bytes.'],
  ],
  ['joins that grow', FINE, { verdict: 'grows' } as Growth, ASKED, ['The cost of joins grows with the line.']],
  [
    'a refusal',
    FINE,
    SAME,
    { ...ASKED, statuses: { 200: 999, 429: 1 } },
    ['1 polls of 100 who ask as told were answered 429.'],
  ],
  ['a broken connection', FINE, SAME, { ...ASKED, faults: ['x'] }, ['While 100 asked as told: x.']],
] as const)('broken: %s', (_, each, joins, waiting, expected) => {
  expect(brokenBounds(each, { polls: SAME, joins }, [waiting], true)).toEqual(expected);
});

test('books that do not balance break everything', () => {
  expect(brokenBounds(FINE, { polls: SAME, joins: SAME }, [], false)).toEqual(['The audit afterwards was not clean.']);
});
