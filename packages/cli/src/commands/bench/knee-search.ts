/**
 * Which rate a rehearsal tries next, and when it knows enough. Pure.
 *
 * One step warms up and is not judged. Then the rate rises by half until a step bends; it is repeated, and only if it bends again
 * that is believed: else the climb goes on. From there on each step is at the rate that is the likeliest knee so far
 * (knee-estimate.ts), never more than half above what has held, until the interval is narrow, or steps or time are used up.
 * The search goes wherever the steps lead: up again when the climb ended too soon.
 */
import { bendOf, type RehearsalStep, referenceOf, type StepPart } from './knee.ts';
import { estimateKnee, type KneeEstimate, type Probe } from './knee-estimate.ts';

export interface RehearsalBounds {
  /** First and largest rate, arrivals a second. */
  readonly from: number;
  readonly to: number;
  /** Steps, the one that warms up among them. */
  readonly steps: number;
}

export type Knee =
  | {
      readonly kind: 'found';
      /** Median of what is likely, arrivals a second; 90 % of it is between the other two. */
      readonly perSecond: number;
      readonly low: number;
      readonly high: number;
      /** False: steps or time ended before the interval was narrow. */
      readonly settled: boolean;
    }
  /** Whatever was tried held, up to this rate; `low` is what it is safe to build on: one step that held proves little. */
  | { readonly kind: 'beyond'; readonly perSecond: number; readonly low: number }
  /** Not even the first rate held. */
  | { readonly kind: 'below'; readonly perSecond: number; readonly why: string };

export type NextStep =
  | { readonly kind: 'step'; readonly perSecond: number; readonly part: StepPart }
  | { readonly kind: 'done'; readonly knee: Knee };

const RISE = 1.5;
/** Upper end of the interval by its lower one; or so many arrivals a second, where rates are small. */
const NARROW = 1.2;
const NARROW_PER_SECOND = 2;
/** Fewer agree by luck. */
const SEARCH_STEPS_LEAST = 6;
const SURE = 0.95;
/** In a row, at the same rate. Where there is nothing below to search in, one more. */
const BENDS_BELIEVED = 2;
const BENDS_BELIEVED_AT_FIRST = 3;

/** What comes after these steps. @param isOutOfTime there is no time for another one */
export function nextStep(steps: readonly RehearsalStep[], bounds: RehearsalBounds, isOutOfTime = false): NextStep {
  if (steps.length === 0) return { kind: 'step', perSecond: bounds.from, part: 'warmUp' };
  const counted = steps.filter(({ part }) => part !== 'warmUp');
  const first = referenceOf(steps);
  if (first === undefined) return { kind: 'step', perSecond: bounds.from, part: 'climb' };
  const judged = counted.map((step) => ({ ...step, why: bendOf(step, first) }));
  const isOver = isOutOfTime || steps.length >= bounds.steps;
  return afterClimb(judged, bounds, isOver) ?? afterSearch(judged, bounds, isOver);
}

type Judged = RehearsalStep & { readonly why: string | null };

/** Undefined: the climb is over, its bend was seen twice. */
function afterClimb(judged: readonly Judged[], bounds: RehearsalBounds, isOver: boolean): NextStep | undefined {
  const { from, to } = bounds;
  const climb = judged.filter(({ part }) => part === 'climb');
  const last = climb.at(-1);
  if (last === undefined || judged.length > climb.length) return undefined;
  const bends = climb.slice(
    climb.findLastIndex(({ why, perSecond }) => why === null || perSecond !== last.perSecond) + 1,
  );
  if (last.perSecond > from && bends.length >= BENDS_BELIEVED) return undefined;
  if (last.why !== null && bends.length >= BENDS_BELIEVED_AT_FIRST) {
    return { kind: 'done', knee: { kind: 'below', perSecond: from, why: last.why } };
  }
  const hasBentThere = climb.some(({ why, perSecond }) => why !== null && perSecond === last.perSecond);
  // Once so and once so at the largest rate: the knee may be there.
  if (last.why === null && last.perSecond >= to) return hasBentThere ? undefined : beyond(climb, bounds);
  if (isOver) return climb.every(({ why }) => why === null) ? beyond(climb, bounds) : undefined;
  const perSecond = last.why === null ? Math.min(to, Math.ceil(last.perSecond * RISE)) : last.perSecond;
  return { kind: 'step', perSecond, part: 'climb' };
}

function afterSearch(judged: readonly Judged[], bounds: RehearsalBounds, isOver: boolean): NextStep {
  const { from, to } = bounds;
  const estimate = estimateKnee(probesOf(judged), bounds);
  const searched = judged.filter(({ part }) => part === 'search').length;
  const isSettled = searched >= SEARCH_STEPS_LEAST && isNarrow(estimate);
  const isOutside = Math.max(estimate.beyondTo, estimate.belowFrom) >= SURE;
  if (isOver || isSettled || isOutside) return { kind: 'done', knee: conclude(judged, estimate, bounds, isSettled) };
  const atMost = Math.min(to, Math.ceil(RISE * highestThatHeld(judged, from)));
  return { kind: 'step', perSecond: Math.max(from, Math.min(atMost, Math.round(estimate.median))), part: 'search' };
}

function conclude(
  judged: readonly Judged[],
  { median, low, high }: KneeEstimate,
  { from, to }: RehearsalBounds,
  settled: boolean,
): Knee {
  if (median > to) return beyondWith(highestThatHeld(judged, from), low);
  if (median < from) {
    return { kind: 'below', perSecond: from, why: judged.findLast(({ why }) => why !== null)?.why ?? '' };
  }
  return {
    kind: 'found',
    perSecond: Math.round(median),
    // Rates are whole: what is between two of them was not tried.
    low: Math.max(1, Math.floor(low)),
    high: Math.ceil(high),
    settled,
  };
}

function isNarrow({ low, high }: KneeEstimate): boolean {
  return high / low <= NARROW || high - low <= NARROW_PER_SECOND;
}

function beyond(judged: readonly Judged[], bounds: RehearsalBounds): NextStep {
  const { low } = estimateKnee(probesOf(judged), bounds);
  return { kind: 'done', knee: beyondWith(highestThatHeld(judged, 0), low) };
}

function beyondWith(perSecond: number, low: number): Knee {
  return { kind: 'beyond', perSecond, low: Math.max(1, Math.floor(Math.min(perSecond, low))) };
}

function probesOf(judged: readonly Judged[]): readonly Probe[] {
  return judged.map(({ perSecond, why }) => ({ perSecond, bent: why !== null }));
}

function highestThatHeld(judged: readonly Judged[], otherwise: number): number {
  const held = judged.filter(({ why }) => why === null).map(({ perSecond }) => perSecond);
  return held.length === 0 ? otherwise : Math.max(...held);
}

/** Rates of the climb, if nothing bends: from the first to the largest. */
function climbRates({ from, to }: Pick<RehearsalBounds, 'from' | 'to'>): readonly number[] {
  const rates = [from];
  for (let rate = from; rate < to; ) {
    rate = Math.min(to, Math.ceil(rate * RISE));
    rates.push(rate);
  }
  return rates;
}

/** Arrivals that all steps add up to, at most: as fast to the largest rate as it goes, and then around it. */
export function arrivalsAtMost(bounds: RehearsalBounds, seconds: number): number {
  const rates = [bounds.from, ...climbRates(bounds)].slice(0, bounds.steps);
  const rest = bounds.steps - rates.length;
  return seconds * (rates.reduce((sum, rate) => sum + rate, 0) + rest * bounds.to);
}
