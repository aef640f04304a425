/**
 * How long will it take until somebody's turn? A range, because nobody knows: what it will be at the present outflow, and what
 * nineteen of twenty should not have to wait beyond if the outflow goes on varying as it did.
 *
 * The upper end is a prediction interval. The outflow of the last two minutes is measured in windows of ten seconds: `k` windows,
 * their mean `m` and standard deviation `s` (buyers a second), each `w` long. After `t` seconds `m t` buyers are expected, with the
 * variance `s² w t` of what is to come and `s² t² / k` of the mean itself. The position `p` is passed for certain enough when
 * `m t − q s √(w t + t² / k) ≥ p`, `q` being Student's quantile; that is a quadratic equation in `t` (Fieller's theorem). When it
 * has no solution the outflow varies too much for it, and the operator's limits say the most.
 *
 * Before the opening the same counts from the opening.
 */
import { LIMITS } from '../../limits.ts';
import type { AdmissionStep, SaleSnapshot } from '../../redis/scripts/sale-state.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import { outflowPerSecond, windowsBehind } from './waiting-room.ts';

/** Seconds; null when nothing moves. */
export interface WaitEstimate {
  readonly etaSeconds: number | null;
  /** At least `etaSeconds`. */
  readonly etaSecondsMax: number | null;
}

const NOTHING_MOVES: WaitEstimate = { etaSeconds: null, etaSecondsMax: null };
const HERE: WaitEstimate = { etaSeconds: 0, etaSecondsMax: 0 };

const WINDOW_MS = 10_000;
const WINDOW_SECONDS = WINDOW_MS / 1000;
const WINDOWS_AT_MOST = 12;

/** Steps older than this say nothing more about the outflow. */
export const OUTFLOW_HISTORY_MS = (WINDOWS_AT_MOST + 1) * WINDOW_MS;

/** Student's one-sided 95 % quantiles by degrees of freedom; fewer than three windows say nothing about how they vary. */
const QUANTILES: readonly number[] = [
  Number.NaN,
  Number.NaN,
  2.92,
  2.353,
  2.132,
  2.015,
  1.943,
  1.895,
  1.86,
  1.833,
  1.812,
  1.796,
];

export interface OutflowHistory {
  readonly windows: number;
  /** Buyers a second. */
  readonly mean: number;
  /** Standard deviation of the windows' rates, buyers a second. */
  readonly deviation: number;
}

/** @param steps ascending. Undefined before the line has moved for three windows. */
export function outflowHistory(
  steps: readonly AdmissionStep[],
  servingNumber: number,
  nowMs: number,
): OutflowHistory | undefined {
  const oldestMs = steps[0]?.atMs ?? nowMs;
  const windows = Math.min(WINDOWS_AT_MOST, Math.floor((nowMs - oldestMs) / WINDOW_MS));
  if (windows < 3) return undefined;
  const rates: number[] = [];
  let later = servingNumber;
  let index = steps.length - 1;
  for (let window = 1; window <= windows; window += 1) {
    const beganMs = nowMs - window * WINDOW_MS;
    while (index > 0 && (steps[index]?.atMs ?? 0) > beganMs) index -= 1;
    const earlier = steps[index]?.servingNumber ?? later;
    rates.push((later - earlier) / WINDOW_SECONDS);
    later = earlier;
  }
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / windows;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / (windows - 1);
  return { windows, mean, deviation: Math.sqrt(variance) };
}

/** What estimates for one state of a sale have in common. */
export interface Flow {
  /** Buyers a second, expected; 0 when nothing moves. */
  readonly perSecond: number;
  readonly history: OutflowHistory | undefined;
  /** Always above 0, and until the sale is closed what intervals between polls go by: `perSecond`, or what it was before. */
  readonly pacePerSecond: number;
  /** The operator's rate, or in mode `auto` what the admission controller allows of it. */
  readonly limitPerSecond: number;
  readonly maxActive: number;
  /** Of `maxActive`, not taken. */
  readonly freeSlots: number;
  readonly admissionSeconds: number;
  /** When the line begins to move, Unix milliseconds; 0 when the sale is not waiting for its opening. */
  readonly opensAtMs: number;
  readonly isOver: boolean;
}

/**
 * The outflow of a sale as of the last whole second. Servers look at a sale at moments of their own: by the second, and from what
 * all of them have from Redis, they say the same of the same state.
 */
