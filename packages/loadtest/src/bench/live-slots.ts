/**
 * How watchers of a sale know when what they are told of has happened, without being told: one buyer takes a ticket at each odd
 * slot of the clock and gives it back at each even one. All are in the same k6, so they have the same clock. Pure.
 */

/** A change that takes longer to be told than twice this is taken for a later one. */
export const LIVE_SLOT_MS = 2_000;

/** What happens in a slot: the ticket is taken, or given back. */
export function takesIn(slot: number): boolean {
  return slot % 2 === 1;
}

/** The slot that begins next, and when. */
export function nextSlot(nowMs: number): { readonly slot: number; readonly atMs: number } {
  const slot = Math.floor(nowMs / LIVE_SLOT_MS) + 1;
  return { slot, atMs: slot * LIVE_SLOT_MS };
}

/** Milliseconds since the last slot in which the ticket was taken (or given back). */
export function sinceSlot(nowMs: number, taken: boolean): number {
  const current = Math.floor(nowMs / LIVE_SLOT_MS);
  const slot = takesIn(current) === taken ? current : current - 1;
  return nowMs - slot * LIVE_SLOT_MS;
}
