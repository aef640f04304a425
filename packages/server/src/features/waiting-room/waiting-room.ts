/** Decisions of the waiting room on plain data: whose turn is it, how long will it take, when to ask again. */
import type { Phase, StoredPhase } from '../../contract/words.ts';
import { LIMITS } from '../../limits.ts';
import type { AdmissionStep } from '../../redis/scripts/sale-state.ts';

/** What a process knows of a sale's waiting room; from Redis a few times a second. */
export interface WaitingRoom {
  readonly phase: Phase;
  readonly servingNumber: number;
  readonly expiredThrough: number;
  /** How long an admitted buyer may take to make a hold, milliseconds. */
  readonly admissionMs: number;
  /** Ascending. Steps whose window has passed may be missing. */
  readonly steps: readonly AdmissionStep[];
}

/** The phase of a sale now: what is stored, moved on by its own times. The Lua scripts decide by the same rule. */
export function phaseNow(
  sale: { storedPhase: StoredPhase; opensAtMs: number; closesAtMs: number; available: number },
  nowMs: number,
): Phase {
  if (sale.storedPhase === 'closed' || nowMs >= sale.closesAtMs) return 'closed';
  const phase = sale.storedPhase === 'scheduled' && nowMs >= sale.opensAtMs ? 'open' : sale.storedPhase;
  return phase === 'open' && sale.available <= 0 ? 'soldOut' : phase;
}

/** Over this many milliseconds the outflow is averaged: several ticks, and short enough to follow a change. */
const OUTFLOW_WINDOW_MS = 10_000;

/** By how much the time of the windows is behind, milliseconds. `include/windows.lua` reckons by the same rule. */
export function windowsBehind(
  { windowsStoppedMs, windowsStoppedAtMs }: { windowsStoppedMs: number; windowsStoppedAtMs: number },
  nowMs: number,
): number {
  return windowsStoppedMs + (windowsStoppedAtMs > 0 ? Math.max(0, nowMs - windowsStoppedAtMs) : 0);
}

/**
 * Buyers admitted per second in the ten seconds before a moment, or since the line moves if that is less. One decimal.
 *
 * Of steps that Redis still has and of nothing else, so that a server which has just started says what the others do.
 *
 * @param steps ascending; those up to `expiredThrough`, which Redis has no more, may be missing
 */
export function outflowPerSecond(steps: readonly AdmissionStep[], expiredThrough: number, atMs: number): number {
  const sinceMs = atMs - OUTFLOW_WINDOW_MS;
  let last: AdmissionStep | undefined;
  let first: AdmissionStep | undefined;
  for (let index = steps.length - 1; index >= 0; index -= 1) {
    const step = steps[index];
    if (step === undefined || step.servingNumber <= expiredThrough) break;
    if (step.atMs > atMs) continue;
    last ??= step;
    first = step;
    if (step.atMs <= sinceMs) break;
  }
  if (first === undefined || last === undefined) return 0;
  const seconds = Math.max(1, (atMs - Math.max(first.atMs, sinceMs)) / 1000);
  return Math.round(((last.servingNumber - first.servingNumber) / seconds) * 10) / 10;
}

export type Turn =
  | { readonly kind: 'waiting'; readonly position: number }
  | { readonly kind: 'admitted'; readonly untilMs: number }
  | { readonly kind: 'passed' };

/** Whose turn is it? `passed`: the window closed without a hold. */
export function turnOf(room: WaitingRoom, number: number, nowMs: number): Turn {
  if (number > room.servingNumber) return { kind: 'waiting', position: number - room.servingNumber };
  if (number <= room.expiredThrough) return { kind: 'passed' };
  const step = findStep(room.steps, number);
  // A step that has not arrived here yet is a fresh one.
  const untilMs = (step?.atMs ?? nowMs) + room.admissionMs;
  return untilMs > nowMs ? { kind: 'admitted', untilMs } : { kind: 'passed' };
}

/** When a number was admitted, Unix milliseconds; undefined when its step is not known here. */
export function admittedAtMs(steps: readonly AdmissionStep[], number: number): number | undefined {
  // Numbers below the oldest step may belong to one that has been taken away.
  return number > (steps[0]?.servingNumber ?? Number.POSITIVE_INFINITY) ? findStep(steps, number)?.atMs : undefined;
}

/** The first step at or above the number, by binary search. */
function findStep(steps: readonly AdmissionStep[], number: number): AdmissionStep | undefined {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((steps[middle]?.servingNumber ?? 0) < number) low = middle + 1;
    else high = middle;
  }
  return steps[low];
}

/** The longest intervals are spread by whole steps, so that there are few different ones. */
const SPREAD_STEP_MS = 100;

/**
 * Ask ten times on the way to the front: the interval grows with the distance. Never so seldom that a turn which comes
 * earlier than estimated could pass between two questions; and the many for whom that decides not all in the same moment.
 *
 * @param seconds until the turn, as far as anybody can say; infinite when it will not come
 */
export function pollAfterMs(seconds: number, position: number, room: Pick<WaitingRoom, 'admissionMs'>): number {
  if (seconds === Number.POSITIVE_INFINITY) return LIMITS.pollAfterMsMax;
  const longest = Math.min(LIMITS.pollAfterMsMax, Math.floor(room.admissionMs / 3));
  const wanted = seconds * 100;
  if (wanted < longest) return Math.max(LIMITS.pollAfterMsMin, wanted);
  const steps = Math.floor(longest / LIMITS.pollAfterSpread / SPREAD_STEP_MS);
  return Math.max(LIMITS.pollAfterMsMin, longest - (position % (steps + 1)) * SPREAD_STEP_MS);
}
