/**
 * Where the knee is, from steps that held or bent. Pure.
 *
 * A step near the knee holds or bends by chance, and now and then one bends far below it because the machine did something else
 * for a moment. That is how thresholds of hearing and seeing are measured, and so is this one: with QUEST (Watson & Pelli 1983,
 * “QUEST: a Bayesian adaptive psychometric method”, Perception & Psychophysics 33). The chance that a step at rate x bends is
 *
 *   hiccup + (1 − hiccup − miss) · 1 ÷ (1 + (knee ÷ x)^steepness)
 *
 * with the knee as the rate at which half of the steps bend. Every knee on a logarithmic grid is as likely as any other at first;
 * each step makes those likelier under which it was to be expected (Bayes). How steep the curve is nobody knows: four
 * steepnesses are reckoned with, and weigh as much as they explain. What is told is the median of what is likely, with the interval
 * that has 90 % of it. One step never decides: a bend far below the knee is a hiccup as soon as enough has held around it.
 */

export interface Probe {
  /** Arrivals a second. */
  readonly perSecond: number;
  readonly bent: boolean;
}

export interface KneeEstimate {
  /** Arrivals a second; half of what is likely is below. */
  readonly median: number;
  /** One in twenty is below the first, one in twenty above the second. */
  readonly low: number;
  readonly high: number;
  /** How likely the knee is outside of what may be tried, 0…1. */
  readonly belowFrom: number;
  readonly beyondTo: number;
}

/** Of the steps far below the knee so many bend. */
const HICCUP = 0.05;
/** Of those far above it so many hold. */
const MISS = 0.02;
/** From one step in ten to nine in ten: over a factor of 2.1, 1.44, 1.20, 1.10. */
const STEEPNESSES = [6, 12, 24, 48] as const;
/** The knee may be outside of the rates that are tried, by so much. */
const MARGIN = 1.5;
const GRID = 250;
const INTERVAL = [0.05, 0.5, 0.95] as const;

/** @param range of the rates that may be tried */
export function estimateKnee(
  probes: readonly Probe[],
  { from, to }: { readonly from: number; readonly to: number },
): KneeEstimate {
  const [first, last] = [Math.log(from / MARGIN), Math.log(to * MARGIN)];
  const knees = Array.from({ length: GRID }, (_, index) => first + ((last - first) * index) / (GRID - 1));
  const logs = knees.map((knee) => STEEPNESSES.map((steepness) => logLikelihood(probes, knee, steepness)));
  const largest = logs.flat().reduce((most, log) => Math.max(most, log), Number.NEGATIVE_INFINITY);
  const weights = logs.map((each) => each.reduce((sum, log) => sum + Math.exp(log - largest), 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shareOf = (isMeant: (knee: number) => boolean): number =>
    knees.reduce((sum, knee, index) => (isMeant(knee) ? sum + (weights[index] ?? 0) : sum), 0) / total;
  const [low, median, high] = INTERVAL.map((share) => Math.exp(quantile(knees, weights, share * total)));
  return {
    low: low ?? from,
    median: median ?? from,
    high: high ?? to,
    belowFrom: shareOf((knee) => knee < Math.log(from)),
    beyondTo: shareOf((knee) => knee > Math.log(to)),
  };
}

function logLikelihood(probes: readonly Probe[], logKnee: number, steepness: number): number {
  return probes.reduce((sum, { perSecond, bent }) => {
    const curve = 1 / (1 + Math.exp(steepness * (logKnee - Math.log(perSecond))));
    const bends = HICCUP + (1 - HICCUP - MISS) * curve;
    return sum + Math.log(bent ? bends : 1 - bends);
  }, 0);
}

/** Between the points of the grid evenly. */
function quantile(knees: readonly number[], weights: readonly number[], wanted: number): number {
  let sum = 0;
  for (const [index, weight] of weights.entries()) {
    const [knee = 0, before = knees[index] ?? 0] = [knees[index], knees[index - 1]];
    if (sum + weight >= wanted) return before + (knee - before) * ((wanted - sum) / weight);
    sum += weight;
  }
  return knees.at(-1) ?? 0;
}
