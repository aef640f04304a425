/**
 * How much of which class is refused. Pure: what was measured comes in, the next level goes out.
 *
 * When to begin is CoDel's question, good queue or bad queue (K. Nichols, V. Jacobson, "Controlling queue delay", ACM Queue 10,
 * 2012; RFC 8289): requests that came together wait for each other, and that is what queues are for; a delay that does not go
 * below the target for a whole interval is a standing queue, which only makes everybody late. What to refuse is decided by
 * class, a share of one before any of the next, from the delay of the server itself and nothing a client could claim (H. Zhou
 * et al., "Overload control for scaling WeChat microservices", SoCC 2018; "Handling overload" in B. Beyer et al., "Site
 * reliability engineering", 2016).
 *
 * The level counts halvings: each class has so many, and a trickle of it always passes. So the step from 2 % to 1 % is as long as the
 * one from all to half, whatever the crowd is. Hysteresis: up above the target, down below half of it, and the slower the
 * busier the loop still is, since those who are let in now come back with more work in a second or two.
 */
import { LIMITS } from '../../limits.ts';
import { LOAD_CLASSES, type LoadClass } from './load-class.ts';

/** Classes that are refused by their share, the first ones first. The others never are. */
type ShedClass = keyof typeof LIMITS.shedHalvings;
const HALVINGS = new Map<LoadClass, number>(Object.entries(LIMITS.shedHalvings) as Array<[ShedClass, number]>);

/** The level in which everything before a class is refused as far as it ever is. */
export function levelBefore(loadClass: LoadClass): number {
  let level = 0;
  for (const name of LOAD_CLASSES) {
    if (name === loadClass) break;
    level += HALVINGS.get(name) ?? 0;
  }
  return level;
}

/** In which all that may be shed is. */
export const LEVEL_MAX = levelBefore('purchase');
const LEVELS_BEFORE = new Map(LOAD_CLASSES.map((name) => [name, levelBefore(name)]));

export interface SheddingState {
  /** 0: nothing is refused; `LEVEL_MAX`: everything that ever is. */
  readonly level: number;
  /** Since when the delay has been above the target without a break, milliseconds. */
  readonly lateSinceMs: number | undefined;
  /** When it was last looked. */
  readonly atMs: number;
}

export interface LoopReading {
  readonly nowMs: number;
  /** How late the event loop is at this moment. */
  readonly delayMs: number;
  /** Share of its time that the loop was busy lately, 0 … 1. */
  readonly utilization: number;
}

export function calmShedding(nowMs: number): SheddingState {
  return { level: 0, lateSinceMs: undefined, atMs: nowMs };
}

/** @param ceiling the level does not rise above it */
export function adjustShedding(
  state: SheddingState,
  { nowMs, delayMs, utilization }: LoopReading,
  ceiling = LEVEL_MAX,
): SheddingState {
  const seconds = Math.min(Math.max(0, nowMs - state.atMs), LIMITS.shedStepMaxMs) / 1_000;
  const target = LIMITS.loopDelayTargetMs;
  if (delayMs > target) {
    const lateSinceMs = state.lateSinceMs ?? nowMs;
    if (nowMs - lateSinceMs < LIMITS.loopDelayIntervalMs) return { ...state, lateSinceMs, atMs: nowMs };
    const perSecond = LIMITS.shedRisePerSecond * Math.log2(delayMs / target);
    return { level: Math.min(ceiling, state.level + seconds * perSecond), lateSinceMs, atMs: nowMs };
  }
  const slack = delayMs < target / 2 ? Math.max(LIMITS.shedSlackMin, LIMITS.shedFullLoop - utilization) : 0;
  const level = Math.max(0, state.level - seconds * LIMITS.shedFallPerSecond * slack);
  return { level, lateSinceMs: undefined, atMs: nowMs };
}

/** Share of the requests of a class that is served at a level, 0 … 1. */
export function servedShare(level: number, loadClass: LoadClass): number {
  const halvings = Math.min(level - (LEVELS_BEFORE.get(loadClass) ?? 0), HALVINGS.get(loadClass) ?? 0);
  return halvings <= 0 ? 1 : 2 ** -halvings;
}

