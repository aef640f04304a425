import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TicketNumbers } from './ticket-numbers.ts';

test('a number is new once, whatever came in between', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), fc.array(fc.integer({ min: 1, max: 70 })), (capacity, numbers) => {
      const [tickets, seen] = [new TicketNumbers(capacity), new Set<number>()];
      for (const number of numbers) {
        expect(tickets.isFirst(number)).toBe(number <= capacity && !seen.has(number));
        seen.add(number);
      }
    }),
  );
});

test('what no ticket of the sale has is never new', () => {
  const tickets = new TicketNumbers(8);
  expect([0, 9, -1, 1.5, Number.NaN].filter((number) => tickets.isFirst(number))).toEqual([]);
  expect([1, 8].filter((number) => !tickets.isFirst(number))).toEqual([]);
});
