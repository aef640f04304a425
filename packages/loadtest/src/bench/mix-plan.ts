/** Where in the published mix a load begins, and what it needs for it. Pure. */
import { MIX, ORDER_SLOT } from '../generator/mix-slots.ts';
import { arrivalsOf } from './load-sums.ts';
import type { BenchLoad } from './plan.ts';

/** A little before an order, so that the shortest run has one as well. */
export const MIX_OFFSET = ORDER_SLOT - 270;

/** How many orders were begun before the slot of this iteration. */
export function ordersBefore(iteration: number): number {
  return Math.floor((MIX_OFFSET + iteration + MIX.slots - ORDER_SLOT - 1) / MIX.slots);
}

/** Orders of a whole load, and one for what an open load does beyond its arrivals. */
export function mixOrders(load: BenchLoad): number {
  return ordersBefore(arrivalsOf(load)) + 1;
}
