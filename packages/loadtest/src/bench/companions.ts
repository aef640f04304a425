/** Whoever is there beside the load itself, and which of the prepared buyers belong to whom. Pure; used by the profiles and the k6 scripts. */
import { arrivalsOf, peakOf, secondsOf } from './load-sums.ts';
import type { BenchLoad, BenchScenario } from './plan.ts';

/** Honest buyers who come beside the load, one after the other. */
export interface Companions {
  readonly perSecond: number;
  readonly seconds: number;
  /** Virtual users kept ready for them. */
  readonly users: number;
}

/** Accounts an attack uses at most: the attacker's, and its victim's. */
export const ACCOUNTS_PER_ATTACK = 2;

/** A visit beside the load takes no longer than this. */
const COMPANION_VISIT_SECONDS = 12;

/** Undefined: the load is alone. */
export function companionsOf(scenario: BenchScenario, load: BenchLoad): Companions | undefined {
  if (scenario !== 'abuse' && scenario !== 'seedstorm') return undefined;
  const perSecond = Math.max(2, Math.min(10, Math.ceil(peakOf(load) / 10)));
  return { perSecond, seconds: secondsOf(load), users: perSecond * COMPANION_VISIT_SECONDS };
}

/** Where in the file of buyers each part begins; `end` is how many there must be. */
export interface BuyerRanges {
  readonly companions: number;
  readonly load: number;
  readonly end: number;
}

/**
 * @param loadBuyers accounts of the load itself
 */
export function buyerRangesOf(scenario: BenchScenario, load: BenchLoad, loadBuyers: number): BuyerRanges {
  const companions = companionsOf(scenario, load);
  // One more: the last arrival of a rate may fall into the first moment after its time.
  const before = companions === undefined ? 0 : Math.ceil(companions.perSecond * companions.seconds) + 1;
  return { companions: 0, load: before, end: before + loadBuyers };
}

/** Accounts an `abuse` needs for its attacks. */
export function attackBuyers(load: BenchLoad): number {
  return (arrivalsOf(load) + 1) * ACCOUNTS_PER_ATTACK;
}

/** WebSockets: over how many of the first seconds they come. */
export function websocketArrivalSeconds(seconds: number): number {
  return Math.min(20, seconds / 4);
}
