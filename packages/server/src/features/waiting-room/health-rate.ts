/**
 * How fast people may be admitted while the server keeps up. Multiplicative decrease as in TCP's congestion avoidance (V.
 * Jacobson, "Congestion avoidance and control", SIGCOMM 1988), with its slow start; multiplicative increase beyond, as in
 * Scalable TCP (T. Kelly, "Scalable TCP: improving performance in highspeed wide area networks", ACM CCR 33, 2003), so that
 * it takes the same time to recover at every rate: additive increase is for flows that share a link fairly (D. Chiu, R.
 * Jain, 1989), and here is one. Only a rate that was used up grows (RFC 7661), and a cut begins at what was really
 * admitted (RFC 5681, 3.1).
 */
import { LIMITS } from '../../limits.ts';

/** How a server process is, over the last second or so. */
export interface HealthFacts {
  /** Share of its time that the event loop was busy, 0 … 1. */
  readonly eventLoopUtilization: number;
  /** Of the answers to those who hold and pay, milliseconds. */
  readonly requestP99Ms: number;
  /** Of the whole process in units of one processor: 1 is one processor all the time. */
  readonly cpu: number;
}

export interface HealthRateState {
  /** Admissions per second. */
  readonly rate: number;
  /** Up to here the rate doubles every second; above it grows slowly. Where the last cut ended. */
  readonly threshold: number;
  /** What was really admitted lately, per second. */
  readonly flow: number;
  /** Until the next cut: what the last one did shows late. */
  readonly restMs: number;
  /** The load at the last cut, or when it was last looked whether that was enough; 0 while all is well. */
  readonly lastLoad: number;
}

export function freshHealthRate(): HealthRateState {
  return { rate: LIMITS.perSecondDefault, threshold: LIMITS.perSecondMax, flow: 0, restMs: 0, lastLoad: 0 };
}

/** 1: exactly as busy as it should be at most. The busiest resource decides. */
export function loadOf({ eventLoopUtilization, requestP99Ms, cpu }: HealthFacts): number {
  return Math.max(
    eventLoopUtilization / LIMITS.healthyEventLoopUtilization,
    requestP99Ms / LIMITS.healthyRequestP99Ms,
    cpu / LIMITS.healthyCpu,
  );
}

export interface HealthStep {
  readonly elapsedMs: number;
  readonly health: HealthFacts;
  /** Admitted since the last step. */
  readonly admitted: number;
  /** Whether the rate was what limited the admissions. */
  readonly wasLimit: boolean;
  /** The rate never gets above it. */
  readonly atMost: number;
}

export function adjustHealthRate(state: HealthRateState, step: HealthStep): HealthRateState {
  const seconds = Math.min(Math.max(0, step.elapsedMs), LIMITS.admissionElapsedMaxMs) / 1000;
  const load = loadOf(step.health);
  const weight = 1 - Math.exp(-seconds / LIMITS.admissionFlowSeconds);
  const flow = seconds === 0 ? state.flow : state.flow + weight * (step.admitted / seconds - state.flow);
  const restMs = Math.max(0, state.restMs - seconds * 1000);
  if (load >= 1) return overloaded({ ...state, flow, restMs }, load);
  if (load > LIMITS.healthCalm || !step.wasLimit) return { ...state, flow, restMs, lastLoad: 0 };
  const grown =
    state.rate < state.threshold
      ? Math.min(state.threshold, state.rate * 2 ** seconds)
      : state.rate * (1 + LIMITS.healthGrowthPerSecond) ** seconds;
  const rate = Math.min(grown, Math.max(step.atMost, LIMITS.healthRateMin));
  return { ...state, rate, flow, restMs, lastLoad: 0 };
}

function overloaded(state: HealthRateState, load: number): HealthRateState {
  if (state.restMs > 0) return state;
  // What had piled up is being worked off: that goes on without another cut.
  if (load < state.lastLoad * LIMITS.healthCalm) return { ...state, restMs: LIMITS.healthRestMs, lastLoad: load };
  const used = Math.min(state.rate, Math.max(state.flow, LIMITS.healthRateMin));
  const cut = Math.max(LIMITS.healthCutMin, Math.min(LIMITS.healthCutMax, 1 / load));
  const rate = Math.max(LIMITS.healthRateMin, used * cut);
  return { ...state, rate, threshold: rate, restMs: LIMITS.healthRestMs, lastLoad: load };
}
