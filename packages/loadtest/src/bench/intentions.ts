/** What a buyer of a load test has in mind. Pure: the same for the same seed and place. */
import { createRandom, type Random } from '../buyers/random.ts';
import type { BenchBehaviour } from './plan.ts';

export interface Intentions {
  readonly holds: boolean;
  readonly pays: boolean;
}

/** Both are drawn in every case: changing one share leaves the other decisions as they were. */
export function intentionsOf(seed: string, index: number, behaviour: BenchBehaviour): Intentions {
  const random = createRandom(`${seed}/${index}/intentions`);
  return { holds: random() >= behaviour.neverHoldShare, pays: random() >= behaviour.neverPayShare };
}

/** For waits and choices that are nobody's plan. */
export function chanceOf(seed: string, index: number): Random {
  return createRandom(`${seed}/${index}/chance`);
}
