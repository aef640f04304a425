/**
 * What a change of a sale will do, before it is made: how long the line takes, what the last of it waits, what load comes. Pure.
 *
 * Nobody knows how long buyers will take and how many of them come, so each figure is a range: at best the rate alone limits the
 * admission, at worst every place is taken for as long as a buyer may keep it. How long they have taken so far is known by
 * Little's law (buyers inside = buyers a second × seconds that each stays) once some are inside, and makes the best case honest.
 */
import type { AdmissionState } from '@fest/server/contract/operations';
import type { AdmissionMode, Phase } from '@fest/server/contract/words';

export interface Admission {
  readonly mode: AdmissionMode;
  readonly perSecond: number;
  readonly maxActive: number;
}

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** How the sale goes on under given settings. */
export interface Forecast {
  /** Buyers admitted a second, while some wait. */
  readonly admittedPerSecond: Range;
  /** Until the last of those who wait now is admitted, if tickets last; null: the line does not move. */
  readonly drainSeconds: Range | null;
  /** Until the last ticket is held, if everybody buys; null: that does not come, or nobody waits. */
  readonly sellOutSeconds: Range | null;
  /** At most so many a second. */
  readonly holdsPerSecond: number;
  readonly paymentsPerSecond: number;
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
  readonly loadShare: Range | null;
  /** What this plan does not know. */
  readonly unknown: readonly string[];
}

const NOTHING: Range = { low: 0, high: 0 };
const STANDSTILL: Forecast = {
  admittedPerSecond: NOTHING,
  drainSeconds: null,
  sellOutSeconds: null,
  holdsPerSecond: 0,
  paymentsPerSecond: 0,
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

/** Seconds that a buyer who was admitted takes a place, on average so far; undefined before anybody has. */
export function observedStaySeconds({ active, outflowPerSecond }: AdmissionState): number | undefined {
  return active > 0 && outflowPerSecond > 0 ? active / outflowPerSecond : undefined;
}

/** How the line moves in a phase, under an admission. */
export function forecast(state: AdmissionState, phase: Phase, { mode, perSecond, maxActive }: Admission): Forecast {
  const { waiting, available, limitPerBuyer, showRate, ratePerSecond } = state;
  if (phase !== 'open' || available === 0 || perSecond === 0) return STANDSTILL;
  const longestSeconds = state.admissionSeconds + state.holdSeconds;
  const staySeconds = Math.min(longestSeconds, observedStaySeconds(state) ?? 0);
  const high = staySeconds === 0 ? perSecond : Math.min(perSecond, maxActive / staySeconds);
  // In mode `auto` a server that is busy admits more slowly than it may: at worst as slowly as now.
  const healthy = mode === 'auto' ? Math.min(perSecond, ratePerSecond) || 1 : perSecond;
  const low = Math.min(high, healthy, maxActive / longestSeconds);
  const come = high * (showRate ?? 1);
  return {
    admittedPerSecond: { low, high },
    drainSeconds: { low: waiting / high, high: waiting / low },
    sellOutSeconds:
      waiting * limitPerBuyer < available ? null : { low: available / limitPerBuyer / high, high: available / low },
    holdsPerSecond: come,
    paymentsPerSecond: come,
  };
}

type Outcome = Pick<Plan, 'from' | 'to' | 'before' | 'after'> & { readonly mode: AdmissionMode };

function finish(state: AdmissionState, { mode, ...outcome }: Outcome): Plan {
  const { waiting, available, outflowPerSecond } = state;
  const { low, high } = outcome.after.admittedPerSecond;
  const loadShare = outflowPerSecond > 0 ? { low: low / outflowPerSecond, high: high / outflowPerSecond } : null;
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
      ? ['how long buyers take: nobody is inside yet, so the best case is the rate alone']
      : []),
    ...(state.showRate === null
      ? ['how many of the admitted come: the server that was asked does not lead the admission, so all of them count']
      : []),
    ...(mode === 'auto' ? ['how far the health of the servers slows it down: at worst as it does now'] : []),
    'who joins or leaves the line meanwhile, and how many tickets each buyer takes',
  ];
}
