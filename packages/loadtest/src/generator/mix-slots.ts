/**
 * What a large sale publishes of itself: some 1,750 requests for each ticket sold, 98 % of them polls, 1.9 % refusals, and the
 * hold and the payment of the one order. Pure: the k6 scripts use it too.
 */
export const MIX = {
  /** Slots for each ticket sold; the payment, which follows the hold, makes it 1,750 requests. */
  slots: 1_749,
  /** Of them refused: 1.9 %. */
  refusals: 33,
} as const;

/** In the middle, and on none of the refusals. */
export const ORDER_SLOT = 870;

export type SlotKind = 'poll' | 'refusal' | 'order';

/** The order stands in the middle of its period, the refusals spread evenly. */
export function slotOf(index: number): SlotKind {
  const place = index % MIX.slots;
  if (place === ORDER_SLOT) return 'order';
  // Spread like a line of that slope crosses whole numbers.
  const step = (at: number): number => Math.floor((at * MIX.refusals) / MIX.slots);
  return step(place + 1) > step(place) ? 'refusal' : 'poll';
}

/** Orders that begin in a part. */
export function ordersIn(offset: number, units: number): number {
  let count = 0;
  for (let index = offset; index < offset + units; index += 1) if (slotOf(index) === 'order') count += 1;
  return count;
}
