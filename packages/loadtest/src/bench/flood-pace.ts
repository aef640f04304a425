/** How many requests of one account the servers may answer in a row; more than that are a hole. Pure. */
import { ABUSE_LIMITS, DEFAULT_RATES } from '@fest/server/limits/abuse';
import { WAITING_ROOM_LIMITS } from '@fest/server/limits/waiting-room';

export interface FloodPace {
  /** At once, after a rest. */
  readonly burst: number;
  readonly perSecond: number;
}

export const JOIN_PACE: FloodPace = {
  burst: Math.ceil(DEFAULT_RATES.joinsPerAccount / ABUSE_LIMITS.paceBurstShare),
  perSecond: DEFAULT_RATES.joinsPerAccount / 60,
};

/** At the shortest interval that is told; at longer ones it is less. */
export const POLL_PACE: FloodPace = {
  burst: WAITING_ROOM_LIMITS.pollPaceBurst,
  perSecond: (WAITING_ROOM_LIMITS.pollPaceFactor * 1_000) / WAITING_ROOM_LIMITS.pollAfterMsMin,
};

/** Enough of them that it shows whether there is a bound, if they come within a few seconds. */
export function floodOf({ burst }: FloodPace): number {
  return Math.ceil(burst * 1.5) + 10;
}

/** The most that may be answered of a flood that took so long: one more for where the clocks are apart. */
export function mostAnswered({ burst, perSecond }: FloodPace, elapsedMs: number): number {
  return Math.floor(burst + (perSecond * elapsedMs) / 1_000) + 1;
}
