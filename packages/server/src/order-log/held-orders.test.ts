import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeldOrders } from './held-orders.ts';

describe('the orders that hold tickets', () => {
  /** Few enough that they come again, and enough for many of them to want the same place. */
  const order = fc.integer({ min: 1, max: 60 }).map((n) => n * 2 ** 46 + 1);
  const change = fc.record({ order, tickets: fc.integer({ min: 1, max: 3 }), adds: fc.boolean() });

  it('are those that a plain map has, through any number of changes', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 400 }), (changes) => {
        const held = new HeldOrders();
        const expected = new Map<number, number>();
        for (const { order: each, tickets, adds } of changes) {
          const left = (expected.get(each) ?? 0) + (adds ? tickets : -tickets);
          if (left > 0) expected.set(each, left);
          else expected.delete(each);
          if (adds) held.add(each, tickets);
          else held.remove(each, tickets);
          expect(held.has(each)).toBe(expected.has(each));
        }
        for (const { order: each } of changes) expect(held.has(each)).toBe(expected.has(each));
      }),
      { numRuns: 500 },
    );
  });

  it('are as many as it takes', () => {
    const held = new HeldOrders();
    const order = (n: number): number => n * 0x1_0000_0001;
    for (let n = 1; n <= 100_000; n += 1) {
      if (n === 20_000) held.reserve(70_000);
      held.add(order(n), 2);
    }
    for (let n = 1; n <= 100_000; n += 2) held.remove(order(n), 1);
    for (let n = 1; n <= 100_000; n += 4) held.remove(order(n), 1);
    const wrong: number[] = [];
    for (let n = 1; n <= 100_000; n += 1) if (held.has(order(n)) !== (n % 4 !== 1)) wrong.push(n);
    expect(wrong).toEqual([]);
  });
});
