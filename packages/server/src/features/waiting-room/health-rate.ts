/**
 * How fast people may be admitted while the server keeps up. Multiplicative decrease as in TCP's congestion avoidance (V.
 * Jacobson, "Congestion avoidance and control", SIGCOMM 1988), with its slow start; multiplicative increase beyond, as in
 * Scalable TCP (T. Kelly, "Scalable TCP: improving performance in highspeed wide area networks", ACM CCR 33, 2003), so that
 * it takes the same time to recover at every rate: additive increase is for flows that share a link fairly (D. Chiu, R.
 * Jain, 1989), and here is one. Only a rate that was used up grows (RFC 7661), and a cut begins at what was really
 * admitted (RFC 5681, 3.1).
 *
 * Unlike a link, a server also carries what no admission brings: polls, joins, logins. Cuts do not help against those. So
 * there are no more of them when two have left the load as it was, and none below a share of what the server kept up with.
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
  /** Up to here the rate doubles every second; above it grows slowly. A little below what was admitted before the last cut. */
  readonly threshold: number;
  /** What was really admitted lately, per second. */
  readonly flow: number;
  /** Over how long that was seen, seconds. */
  readonly flowSeconds: number;
  /** Until the next cut: what the last one did shows late. */
  readonly restMs: number;
  /** The load at the last cut, or when it was last looked whether that was enough; 0 while all is well. */
  readonly lastLoad: number;
  /** How often since the first cut it was seen that the load is as before. */
  readonly vain: number;
  /** The most that was admitted lately while the server was well, per second; fading. */
  readonly healthy: number;
}

export function freshHealthRate(): HealthRateState {
  return {
    rate: LIMITS.perSecondDefault,
    threshold: LIMITS.perSecondMax,
    flow: 0,
    flowSeconds: 0,
    restMs: LIMITS.healthRestMs,
    lastLoad: 0,
    vain: 0,
    healthy: 0,
  };
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

/** In mode `auto`, while the sale is open. */
export function adjustHealthRate(before: HealthRateState, step: HealthStep): HealthRateState {
  const load = loadOf(step.health);
  const state = see(before, step, load);
  if (load >= 1) return overloaded(state, load, step.wasLimit);
  if (load > LIMITS.healthCalm) return state;
  const well = { ...state, lastLoad: 0, vain: 0 };
  if (!step.wasLimit) return well;
  const seconds = secondsOf(step);
  const grown =
    state.rate < state.threshold
      ? Math.min(state.threshold, state.rate * 2 ** seconds)
      : state.rate * (1 + growthPerSecond(state, load)) ** seconds;
  return { ...well, rate: Math.min(grown, Math.max(step.atMost, LIMITS.healthRateMin)) };
}

/**
 * Near what was too much the last time it is felt for, as in CUBIC (RFC 9438): what is admitted now shows seconds later, and
 * until then the rate has grown on. Well beyond, or while the server has hardly anything to do, that limit is out of date.
 */
function growthPerSecond({ rate, threshold }: HealthRateState, load: number): number {
  const known = threshold / LIMITS.healthCutMax;
  const isNear = load > LIMITS.healthIdle && rate < known * LIMITS.healthFeelBeyond;
  return isNear ? LIMITS.healthFeelPerSecond : LIMITS.healthGrowthPerSecond;
}

/** While the operator's rate decides: what the server keeps up with then is where mode `auto` would begin. */
export function watchHealthRate(before: HealthRateState, step: HealthStep): HealthRateState {
  const load = loadOf(step.health);
  const state = see(before, step, load);
  if (load > LIMITS.healthCalm) return state;
  return { ...state, rate: Math.max(state.rate, state.flow), lastLoad: 0, vain: 0 };
}

/** While nobody can be admitted: how busy the server is then says nothing about admissions, and nor does it just afterwards. */
export function restHealthRate(state: HealthRateState): HealthRateState {
  return { ...state, flow: 0, flowSeconds: 0, restMs: LIMITS.healthRestMs, lastLoad: 0, vain: 0 };
}

function secondsOf({ elapsedMs }: HealthStep): number {
  return Math.min(Math.max(0, elapsedMs), LIMITS.admissionElapsedMaxMs) / 1000;
}

function see(state: HealthRateState, step: HealthStep, load: number): HealthRateState {
  const seconds = secondsOf(step);
  if (seconds === 0) return state;
  const flowSeconds = Math.min(state.flowSeconds + seconds, 100 * LIMITS.admissionFlowSeconds);
  // The plain mean at first, then with weights that fade.
  const fading = 1 - Math.exp(-seconds / LIMITS.admissionFlowSeconds);
  const weight = Math.max(fading, seconds / (state.flowSeconds + seconds));
  const flow = state.flow + weight * (step.admitted / seconds - state.flow);
  const restMs = Math.max(0, state.restMs - seconds * 1000);
  if (load > LIMITS.healthCalm) return { ...state, flow, flowSeconds, restMs };
  // What was not tried again fades; what was not needed does not.
  const kept = step.wasLimit ? 0.5 ** (seconds / LIMITS.healthMemorySeconds) : 1;
  return { ...state, flow, flowSeconds, restMs, healthy: Math.max(flow, state.healthy * kept) };
}

/** As it was, as far as can be told: loads vary by themselves. */
const AS_BEFORE = 0.8;

function overloaded(state: HealthRateState, load: number, wasLimit: boolean): HealthRateState {
  if (state.restMs > 0) return state;
  const looked = { ...state, restMs: LIMITS.healthRestMs };
  // What had piled up is being worked off: that goes on without another cut.
  if (load < state.lastLoad * AS_BEFORE) return { ...looked, lastLoad: load, vain: 0 };
  const vain = load * AS_BEFORE <= state.lastLoad ? state.vain + 1 : 0;
  if (vain >= LIMITS.healthCutsInVain) return { ...looked, vain };
  const floor = Math.max(LIMITS.healthRateMin, LIMITS.healthRateFloor * state.healthy);
  // So few were admitted that it cannot be because of them.
  if (state.flow <= floor) return { ...looked, lastLoad: load, vain };
  // What is admitted while something else limits has other reasons: then the rate comes down step by step.
  const used = wasLimit ? Math.min(state.rate, state.flow) : state.rate;
  const cut = Math.max(LIMITS.healthCutMin, Math.min(LIMITS.healthCutMax, 1 / load));
  const rate = Math.max(floor, used * cut);
  return { ...looked, rate, threshold: used * LIMITS.healthCutMax, lastLoad: load, vain };
}
