/**
 * From a knee to what a sale may be set to. Pure. The same rule as in docs/load-testing.md, “How to size a sale”.
 *
 * A place is taken by a live hold (`take-hold.lua` is the gate), and the admission controller keeps one free for each of the
 * admitted whom it still expects: so a buyer takes a place from being admitted. Of a second's admissions each takes one for
 *
 *   W = come + b · (pay + order) + (1 − b) · hold
 *
 * seconds on average: all come; a share b pays, and then has the order; whoever lets it be keeps the tickets until the hold ends.
 * By Little's law L = perSecond · W are inside on average. How many just then is as good as Poisson distributed, so L + 3·√L are
 * enough in all but one of a thousand moments.
 */
import { LIMITS } from '@fest/server/limits';
import { bendOf, type RehearsalStep, referenceOf } from './knee.ts';
import type { Knee } from './knee-search.ts';

/** The sale as far as it decides how long buyers are inside. */
export interface SaleTimes {
  readonly holdSeconds: number;
  readonly admissionSeconds: number;
}

export interface StayOptions extends SaleTimes {
  /** How long somebody is inside, on average, said by somebody who knows; undefined: it is reckoned. */
  readonly insideSeconds: number | undefined;
  /** Tickets of the sale; undefined: not known. More places than tickets let people in for none. */
  readonly capacity: number | undefined;
  /** Of those who hold, who does not pay, 0…1. */
  readonly neverPayShare: number;
}

export interface AdmissionProposal {
  readonly perSecond: number;
  readonly maxActive: number;
  /** W: how long a place is taken, seconds. */
  readonly secondsInside: number;
  /** What W was reckoned from; null: it was said with `--inside`. */
  readonly reckoned: {
    /** From being admitted to the hold. */
    readonly comeSeconds: number;
    readonly paySeconds: number;
    /** As measured. */
    readonly orderSeconds: number;
    readonly holdSeconds: number;
    readonly paysShare: number;
  } | null;
}

/** A rehearsal is a good day: what else there is to do on the real one takes the rest. */
const OF_THE_KNEE = 0.8;
/** Simulated buyers act at once. People notice that it is their turn and choose … */
const COME_SECONDS = 10;
/** … and find their card. Both are assumptions, told as such. */
const PAY_SECONDS = 30;
const DEVIATIONS = 3;

/** Undefined: there is nothing to propose it from. */
export function proposeAdmission(
  steps: readonly RehearsalStep[],
  knee: Knee,
  stay: StayOptions,
): AdmissionProposal | undefined {
  if (knee.kind === 'below') return undefined;
  const reckoned = stay.insideSeconds === undefined ? reckon(steps, stay) : null;
  if (reckoned === undefined) return undefined;
  const secondsInside = stay.insideSeconds ?? (reckoned === null ? 0 : meanStay(reckoned));
  const perSecond = Math.max(1, Math.min(LIMITS.perSecondMax, Math.floor(OF_THE_KNEE * knee.low)));
  const most = Math.min(LIMITS.maxActiveMax, stay.capacity ?? Number.POSITIVE_INFINITY);
  return {
    perSecond,
    maxActive: Math.max(1, Math.min(most, placesFor(perSecond * secondsInside))),
    secondsInside,
    reckoned,
  };
}

/** @param inside on average */
export function placesFor(inside: number): number {
  return Math.ceil(inside + DEVIATIONS * Math.sqrt(inside));
}

type Reckoned = NonNullable<AdmissionProposal['reckoned']>;

function meanStay({ comeSeconds, paySeconds, orderSeconds, holdSeconds, paysShare }: Reckoned): number {
  return comeSeconds + paysShare * (paySeconds + orderSeconds) + (1 - paysShare) * holdSeconds;
}

function reckon(steps: readonly RehearsalStep[], stay: StayOptions): Reckoned | undefined {
  const orderSeconds = orderSecondsOf(steps);
  if (orderSeconds === undefined) return undefined;
  return {
    comeSeconds: Math.min(COME_SECONDS, stay.admissionSeconds),
    paySeconds: Math.min(PAY_SECONDS, stay.holdSeconds),
    orderSeconds,
    holdSeconds: stay.holdSeconds,
    paysShare: 1 - stay.neverPayShare,
  };
}

/** Of the steps that held. */
function orderSecondsOf(steps: readonly RehearsalStep[]): number | undefined {
  const counted = steps.filter(({ part }) => part !== 'warmUp');
  const first = referenceOf(steps);
  if (first === undefined) return undefined;
  const held = counted.flatMap((step) =>
    step.orderMs === null || bendOf(step, first) !== null ? [] : [{ ...step, orderMs: step.orderMs }],
  );
  const purchases = held.reduce((sum, step) => sum + step.purchases, 0);
  if (purchases === 0) return undefined;
  return held.reduce((sum, step) => sum + step.orderMs * step.purchases, 0) / purchases / 1_000;
}
