/**
 * Where a deployment bends: from steps of a rising rate of arrivals to the rate it sustains. Pure.
 *
 * A step holds unless one of these is so, compared with the first and slowest step:
 * - visits were dropped, because k6's users were all busy: visits take too long;
 * - more than 0.1 % of the requests were answered with an error, or refused because of overload;
 * - the p95 of the slowest endpoint of a purchase is above 100 ms and above four times what it was;
 * - of the arrivals, fewer than four fifths as many bought;
 * - a process ended.
 *
 * The rate rises by half until a step bends. Then the stretch between the last step that held and the one that bent is gone
 * through again, in thirds, as often as there are passes: each ends with its first bend and says the last rate that held.
 */

export interface RehearsalStep {
  /** Arrivals a second. */
  readonly perSecond: number;
  /** 0: of the climb. */
  readonly pass: number;
  readonly arrivals: number;
  readonly dropped: number;
  readonly requests: number;
  /** Answers that should not have come, and refusals because of overload. */
  readonly errors: number;
  readonly purchases: number;
  /** Of the slowest endpoint of a purchase; null: nothing was answered. */
  readonly p95Ms: number | null;
  /** Buyers inside, on average; null: the servers did not say. */
  readonly active: number | null;
  /** A process ended, k6 failed: a sentence. */
  readonly broken: string | null;
  /** Why the generator's figures are not to be trusted. */
  readonly starved: string | null;
}

const ERROR_SHARE = 0.001;
const LATENCY_FLOOR_MS = 100;
const LATENCY_FACTOR = 4;
const BOUGHT_LEAST = 0.8;

/** Why a step bends; null: it holds. @param first the slowest step */
export function bendOf(step: RehearsalStep, first: RehearsalStep): string | null {
  const { broken, dropped, arrivals, errors, requests, p95Ms } = step;
  if (broken !== null) return broken;
  if (dropped > 0) return `${dropped} of ${arrivals + dropped} visits could not begin: those before took too long`;
  if (errors > ERROR_SHARE * requests) return `${errors} of ${requests} requests failed or were refused`;
  const bound = Math.max(LATENCY_FLOOR_MS, LATENCY_FACTOR * (first.p95Ms ?? 0));
  if (p95Ms !== null && p95Ms > bound) return `the p95 was ${Math.round(p95Ms)} ms, above ${Math.round(bound)} ms`;
  const [share, firstShare] = [boughtShare(step), boughtShare(first)];
  if (share < BOUGHT_LEAST * firstShare) return `${percent(share)} bought, and ${percent(firstShare)} at first`;
  return null;
}

function boughtShare({ purchases, arrivals }: RehearsalStep): number {
  return arrivals === 0 ? 0 : purchases / arrivals;
}

export interface RehearsalBounds {
  /** First and largest rate, arrivals a second. */
  readonly from: number;
  readonly to: number;
  /** How often the stretch around the knee is gone through. */
  readonly passes: number;
}

export type Knee =
  | {
      readonly kind: 'found';
      /** Median of the passes, arrivals a second; with the lowest and the highest of them. */
      readonly perSecond: number;
      readonly low: number;
      readonly high: number;
      readonly ofPasses: readonly number[];
    }
  /** The largest rate held. */
  | { readonly kind: 'beyond'; readonly perSecond: number }
  /** The first step did not hold. */
  | { readonly kind: 'below'; readonly perSecond: number; readonly why: string };

export type NextStep =
  | { readonly kind: 'step'; readonly perSecond: number; readonly pass: number }
  | { readonly kind: 'done'; readonly knee: Knee };

const RISE = 1.5;
const PARTS = 3;

