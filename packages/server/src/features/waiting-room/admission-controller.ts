/**
 * How many waiting buyers to admit now. Pure: the ticker brings the facts, moves the serving number and keeps the state.
 *
 * The least of these decides, and its name is told:
 * - `nobodyWaits`
 * - `rate`: the operator's `perSecond`
 * - `health`: in mode `auto`, what the server has shown to keep up with
 * - `slots`: at most `maxActive` buyers inside. Who was admitted may not come, so more may be admitted than there are free
 *   slots, as long as hardly ever more come than fit. Should it happen, `take-hold` makes them wait at the door.
 * - `stock`: so many that the tickets left are expected to be taken; when those who were admitted do not come, the next.
 */
import type { AdmissionMode } from '../../contract/words.ts';
import { LIMITS } from '../../limits.ts';
import {
  adjustHealthRate,
  freshHealthRate,
  type HealthFacts,
  type HealthRateState,
  restHealthRate,
  watchHealthRate,
} from './health-rate.ts';
import { type Expectation, expectShows, learnShows, noShowsYet, type ShowState } from './show-model.ts';

export const ADMISSION_LIMITERS = ['closed', 'nobodyWaits', 'rate', 'health', 'slots', 'stock'] as const;
export type AdmissionLimiter = (typeof ADMISSION_LIMITERS)[number];

export interface AdmissionFacts {
  /** Since the last decision, milliseconds. */
  readonly elapsedMs: number;
  /** Of that, how much the admission windows went on: they stand still while nobody could use one. */
  readonly windowElapsedMs: number;
  readonly open: boolean;
  /** Queue numbers drawn and not admitted. */
  readonly waiting: number;
  /** Admitted buyers whose window is open, who have not held yet and were not told that there is no ticket for them. */
  readonly pending: number;
  /** Of them, by the age of their admission; see `AGE_CLASSES`. */
  readonly pendingByAge: readonly number[];
  /** Since the sale's state began: buyers who came, by the age of their admission. */
  readonly showsByAge: readonly number[];
  /** How long an admitted buyer may take to make a hold, milliseconds. */
  readonly admissionMs: number;
  /** Live holds. */
  readonly inside: number;
  /** Tickets in stock. */
  readonly available: number;
  readonly maxActive: number;
  /** The operator's rate, buyers per second; in mode `auto` an upper bound. */
  readonly perSecond: number;
  readonly mode: AdmissionMode;
  readonly health: HealthFacts;
}

export interface AdmissionState {
  /** What the rate allowed but nobody used, buyers (a fraction). */
  readonly allowance: number;
  readonly shows: ShowState;
  readonly healthRate: HealthRateState;
  /** Since somebody was admitted. */
  readonly quietMs: number;
  /** By the last decision. */
  readonly admitted: number;
  readonly limitedBy: AdmissionLimiter;
}

export interface AdmissionDecision {
  readonly admit: number;
  readonly limitedBy: AdmissionLimiter;
  /** Goes into the next decision. */
  readonly state: AdmissionState;
  /** How many of a hundred who are admitted now are expected to come, 0 … 1. */
  readonly showRate: number;
  /** Buyers per second that the rate allows at present. */
  readonly ratePerSecond: number;
  /** Since somebody was admitted, up to this decision. */
  readonly quietMs: number;
}

export function initialAdmission(): AdmissionState {
  return {
    allowance: 0,
    shows: noShowsYet(),
    healthRate: freshHealthRate(),
    quietMs: 0,
    admitted: 0,
    limitedBy: 'closed',
  };
}

export function decideAdmission(facts: AdmissionFacts, before: AdmissionState): AdmissionDecision {
  const shows = learnShows(before.shows, facts);
  const expected = expectShows(shows, facts.pendingByAge, facts.admissionMs);
  const healthRate = nextHealthRate(facts, before);
  const ratePerSecond = facts.mode === 'auto' ? Math.min(facts.perSecond, healthRate.rate) : facts.perSecond;
  const allowance = allowanceOf(facts, before.allowance, ratePerSecond);
  const quietMs = before.quietMs + Math.max(0, facts.elapsedMs);
  const rateLimiter = ratePerSecond < facts.perSecond ? 'health' : 'rate';
  const bounds: readonly (readonly [AdmissionLimiter, number])[] = facts.open
    ? [
        ['nobodyWaits', facts.waiting],
        ['stock', stockBound(facts, expected, quietMs)],
        ['slots', slotBound(facts, expected, quietMs)],
        [rateLimiter, Math.min(Math.floor(allowance), LIMITS.admitPerTick)],
      ]
    : [['closed', 0]];
  const [limitedBy, bound] = bounds.reduce((least, next) => (next[1] < least[1] ? next : least));
  const admit = Math.max(0, bound);
  return {
    admit,
    limitedBy,
    showRate: expected.showRate,
    ratePerSecond,
    quietMs,
    state: {
      allowance: allowance - admit,
      shows,
      healthRate,
      quietMs: admit > 0 ? 0 : quietMs,
      admitted: admit,
      limitedBy,
    },
  };
}

/** An advance that was refused, or fewer people were there than it was decided to admit: the state for those who were. */
export function giveBack({ admit, quietMs, state }: AdmissionDecision, admitted: number): AdmissionState {
  const allowance = state.allowance + admit - admitted;
  return { ...state, allowance, admitted, quietMs: admitted > 0 ? 0 : quietMs };
}

