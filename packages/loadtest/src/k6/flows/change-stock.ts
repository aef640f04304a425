/** Takes tickets in every odd slot of the clock and gives them back in every even one, so that watchers have something to be told. */
import { IDEMPOTENCY_KEY_HEADER, pathOf } from '@fest/server/contract/paths';
import type { Hold } from '@fest/server/contract/schemas';
import { LIVE_SLOT_MS, nextSlot, takesIn, ticketsIn } from '../../bench/live-slots.ts';
import { asTold } from '../../bench/poll-pause.ts';
import type { Outcome } from '../outcome.ts';
import { plan } from '../plan.ts';
import type { Visitor } from '../visitor.ts';
import { release } from './hold.ts';
import { join } from './join.ts';
import { waitForTurn } from './wait.ts';

/** Goes on until `untilMs`, Unix milliseconds. */
export function changeStock(visitor: Visitor, untilMs: number): Outcome {
  const place = join(visitor);
  waitForTurn(visitor, place, asTold);
  const path = pathOf('saleHolds', { saleId: plan.saleId });
  let held: Hold | undefined;
  for (;;) {
    const { slot, atMs } = nextSlot(Date.now());
    if (atMs >= untilMs) break;
    visitor.rest(atMs - Date.now());
    // What nobody would be told of any more does not happen, and a slot that was missed is not made up for in another one.
    if (takesIn(slot) && held === undefined && atMs + LIVE_SLOT_MS < untilMs) {
      const headers = { ...visitor.authorized(place.queueToken), [IDEMPOTENCY_KEY_HEADER]: visitor.newKey() };
      const body = { quantity: ticketsIn(slot) };
      held = visitor.ask<Hold>({ endpoint: 'hold', method: 'POST', path, headers, body }).body();
    } else if (!takesIn(slot) && held !== undefined) {
      release(visitor, held);
      held = undefined;
    }
  }
  if (held !== undefined) release(visitor, held);
  return 'watched';
}
