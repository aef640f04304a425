/**
 * Whether servers hold a rate of arrivals, from what one step of a rehearsal measured. Pure.
 *
 * A step holds unless one of these is so:
 * - visits were dropped, because k6's users were all busy: visits take too long;
 * - fewer than 97 % of the visits that were due began: k6 came too late with them, and the rate was another one;
 * - more than 0.1 % of the requests were answered with an error, or refused because of overload;
 * - more than one visit, and more than 1 % of them, ended without what its buyer came for;
 * - the p95 of an endpoint of a purchase is above what `fest bench onsale` allows, or above 100 ms and above four times what it was
 *   in the first step.
 *
 * What is wrong, and not only slow, is no bend: it ends a rehearsal (`faults`).
 */
import type { BenchEndpoint } from '@fest/loadtest/bench/plan';
import type { BenchFault } from '@fest/loadtest/bench/result';
import { p95BoundOf } from '@fest/loadtest/bench/thresholds';

/** `warmUp` is not judged; `climb` goes up until the servers bend; `search` goes around the knee. */
export type StepPart = 'warmUp' | 'climb' | 'search';

export interface RehearsalStep {
  /** Arrivals a second. */
  readonly perSecond: number;
  readonly part: StepPart;
  /** Visits that should have come. */
  readonly due: number;
  /** Visits that began, and ended. */
  readonly arrivals: number;
  /** Visits that could not begin. */
  readonly dropped: number;
  /** Visits whose buyer gave up, failed, or was turned away, and those that k6 had to cut off. */
  readonly lost: number;
  readonly requests: number;
  /** Answers that should not have come, and refusals because of overload. */
  readonly errors: number;
  readonly purchases: number;
  /** By endpoint; those that a purchase waits for. */
  readonly p95Ms: Readonly<Partial<Record<BenchEndpoint, number>>>;
  /** From beginning to pay to knowing the order, on average; null: nobody bought. */
  readonly orderMs: number | null;
  /** Buyers inside, on average; null: the servers did not say. */
  readonly active: number | null;
  /** Tickets sold twice, a stock that does not add up, a process that ended: no question of speed. */
  readonly faults: readonly BenchFault[];
  /** Why the generator's figures are not to be trusted. */
  readonly starved: string | null;
}

/** Those that a purchase waits for. */
export const OF_A_PURCHASE = ['join', 'poll', 'hold', 'pay', 'payment'] as const satisfies readonly BenchEndpoint[];

const ERROR_SHARE = 0.001;
const LOST_SHARE = 0.01;
/** k6 begins up to one in a hundred too few on a busy machine, and the last or the first one or two of a short load; it drops none. */
const BEGUN_SHARE = 0.97;
const BEGUN_SPARE = 2;
const LATENCY_FLOOR_MS = 100;
const LATENCY_FACTOR = 4;

/** What `fest bench onsale` allows, ms; infinite where it bounds nothing. */
export const CEILINGS_MS: Readonly<Record<(typeof OF_A_PURCHASE)[number], number>> = {
  join: ceilingOf('join'),
  poll: ceilingOf('poll'),
  hold: ceilingOf('hold'),
  pay: ceilingOf('pay'),
  payment: ceilingOf('payment'),
};

function ceilingOf(endpoint: BenchEndpoint): number {
  return p95BoundOf('onsale', endpoint) ?? Number.POSITIVE_INFINITY;
}

/** Why a step bends; null: it holds. @param first what it is compared with: {@link referenceOf} */
export function bendOf(step: RehearsalStep, first: RehearsalStep): string | null {
  const { due, dropped, arrivals, errors, lost, requests } = step;
  if (dropped > 0) return `${dropped} of ${arrivals + dropped} visits could not begin: those before took too long`;
  if (errors > ERROR_SHARE * requests) return `${errors} of ${requests} requests failed or were refused`;
  if (lost > Math.max(1, LOST_SHARE * arrivals))
    return `${lost} of ${arrivals} visits ended without what they came for`;
  if (arrivals < BEGUN_SHARE * due - BEGUN_SPARE)
    return `only ${arrivals} of ${due} visits began: k6 was too late with the others`;
  for (const endpoint of OF_A_PURCHASE) {
    const measured = step.p95Ms[endpoint];
    const bound = Math.min(
      CEILINGS_MS[endpoint],
      Math.max(LATENCY_FLOOR_MS, LATENCY_FACTOR * (first.p95Ms[endpoint] ?? 0)),
    );
    if (measured !== undefined && measured > bound) {
      return `the p95 of ${endpoint} was ${milliseconds(measured)}, above ${milliseconds(bound)}`;
    }
  }
  return null;
}

/** What the others are compared with: the first step that counts and was no hiccup. Undefined: none counts yet. */
export function referenceOf<Step extends RehearsalStep>(steps: readonly Step[]): Step | undefined {
  const counted = steps.filter(({ part }) => part !== 'warmUp');
  return counted.find((step) => bendOf(step, step) === null) ?? counted[0];
}

/** Of the slowest endpoint, ms; null: nothing was answered. */
export function slowestOf({ p95Ms }: Pick<RehearsalStep, 'p95Ms'>): number | null {
  const known = Object.values(p95Ms);
  return known.length === 0 ? null : Math.max(...known);
}

function milliseconds(value: number): string {
  return `${Math.round(value).toLocaleString('en-US')} ms`;
}
