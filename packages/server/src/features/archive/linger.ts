/**
 * How long a batch waits for more records. A short window at first; while records come fast, another one and another, because a
 * batch costs MySQL the same ten statements whatever it holds. Pure.
 */
import { LIMITS } from '../../limits.ts';

export interface LingerWindow {
  /** When the batch began to wait, milliseconds of a clock that never goes back; so is the next one. */
  readonly beganAtMs: number;
  readonly untilMs: number;
  /** Records of the batch when this window began. */
  readonly recordsBefore: number;
}

export function firstWindow(nowMs: number): LingerWindow {
  return { beganAtMs: nowMs, untilMs: nowMs + LIMITS.applierLingerMs, recordsBefore: 0 };
}

/**
 * The window after one that is over; undefined when the batch is to go now. So the last records of a burst, and single ones, wait
 * for one short window, and none waits longer than {@link LIMITS.applierLingerMaxMs}.
 * @param records in the batch now
 */
export function nextWindow(window: LingerWindow, nowMs: number, records: number): LingerWindow | undefined {
  const lastMs = window.beganAtMs + LIMITS.applierLingerMaxMs;
  if (records - window.recordsBefore < LIMITS.applierBusyRecords || nowMs >= lastMs) return undefined;
  return { ...window, untilMs: Math.min(nowMs + LIMITS.applierLingerMs, lastMs), recordsBefore: records };
}