export function outflowOf({ snapshot, steps, windowsBehindMs }: LiveSale, nowMs: number): number {
  const secondMs = Math.floor(nowMs / 1000) * 1000;
  // Steps are moved by how far the windows were behind when the sale was read, which is not as of that second while they stand still.
  const atMs = secondMs - windowsBehind(snapshot, secondMs) + windowsBehindMs;
  return outflowPerSecond(steps, snapshot.expiredThrough, atMs);
}

export function flowOf(sale: LiveSale): Flow {
  const { phase, snapshot, steps, readAtMs } = sale;
  const { servingNumber, maxActive, pending, inside, available, admissionMs } = snapshot;
  const history = outflowHistory(steps, servingNumber, readAtMs);
  const admissionSeconds = admissionMs / 1000;
  const limitPerSecond = rateLimitOf(snapshot);
  const freeSlots = Math.max(0, maxActive - pending - inside);
  const canMove = (phase === 'open' || phase === 'scheduled') && limitPerSecond > 0;
  const measured = outflowOf(sale, readAtMs) || history?.mean || 0;
  // Nothing was measured yet, and nothing is in the way of the next ones.
  const unmeasured = freeSlots > 0 && available > pending ? limitPerSecond : 0;
  const perSecond = canMove ? measured || unmeasured : 0;
  // Nothing is known and nothing moves: as if everybody inside were there for an admission window.
  const pacePerSecond = perSecond || measured || Math.min(limitPerSecond || maxActive, maxActive / admissionSeconds);
  return {
    perSecond,
    history,
    pacePerSecond,
    limitPerSecond,
    maxActive,
    freeSlots,
    admissionSeconds,
    opensAtMs: phase === 'scheduled' ? snapshot.opensAtMs : 0,
    isOver: phase === 'closed',
  };
}

interface RateLimits extends Pick<SaleSnapshot, 'mode' | 'perSecond'> {
  /** What the admission controller allows at present; 0 or absent before it has decided anything. */
  readonly ratePerSecond?: number;
}

/** In mode `auto` the operator's rate is only the highest: a controller that has not said anything begins with the default. */
function rateLimitOf({ mode, perSecond, ratePerSecond }: RateLimits): number {
  return mode === 'auto' ? Math.min(perSecond, ratePerSecond || LIMITS.perSecondDefault) : perSecond;
}

function secondsToOpening({ opensAtMs }: Flow, nowMs: number): number {
  return Math.max(0, opensAtMs - nowMs) / 1000;
}

export function estimateWait(position: number, flow: Flow, nowMs: number): WaitEstimate {
  if (position === 0) return HERE;
  if (flow.perSecond <= 0) return NOTHING_MOVES;
  const untilItMoves = secondsToOpening(flow, nowMs);
  const etaSeconds = Math.ceil(untilItMoves + position / flow.perSecond);
  const most = untilItMoves + (longestByHistory(position, flow.history) ?? longestByLimits(position, flow));
  return { etaSeconds, etaSecondsMax: Math.max(etaSeconds, Math.ceil(most)) };
}

/**
 * What the interval between polls goes by, whole seconds: the estimate, and when there is none, what it would be if the line
 * moved as it did. People who are told to ask more often when nothing moves would be the load that a pause is to end.
 */
export function secondsToAskWithin(position: number, { etaSeconds }: WaitEstimate, flow: Flow, nowMs: number): number {
  if (flow.isOver) return Number.POSITIVE_INFINITY;
  return etaSeconds ?? Math.ceil(secondsToOpening(flow, nowMs) + position / flow.pacePerSecond);
}

function longestByHistory(position: number, history: OutflowHistory | undefined): number | undefined {
  if (history === undefined) return undefined;
  const { windows, mean, deviation } = history;
  const spread = ((QUANTILES[windows - 1] ?? Number.NaN) * deviation) ** 2;
  const squared = mean ** 2 - spread / windows;
  if (!(squared > 0)) return undefined;
  const linear = 2 * position * mean + spread * WINDOW_SECONDS;
  // linear² − 4 · squared · position², with what cancels out left out: its difference would be rounded below zero for a steady line.
  const discriminant =
    spread * (4 * position * mean * WINDOW_SECONDS + spread * WINDOW_SECONDS ** 2 + (4 * position ** 2) / windows);
  return (linear + Math.sqrt(discriminant)) / (2 * squared);
}

/** The free slots fill at the operator's rate; then each wave of `maxActive` keeps its slots for the whole admission window. */
function longestByLimits(position: number, flow: Flow): number {
  const waves = Math.ceil(Math.max(0, position - flow.freeSlots) / flow.maxActive);
  return position / flow.limitPerSecond + waves * flow.admissionSeconds;
}
