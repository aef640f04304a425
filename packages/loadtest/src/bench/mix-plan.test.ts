import { expect, test } from 'vitest';
import { ordersIn, slotOf } from '../generator/mix-slots.ts';
import { MIX_OFFSET, mixOrders, ordersBefore } from './mix-plan.ts';

test('each order of the mix has a number of its own, from 0 on', () => {
  const seen: number[] = [];
  for (let iteration = 0; iteration < 6_000; iteration += 1) {
    if (slotOf(MIX_OFFSET + iteration) === 'order') seen.push(ordersBefore(iteration));
  }
  expect(seen).toEqual([0, 1, 2, 3]);
});

test('orders before an iteration are those that a count finds', () => {
  for (const iteration of [0, 1, 269, 270, 271, 2_000, 2_020, 100_000]) {
    expect(ordersBefore(iteration)).toBe(ordersIn(MIX_OFFSET, iteration));
  }
});

test('the shortest run has an order as well', () => {
  const load = {
    kind: 'arrivals',
    startPerSecond: 80,
    stages: [{ perSecond: 80, seconds: 8 }],
    users: 1,
    graceSeconds: 1,
  } as const;
  expect(mixOrders(load)).toBeGreaterThanOrEqual(2);
});
