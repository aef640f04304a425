import { expect, test } from 'vitest';
import {
  LIVE_SLOT_MS,
  LIVE_TICKETS,
  nextSlot,
  sinceSlot,
  slotOfChange,
  slotsDue,
  takesIn,
  ticketsIn,
} from './live-slots.ts';

const at = (slot: number, ms: number): number => slot * LIVE_SLOT_MS + ms;

test('slots come one after the other, and every other one takes tickets, another number each time', () => {
  const { slot, atMs } = nextSlot(at(10, 1));
  expect([slot, atMs]).toEqual([11, at(11, 0)]);
  expect([11, 12].map(takesIn)).toEqual([true, false]);
  expect(nextSlot(atMs).slot).toBe(12);
  const taken = Array.from({ length: LIVE_TICKETS }, (_, index) => ticketsIn(1 + 2 * index));
  expect(taken).toEqual(Array.from({ length: LIVE_TICKETS }, (_, index) => index + 1));
});

test('a delay counts from the slot of the change, also when others have come since', () => {
  const slot = 11;
  const tickets = ticketsIn(slot);
  for (const lateMs of [300, 2_300, 4_300, 14_300]) {
    const heard = slotOfChange(0, tickets, at(slot, lateMs));
    expect(heard).toBe(slot);
    expect(sinceSlot(heard ?? 0, at(slot, lateMs))).toBe(lateMs);
    expect(slotOfChange(tickets, 0, at(slot + 1, lateMs))).toBe(slot + 1);
  }
});

test('tickets of which nobody was told that they were given back are known by the next ones', () => {
  expect(slotOfChange(ticketsIn(11), ticketsIn(13), at(13, 200))).toBe(13);
});

test('what is no change, or not of this buyer, is no slot', () => {
  expect(slotOfChange(3, 3, at(11, 1))).toBeUndefined();
  expect(slotOfChange(0, LIVE_TICKETS + 1, at(11, 1))).toBeUndefined();
  expect(slotOfChange(-1, 0, at(11, 1))).toBeUndefined();
});

test('due is what began while one listened, and was not the last thing to happen', () => {
  expect(slotsDue(at(10, 500), at(14, 100))).toEqual([11, 12, 13]);
  expect(slotsDue(at(10, 500), at(11, 900))).toEqual([]);
});