/**
 * When who was refused may ask again: about as long as it takes until one of so many tries is let in, so that returning
 * people do not add up; but no longer than it takes until those who were sent away before can all have come back. A crowd that
 * comes in one moment is refused nearly as a whole, since nobody knows yet that it is no more than this; it is let in by and by
 * and not half a minute later. At random up to twice as late: they came together and would come back together.
 *
 * @param share of its class that is served, 0 … 1
 * @param ahead how many who were sent away may not ask again yet, see `SentAway`
 * @returns whole seconds
 */
export function retrySeconds(loadClass: LoadClass, share: number, ahead: number, draw: number): number {
  const [first, longest] = LIMITS.shedRetrySeconds[loadClass];
  const from = Math.min(longest, first / share, Math.max(first, ahead / LIMITS.shedReturnsPerSecond));
  return Math.ceil(from * (1 + draw));
}

/**
 * Those of a class who were sent away, as a line that gets shorter by as many a second as may come back: a leaky bucket as a meter
 * (J. Turner, "New directions in communications", IEEE Communications Magazine 24, 1986).
 */
export class SentAway {
  readonly #most: number;
  #length = 0;
  #atMs = 0;

  constructor(loadClass: LoadClass) {
    // More would not be told a longer time, only for longer.
    this.#most = LIMITS.shedRetrySeconds[loadClass][1] * LIMITS.shedReturnsPerSecond;
  }

  /** One more. @returns how many are ahead of it */
  add(nowMs: number): number {
    const gone = (Math.max(0, nowMs - this.#atMs) / 1_000) * LIMITS.shedReturnsPerSecond;
    const ahead = Math.max(0, this.#length - gone);
    this.#length = Math.min(this.#most, ahead + 1);
    this.#atMs = nowMs;
    return ahead;
  }
}

/** Requests of a while, by what became of them. */
export interface ServedCounts {
  readonly served: Readonly<Record<LoadClass, number>>;
  readonly refused: number;
}

/** Shares of the loop's work, 0 … 1. Weights are rough, in refusals (`npm run bench:core` measures what requests cost). */
export interface WorkShares {
  /** That would be free if all that may be shed before holds were refused: what these cost more than their refusal. */
  readonly reserve: number;
  /** Of holds and whatever goes before them. */
  readonly purchases: number;
}

export function workShares({ served, refused }: ServedCounts): WorkShares {
  let work = refused;
  let reserve = 0;
  let purchases = 0;
  for (const name of LOAD_CLASSES) {
    const weight = LIMITS.requestWeights[name];
    work += served[name] * weight;
    if (LOAD_CLASSES.indexOf(name) < LOAD_CLASSES.indexOf('hold')) reserve += served[name] * (weight - 1);
    else purchases += served[name] * weight;
  }
  return work === 0 ? { reserve: 0, purchases: 0 } : { reserve: reserve / work, purchases: purchases / work };
}

/**
 * Holds are refused only where they and what follows them are most of the work. When refusing the crowd alone is too much, it
 * would help nobody to refuse the few who can buy as well: they are served late.
 */
export function levelCeiling({ purchases }: WorkShares): number {
  return purchases > LIMITS.shedHoldsAbove ? LEVEL_MAX : levelBefore('hold');
}

/** What the admission has to know of the shedding. */
export interface Relief {
  /** See `WorkShares`. */
  readonly reserve: number;
  /** Share of the holds that are served, 0 … 1. */
  readonly holdsServed: number;
}

/**
 * How busy the loop is as the admission should see it: without what would be shed to make room for those who are admitted. Else
 * a crowd that fills the loop with joins and polls, which gives way at any moment, would keep anybody from buying. And as busy
 * as it would be if all holds were served, which may be more than it can: a loop that refuses half of them is not all right.
 */
export function steered<Facts extends { readonly eventLoopUtilization: number }>(
  facts: Facts,
  { reserve, holdsServed }: Relief,
): Facts {
  return { ...facts, eventLoopUtilization: (facts.eventLoopUtilization * (1 - reserve)) / holdsServed };
}