/** What comes after these steps. */
export function nextStep(steps: readonly RehearsalStep[], bounds: RehearsalBounds): NextStep {
  const [first] = steps;
  if (first === undefined) return { kind: 'step', perSecond: bounds.from, pass: 0 };
  const climb = steps.filter(({ pass }) => pass === 0);
  const bent = climb.find((step) => bendOf(step, first) !== null);
  if (bent === undefined) {
    const highest = climb.at(-1)?.perSecond ?? bounds.from;
    if (highest >= bounds.to) return { kind: 'done', knee: { kind: 'beyond', perSecond: highest } };
    return { kind: 'step', perSecond: Math.min(bounds.to, Math.ceil(highest * RISE)), pass: 0 };
  }
  if (bent === first) {
    const why = bendOf(first, first) ?? '';
    return { kind: 'done', knee: { kind: 'below', perSecond: first.perSecond, why } };
  }
  return nextOfPasses(steps, { first, climb, bent, passes: bounds.passes });
}

interface Climbed {
  readonly first: RehearsalStep;
  readonly climb: readonly RehearsalStep[];
  readonly bent: RehearsalStep;
  readonly passes: number;
}

function nextOfPasses(steps: readonly RehearsalStep[], { first, climb, bent, passes }: Climbed): NextStep {
  const below = climb.filter(({ perSecond }) => perSecond < bent.perSecond);
  const held = below.at(-1)?.perSecond ?? first.perSecond;
  // What a pass comes to when not even that holds once more.
  const safe = below.at(-2)?.perSecond ?? first.perSecond;
  const rates = ratesOfPass(held, bent.perSecond);
  const ofPasses: number[] = [];
  for (let pass = 1; pass <= passes; pass += 1) {
    const done = steps.filter((step) => step.pass === pass);
    const failed = done.findIndex((step) => bendOf(step, first) !== null);
    const next = rates[done.length];
    if (failed === -1 && next !== undefined) return { kind: 'step', perSecond: next, pass };
    const last = failed === -1 ? done.at(-1) : done[failed - 1];
    ofPasses.push(last?.perSecond ?? safe);
  }
  const sorted = ofPasses.toSorted((left, right) => left - right);
  const [low = held, high = held] = [sorted[0], sorted.at(-1)];
  const perSecond = sorted[Math.floor((sorted.length - 1) / 2)] ?? held;
  return { kind: 'done', knee: { kind: 'found', perSecond, low, high, ofPasses } };
}

/** From the rate that held to the one that did not, in equal ratios; whole, each once. */
export function ratesOfPass(held: number, bent: number): readonly number[] {
  const ratio = (bent / held) ** (1 / PARTS);
  const rates = Array.from({ length: PARTS + 1 }, (_, index) => Math.round(held * ratio ** index));
  return [...new Set(rates)];
}

export interface AdmissionProposal {
  readonly perSecond: number;
  readonly maxActive: number;
  /** From being admitted to the order, or to leaving: how long a place is taken, seconds. */
  readonly secondsInside: number;
}

/** A rehearsal is a good day: what else there is to do on the real one takes the rest. */
const OF_THE_KNEE = 0.8;
/** Places for the moments in which more are inside than on average. */
const SPARE_PLACES = 1.5;

/**
 * What the sale may be set to; undefined: there is nothing to propose it from.
 * @param insideSeconds instead of what was measured: people take longer than simulated buyers
 */
export function proposeAdmission(
  steps: readonly RehearsalStep[],
  knee: Knee,
  insideSeconds: number | undefined,
): AdmissionProposal | undefined {
  if (knee.kind === 'below') return undefined;
  const measured = secondsInsideOf(steps, knee);
  const secondsInside = insideSeconds ?? measured;
  if (secondsInside === undefined) return undefined;
  const perSecond = Math.max(1, Math.floor(OF_THE_KNEE * (knee.kind === 'found' ? knee.low : knee.perSecond)));
  return { perSecond, maxActive: Math.max(1, Math.ceil(perSecond * secondsInside * SPARE_PLACES)), secondsInside };
}

/** By Little's law: of the steps that held, how many were inside, by how many came a second. */
function secondsInsideOf(steps: readonly RehearsalStep[], { perSecond }: Knee): number | undefined {
  const held = steps.filter((step) => step.perSecond <= perSecond && step.active !== null && step.broken === null);
  const active = held.reduce((sum, step) => sum + (step.active ?? 0), 0);
  const rates = held.reduce((sum, step) => sum + step.perSecond, 0);
  return active === 0 || rates === 0 ? undefined : active / rates;
}

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}
