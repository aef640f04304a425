/**
 * How many of those who were admitted will come and make a hold? Learned from what is seen of a sale, so that people who do
 * not come can be made up for by admitting more.
 *
 * Most who come do so within seconds; who has not come after a minute hardly ever does. So it is not one share but a rate
 * of coming for each age of an admission, constant within an age class: the piecewise exponential model of survival
 * analysis (M. Friedman, "Piecewise exponential models for survival data with covariates", Annals of Statistics 10, 1982).
 * Its rate in a class is simply holds ÷ person-seconds, to which a gamma prior adds a few made-up persons; older
 * observations fade.
 */
import { LIMITS } from '../../limits.ts';

/** Bounds of the age classes: under 1 s, under 2 s, 4 s, 8 s …; the last is open. As `lua/include/ages.lua` has them. */
export const AGE_CLASSES = 12;

/**
 * What is believed before anything was seen, for each class: how much coming there is (rate × width), and how many persons
 * who were seen through the whole class that belief is worth. Nine in ten come, most of them within eight seconds; of the
 * early classes that is not sure at all, and that hardly anybody comes late is known from all sales.
 */
const PRIOR_RISK: readonly number[] = [0.5, 0.5, 0.5, 0.5, 0.25, 0.05, 0.02, 0.01, 0.005, 0.005, 0.005, 0.005];
const PRIOR_PERSONS: readonly number[] = [2, 2, 2, 2, 4, 20, 50, 100, 200, 200, 200, 200];

export interface ShowState {
  /** Person-seconds seen in each class. */
  readonly personSeconds: readonly number[];
  /** People who came, by the class they came in; fading. */
  readonly shows: readonly number[];
  /** The counters of Redis as they were last time. */
  readonly counted: readonly number[];
}

export interface ShowFacts {
  /** Since the last time, in the time of the windows: while they stand still nobody can come, and nobody gets older. */
  readonly windowElapsedMs: number;
  readonly admissionMs: number;
  /** Pending buyers, by the age class of their admission. */
  readonly pendingByAge: readonly number[];
  /** How many came since the sale's state began, by age class. */
  readonly showsByAge: readonly number[];
}

/** What is expected of those who are pending, and of newcomers. All numbers are people. */
export interface Expectation {
  /** How many of the pending come. */
  readonly mean: number;
  /** Of chance: each comes or not. */
  readonly variance: number;
  /**
   * Of not knowing the rates, which are wrong for everybody alike: its variance with n newcomers is
   * `own` + 2 n `shared` + n² `newcomer`.
   */
  readonly doubt: { readonly own: number; readonly shared: number; readonly newcomer: number };
  /** Probability that one who is admitted now comes. */
  readonly showRate: number;
}

const zeros = (): readonly number[] => Array.from({ length: AGE_CLASSES }, () => 0);

export function noShowsYet(): ShowState {
  return { personSeconds: zeros(), shows: zeros(), counted: zeros() };
}

/** Takes in what has happened since the last time. Counters that went back are of another state: they count anew. */
export function learnShows(state: ShowState, facts: ShowFacts): ShowState {
  const seconds = Math.min(Math.max(0, facts.windowElapsedMs), LIMITS.admissionElapsedMaxMs) / 1000;
  const halfLifeMs = Math.max(LIMITS.showHalfLifeMinMs, 2 * facts.admissionMs);
  const kept = 0.5 ** ((seconds * 1000) / halfLifeMs);
  const isNew = facts.showsByAge.some((count, index) => count < (state.counted[index] ?? 0));
  const came = facts.showsByAge.map((count, index) => (isNew ? 0 : count - (state.counted[index] ?? 0)));
  return {
    personSeconds: state.personSeconds.map((sum, index) => sum * kept + (facts.pendingByAge[index] ?? 0) * seconds),
    shows: state.shows.map((sum, index) => sum * kept + (came[index] ?? 0)),
    counted: facts.showsByAge,
  };
}

/** Seconds of a class that lie within the window. */
function widthSeconds(ageClass: number, admissionMs: number): number {
  const from = ageClass === 0 ? 0 : 2 ** (ageClass - 1);
  const to = ageClass === AGE_CLASSES - 1 ? Number.POSITIVE_INFINITY : 2 ** ageClass;
  return Math.max(0, Math.min(to, admissionMs / 1000) - from);
}

interface Risk {
  /** Rate × width: how much coming there is in a class. */
  readonly mean: number;
  readonly variance: number;
}

/** @param atMost what the class before has shown */
function riskOf(state: ShowState, ageClass: number, admissionMs: number, atMost: number): Risk {
  const width = widthSeconds(ageClass, admissionMs);
  if (width === 0) return { mean: 0, variance: 0 };
  const persons = PRIOR_PERSONS[ageClass] ?? 0;
  const shows = (state.shows[ageClass] ?? 0) + persons * Math.min(atMost, PRIOR_RISK[ageClass] ?? 0);
  const exposure = (state.personSeconds[ageClass] ?? 0) + persons * width;
  return { mean: (shows / exposure) * width, variance: shows * (width / exposure) ** 2 };
}

/**
 * Of late classes it is believed, until they are seen, that not more come than in the class before: each is twice as long, and
 * a window of an hour holds thousands who never come, of whom one in two hundred would be many.
 */
const LATE_CLASS = 5;

function risksOf(state: ShowState, admissionMs: number): readonly Risk[] {
  const risks: Risk[] = [];
  for (const ageClass of PRIOR_RISK.keys()) {
    const before = risks[ageClass - 1]?.mean ?? 0;
    risks.push(riskOf(state, ageClass, admissionMs, ageClass > LATE_CLASS ? before : Number.POSITIVE_INFINITY));
  }
  return risks;
}

/** Who is in a class has, on average, half of it behind. */
export function expectShows(state: ShowState, pendingByAge: readonly number[], admissionMs: number): Expectation {
  const risks = risksOf(state, admissionMs);
  const total = risks.reduce((sum, { mean }) => sum + mean, 0);
  const newcomerStays = Math.exp(-total);
  let [mean, variance, own, shared, newcomer] = [0, 0, 0, 0, 0];
  let [later, exposed] = [total, 0];
  for (const [ageClass, risk] of risks.entries()) {
    const people = pendingByAge[ageClass] ?? 0;
    const stays = Math.exp(-(later - risk.mean / 2));
    mean += people * (1 - stays);
    variance += people * stays * (1 - stays);
    // How much the sum changes with the rate of this class: by those who are still to go through it.
    const exposedHere = exposed + (people * stays) / 2;
    own += risk.variance * exposedHere ** 2;
    shared += risk.variance * exposedHere * newcomerStays;
    newcomer += risk.variance * newcomerStays ** 2;
    exposed += people * stays;
    later -= risk.mean;
  }
  return { mean, variance, doubt: { own, shared, newcomer }, showRate: 1 - newcomerStays };
}
