/** How long buyers wait before they ask again, ms. A time that was told is never undercut. Pure. */

import type { Random } from '../buyers/random.ts';
import { pollDelayMs } from '../buyers/retry.ts';

export type PollPause = (toldMs: number, random: Random) => number;

/** As told, and a little chance. */
export const asTold: PollPause = (toldMs, random) => pollDelayMs(toldMs, random);

/** At a pace of one's own, unless a longer one is told. */
export function everyButAsTold(ownMs: number): PollPause {
  return (toldMs, random) => (toldMs <= ownMs ? ownMs : pollDelayMs(toldMs, random));
}

/**
 * Sooner than told: for a buyer who asks a few times only. The server takes ten questions at once from one buyer before it
 * minds the pace.
 */
export function soonerThanTold(ownMs: number): PollPause {
  return (toldMs) => Math.min(toldMs, ownMs);
}
