import { expect, it } from 'vitest';
import { GcraTable } from './gcra-table.ts';

const KEYS = [0x1234_5678, 0x9abc_def0] as const;

it('knows a key again by all of its three words', () => {
  const table = new GcraTable(2 ** 12, KEYS);
  const keys: ReadonlyArray<readonly [number, number, number]> = [
    [1, 2, 3],
    [1, 2, 4],
    [1, 3, 2],
    [2, 2, 3],
    [3, 2, 1],
    [-1, 2, 3],
    [0xffff_fffe, 2, 3],
  ];
  for (const [index, key] of keys.entries()) table.owe(table.entryOf(...key), 1_000 + index);
  expect(keys.map((key) => table.leftMs(table.entryOf(...key), 1_000))).toEqual(keys.map((_, index) => index));
  // The same 32 bits, whether they are read with a sign or without.
  expect(table.entryOf(-1, 2, 3)).toBe(table.entryOf(0xffff_ffff, 2, 3));
});

it('other secrets put the same keys elsewhere', () => {
  const one = new GcraTable(2 ** 12, KEYS);
  const other = new GcraTable(2 ** 12, [1, 2]);
  const places = Array.from({ length: 100 }, (_, index) => one.entryOf(4, index, 0) >> 2);
  expect(places.filter((place, index) => place === other.entryOf(4, index, 0) >> 2).length).toBeLessThan(5);
});

it('spreads keys that follow one another over all sets', () => {
  const table = new GcraTable(2 ** 12, KEYS);
  const taken = Array.from({ length: 2 ** 10 }, (_, index) => table.entryOf(4, index, 0) >> 2);
  // Of 1,024 sets chance leaves a part in e empty.
  expect(new Set(taken).size).toBeGreaterThan(600);
});

it('takes a power of two only, of which it makes its mask', () => {
  expect(() => new GcraTable(1_000, KEYS)).toThrow('power of two');
});