function nextHealthRate(facts: AdmissionFacts, { healthRate, admitted, limitedBy }: AdmissionState): HealthRateState {
  if (!facts.open || limitedBy === 'closed') return restHealthRate(healthRate);
  const { elapsedMs, health, perSecond: atMost } = facts;
  const step = { elapsedMs, health, admitted, wasLimit: limitedBy === 'health', atMost };
  return facts.mode === 'auto' ? adjustHealthRate(healthRate, step) : watchHealthRate(healthRate, step);
}

/** At most one second's worth is saved up: after a pause of the ticker there is no burst beyond the rate. */
function allowanceOf(facts: AdmissionFacts, saved: number, perSecond: number): number {
  if (!facts.open) return 0;
  const burst = Math.max(1, perSecond);
  return Math.min(burst, saved + (perSecond * Math.max(0, facts.elapsedMs)) / 1000);
}

/**
 * So many that those who come take what is left, in nineteen cases of twenty: a ticket that lies idle is worse than
 * somebody who was let in for none. One ticket each: who takes more ends it sooner. And whatever is expected, what is left
 * is offered to somebody new now and then.
 */
function stockBound(facts: AdmissionFacts, expected: Expectation, quietMs: number): number {
  const { available, pending } = facts;
  if (available <= 0) return 0;
  const atMost = LIMITS.overbookingMax * available - freshOf(facts);
  const enough = fewestThat((newcomers) => fewestLikely(expected, newcomers) >= available, Math.max(0, atMost));
  return Math.max(available - pending, enough, quietMs >= LIMITS.quietAdmissionMs ? 1 : 0);
}

/**
 * So many that more than `maxActive` come in one case in twenty at most, and in far fewer because people also leave in the
 * meantime; or as many as fit if everybody came. While there is room that is not expected to be taken, somebody is admitted now
 * and then: that is also how it is learned that they come.
 */
function slotBound(facts: AdmissionFacts, expected: Expectation, quietMs: number): number {
  const { maxActive, inside, pending } = facts;
  const free = maxActive - inside;
  if (free <= 0) return 0;
  const atMost = Math.max(0, LIMITS.overbookingMax * free - freshOf(facts));
  const tooMany = fewestThat((newcomers) => mostLikely(expected, newcomers) > free, atMost + 1);
  const hasRoom = hasRoomFor(expected, free, facts);
  return Math.max(free - pending, tooMany - 1, hasRoom && quietMs >= LIMITS.quietAdmissionMs ? 1 : 0);
}

/** By simulated sales of one place, which stood empty for 3.8 s with 1, 3.0 s with 1.5, 1.6 s with 2 and 1.4 s with 3. */
const EXPECTED_PER_PLACE = 2;

/**
 * A fifth of what is free is not expected to be taken, by one more either. The last place is only filled by two when one of those
 * who are late comes as well, which happens in one case in twenty at most. While more places are free than taken, what is expected
 * may be wrong (it takes seconds to learn that people do not come): then one more is no risk worth an empty place, until two are
 * expected for each. Not right after the windows stood still, as while people stand at the door: who was admitted in the second
 * before has had no time to come, however long nobody was admitted.
 */
function hasRoomFor({ mean, showRate }: Expectation, free: number, { inside, pendingByAge }: AdmissionFacts): boolean {
  if (inside < free && pendingByAge[0] === 0) return mean <= EXPECTED_PER_PLACE * free;
  return mean + showRate <= 0.8 * free || (free === 1 && mean * showRate <= 0.05);
}

/** Classes of the admissions that are younger than 4 s. */
const FRESH_CLASSES = 3;

/** Overbooking is bounded by these, however wrong the expectation is; older ones would keep others out for a whole window. */
function freshOf({ pendingByAge }: AdmissionFacts): number {
  return pendingByAge.slice(0, FRESH_CLASSES).reduce((sum, people) => sum + people, 0);
}

/** The least number that is enough, where more are enough as well; `atMost` if that is not. By halving. */
function fewestThat(isEnough: (people: number) => boolean, atMost: number): number {
  // A few newcomers can bring less certainty than none; from there on it only grows.
  if (isEnough(0)) return 0;
  let [tooFew, enough] = [0, atMost];
  while (enough - tooFew > 1) {
    const middle = (tooFew + enough) >>> 1;
    if (isEnough(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}

/** Standard deviations that one in twenty is off by, on either side. */
const CAREFUL = 1.64;

function varianceOf({ variance, doubt, showRate }: Expectation, newcomers: number): number {
  const toss = variance + newcomers * showRate * (1 - showRate);
  return toss + doubt.own + 2 * newcomers * doubt.shared + newcomers ** 2 * doubt.newcomer;
}

/**
 * How many may come: the 95 % quantile of the sum of many unlike coin tosses, by the expansion of E. Cornish and R. Fisher
 * ("Moments and cumulants in the specification of distributions", Revue de l'Institut International de Statistique 5,
 * 1938), whose skewness term is bounded by that of rare events.
 */
function mostLikely(expected: Expectation, newcomers: number): number {
  const variance = varianceOf(expected, newcomers);
  const skewness = Math.min(1, variance) * ((CAREFUL ** 2 - 1) / 6);
  // People are whole: half a person less is still as many.
  return expected.mean + newcomers * expected.showRate + CAREFUL * Math.sqrt(variance) + skewness - 0.5;
}

/** The 5 % quantile, likewise. */
function fewestLikely(expected: Expectation, newcomers: number): number {
  const sum = expected.mean + newcomers * expected.showRate;
  return sum - CAREFUL * Math.sqrt(varianceOf(expected, newcomers)) + 0.5;
}
