import { expect, test } from 'vitest';
import { LIVE_SLOT_MS, nextSlot, sinceSlot, takesIn } from './live-slots.ts';

test('slots come one after the other, and every other one takes the ticket', () => {
  const { slot, atMs } = nextSlot(10 * LIVE_SLOT_MS + 1);
  expect([slot, atMs]).toEqual([11, 11 * LIVE_SLOT_MS]);
  expect(takesIn(11)).toBe(true);
  expect(takesIn(12)).toBe(false);
  expect(nextSlot(atMs).slot).toBe(12);
});

test('a delay counts from the slot that did what is told, also when the next one has begun', () => {
  const takenAt = 11 * LIVE_SLOT_MS;
  expect(sinceSlot(takenAt + 300, true)).toBe(300);
  expect(sinceSlot(takenAt + LIVE_SLOT_MS + 300, true)).toBe(LIVE_SLOT_MS + 300);
  expect(sinceSlot(takenAt + LIVE_SLOT_MS + 300, false)).toBe(300);
});
