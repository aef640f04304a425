import { expect, test } from 'vitest';
import { floodOf, JOIN_PACE, mostAnswered, POLL_PACE } from './flood-pace.ts';

test('a flood without a bound is seen when it comes quickly', () => {
  for (const pace of [JOIN_PACE, POLL_PACE]) expect(floodOf(pace)).toBeGreaterThan(mostAnswered(pace, 1_000));
});

test('a flood that took longer may have been answered more often', () => {
  expect(mostAnswered(JOIN_PACE, 0)).toBe(21);
  expect(mostAnswered(JOIN_PACE, 9_900)).toBe(30);
  expect(mostAnswered(POLL_PACE, 0)).toBe(11);
  expect(mostAnswered(POLL_PACE, 2_600)).toBe(21);
});
