import { expect, test } from 'vitest';
import { LIMITS } from '../../../limits.ts';
import { busyAdmissions } from './busy-admissions.ts';

test('of very many sales those are told to which somebody wants to be admitted', () => {
  const idle = Array.from({ length: LIMITS.fleetSales }, (_, id) => [id, { limitedBy: 'nobodyWaits' }] as const);
  const told = busyAdmissions(new Map([...idle, [7_000, { limitedBy: 'closed' }], [8_000, { limitedBy: 'rate' }]]));
  expect(told.size).toBe(LIMITS.fleetSales);
  expect([...told.keys()][0]).toBe(8_000);
  expect(told.has(7_000)).toBe(false);
});
