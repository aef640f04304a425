/**
 * How watchers of a sale know when what they are told of has happened, without being told: one buyer takes tickets at each odd slot
 * of the clock and gives them back at each even one. How many are taken says in which slot, so that a change which is told late is
 * not taken for the next one. All are in the same k6, so they have the same clock. Pure.
 */
export const LIVE_SLOT_MS = 2_000;

/** As many times tickets are taken before it begins with one again. Longer than anybody waits for a message. */
export const LIVE_TICKETS = 10;

/** What happens in a slot: tickets are taken, or given back. */
export function takesIn(slot: number): boolean {
  return slot % 2 === 1;
}

/** How many are taken in a slot in which some are. */
export function ticketsIn(slot: number): number {
  return (((slot - 1) / 2) % LIVE_TICKETS) + 1;
}

/** The slot that begins next, and when. */
export function nextSlot(nowMs: number): { readonly slot: number; readonly atMs: number } {
  const slot = Math.floor(nowMs / LIVE_SLOT_MS) + 1;
  return { slot, atMs: slot * LIVE_SLOT_MS };
}

/**
 * In which slot happened what is heard now: from so many tickets that were taken to so many that are.
 * @returns undefined for what is no change, or none of this buyer's
 */
export function slotOfChange(before: number, taken: number, nowMs: number): number | undefined {
  if (before === taken) return undefined;
  const isTaking = taken > 0;
  const tickets = isTaking ? taken : before;
  if (tickets < 1 || tickets > LIVE_TICKETS) return undefined;
  const current = Math.floor(nowMs / LIVE_SLOT_MS);
  let taking = isTaking ? current : current - 1;
  while (!takesIn(taking) || ticketsIn(taking) !== tickets) taking -= 1;
  return isTaking ? taking : taking + 1;
}

/** Milliseconds since a slot began. */
export function sinceSlot(slot: number, nowMs: number): number {
  return nowMs - slot * LIVE_SLOT_MS;
}

/** Slots of which somebody should have heard who listened from then until then: each began, and there was a slot's time to tell. */
export function slotsDue(fromMs: number, untilMs: number): readonly number[] {
  const due: number[] = [];
  for (let { slot, atMs } = nextSlot(fromMs); atMs + LIVE_SLOT_MS < untilMs; slot += 1, atMs += LIVE_SLOT_MS)
    due.push(slot);
  return due;
}
