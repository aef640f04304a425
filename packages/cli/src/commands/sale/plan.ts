/**
 * What a change of a sale will do, before it is made: how long the line takes, what the last of it waits, what load comes. Pure.
 *
 * Nobody knows how long buyers will take and how many of them come, so each figure is a range: at best the rate alone limits the
 * admission, at worst every place is taken for as long as a buyer may keep it. How long buyers have taken so far is known by
 * Little's law (buyers inside = buyers a second × seconds that each stays) once some are inside: it says what is likely.
 */
import type { AdmissionState } from '@fest/server/contract/operations';
import type { AdmissionMode, Phase } from '@fest/server/contract/words';

export interface Admission {
  readonly mode: AdmissionMode;
  readonly perSecond: number;
  readonly maxActive: number;
}

export interface Estimate {
  readonly low: number;
  /** If buyers go on as they did so far; null while nobody knows. */
  readonly likely: number | null;
  readonly high: number;
}

/** How the sale goes on under given settings. */
export interface Forecast {
  /** Buyers admitted a second, while some wait. */
  readonly admittedPerSecond: Estimate;
  /** Until the last of those who wait now is admitted, if tickets last; null: the line does not move. */
  readonly drainSeconds: Estimate | null;
  /** Until the last ticket is held, if everybody buys; null: that does not come, or nobody waits. */
  readonly sellOutSeconds: Estimate | null;
  /** Of those admitted, so many as come. */
  readonly holdsPerSecond: Estimate;
  /** As many, if all of them pay. */
  readonly paymentsPerSecond: Estimate;
}

export type Settings = Readonly<Record<string, string | number>>;

export interface Plan {
  readonly from: Settings;
  readonly to: Settings;
  readonly waiting: number;
  readonly available: number;
  /** Admitted per second at present, as it was measured. */
  readonly outflowPerSecond: number;
  readonly before: Forecast;
  readonly after: Forecast;
  /** What is admitted then, by what is admitted now; null: nothing is admitted now. */
  readonly loadShare: Estimate | null;
  /** What this plan does not know. */
  readonly unknown: readonly string[];
}

const NOTHING: Estimate = { low: 0, likely: 0, high: 0 };
const STANDSTILL: Forecast = {
  admittedPerSecond: NOTHING,
  drainSeconds: null,
  sellOutSeconds: null,
  holdsPerSecond: NOTHING,
  paymentsPerSecond: NOTHING,
};

/** The admission is set anew. */
export function planAdmission(state: AdmissionState, to: Admission): Plan {
  const from = admissionOf(state);
  return finish(state, {
    from: { ...from },
    to: { ...to },
    before: forecast(state, state.phase, from),
    after: forecast(state, state.phase, to),
    mode: to.mode,
  });
}

/** The phase changes, and the admission stays as it is. */
export function planPhase(state: AdmissionState, to: Phase): Plan {
  const admission = admissionOf(state);
  return finish(state, {
    from: { phase: state.phase },
    to: { phase: to },
    before: forecast(state, state.phase, admission),
    after: forecast(state, to, admission),
    mode: admission.mode,
  });
}

export function admissionOf({ mode, perSecond, maxActive }: AdmissionState): Admission {
  return { mode, perSecond, maxActive };
}

/** Whether what a plan starts from is the same; how many wait may be another thing each time. */
export function isSameStart(a: AdmissionState, b: AdmissionState): boolean {
  return openOf(a.phase) === openOf(b.phase) && isSameAdmission(admissionOf(a), admissionOf(b));
}

export function isSameAdmission(a: Admission, b: Admission): boolean {
  return a.mode === b.mode && a.perSecond === b.perSecond && a.maxActive === b.maxActive;
}

/** Sold out is an open sale with nothing available. */
function openOf(phase: Phase): Phase {
  return phase === 'soldOut' ? 'open' : phase;
}

/** Seconds that a buyer who was admitted takes a place, on average so far; undefined before anybody has. */
export function observedStaySeconds({ active, outflowPerSecond }: AdmissionState): number | undefined {
  return active > 0 && outflowPerSecond > 0 ? active / outflowPerSecond : undefined;
}

/** How the line moves in a phase, under an admission. */
export function forecast(state: AdmissionState, phase: Phase, admission: Admission): Forecast {
  const { waiting, available, limitPerBuyer, showRate } = state;
  if (phase !== 'open' || available === 0 || admission.perSecond === 0) return STANDSTILL;
  const rate = rateOf(state, admission);
  const holds = times(rate, showRate ?? 1);
  return {
    admittedPerSecond: rate,
    drainSeconds: {
      low: waiting / rate.high,
      likely: rate.likely === null ? null : waiting / rate.likely,
      high: waiting / rate.low,
    },
    sellOutSeconds:
      waiting * limitPerBuyer < available
        ? null
        : { low: available / limitPerBuyer / rate.high, likely: null, high: available / rate.low },
    holdsPerSecond: holds,
    paymentsPerSecond: holds,
  };
}

/** Buyers a second. In mode `auto` a server that is busy admits more slowly than it may: at worst as slowly as now. */
function rateOf(state: AdmissionState, { mode, perSecond, maxActive }: Admission): Estimate {
  const longestSeconds = state.admissionSeconds + state.holdSeconds;
  const isAuto = mode === 'auto' && state.ratePerSecond > 0;
  const healthy = isAuto ? Math.min(perSecond, state.ratePerSecond) : perSecond;
  const low = Math.min(healthy, maxActive / longestSeconds);
  const staySeconds = observedStaySeconds(state);
  const likely = staySeconds === undefined ? null : Math.max(low, Math.min(healthy, maxActive / staySeconds));
  return { low, likely, high: perSecond };
}

function times({ low, likely, high }: Estimate, factor: number): Estimate {
  return { low: low * factor, likely: likely === null ? null : likely * factor, high: high * factor };
}

type Outcome = Pick<Plan, 'from' | 'to' | 'before' | 'after'> & { readonly mode: AdmissionMode };

function finish(state: AdmissionState, { mode, ...outcome }: Outcome): Plan {
  const { waiting, available, outflowPerSecond } = state;
  const loadShare = outflowPerSecond > 0 ? times(outcome.after.admittedPerSecond, 1 / outflowPerSecond) : null;
  const moves = outcome.after.drainSeconds !== null;
  return {
    ...outcome,
    waiting,
    available,
    outflowPerSecond,
    loadShare,
    unknown: moves ? unknownOf(state, mode) : [],
  };
}

function unknownOf(state: AdmissionState, mode: AdmissionMode): readonly string[] {
  return [
    ...(observedStaySeconds(state) === undefined
      ? ['how long buyers take: nobody is inside yet, so nothing can be called likely']
      : []),
    ...(state.showRate === null
      ? ['how many of the admitted come: the server that was asked does not lead the admission, so all of them count']
      : []),
    ...(mode === 'auto' ? ['how far the health of the servers slows it down: likely as it does now'] : []),
    'who joins or leaves the line meanwhile, and how many tickets each buyer takes',
  ];
}
