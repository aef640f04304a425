/** Telling somebody that something does not exist, when it may only have been forgotten. */
import type { LiveSale, LiveSales } from './live-sales.ts';
import { saleRecovering } from './require-live-sale.ts';

/** With a rebuild in between each time: nobody waits for a third. */
const LOOKS = 3;

/** Redis has kept the state in between, and everything else of the sale with it. */
export function isSameState(before: LiveSale | undefined, now: LiveSale): boolean {
  return before?.snapshot.epoch === now.snapshot.epoch && before.snapshot.run === now.snapshot.run;
}

/**
 * Looks for something of a sale in Redis and MySQL. What is in neither may have been in a Redis that was wiped a moment ago,
 * and in an order log that MySQL has not heard of yet. So it is missing only when Redis still has the state it had before
 * the look; after a rebuild, which brings all logs into MySQL, it is looked for again. Of what is found nothing is asked.
 * @throws {ProblemError} `sale_recovering` when the sale's state cannot be trusted now
 */
export async function findForSure<Found>(
  live: LiveSales,
  saleId: number,
  look: () => Promise<Found | undefined>,
): Promise<Found | undefined> {
  let before = live.get(saleId);
  for (let looks = 0; looks < LOOKS; looks += 1) {
    const found = await look();
    if (found !== undefined) return found;
    const now = await live.reread(saleId);
    if (now === undefined) break;
    if (isSameState(before, now)) return undefined;
    before = now;
  }
  throw saleRecovering();
}
