/**
 * What the Lua scripts do around the admission controller, in its simplest form, and how it was once: the simulation has to notice
 * the difference.
 */
import { LIMITS } from '@fest/server/limits';

export interface Rules {
  /** What a tick moves the serving number on by (`advance-serving`). */
  readonly advanceBy: 'people' | 'numbers';
  /** Whether one who gives a hold back and holds again is counted each time (`release-hold`). */
  readonly releaseCounts: boolean;
  /** What is told of steps beyond those that are looked at (`tick`). */
  readonly oldSteps: 'sampled' | 'asOldest';
}

export const RULES: Rules = { advanceBy: 'people', releaseCounts: false, oldSteps: 'sampled' };

export interface Step {
  /** In the time of the windows, ticks. */
  readonly atTick: number;
  remaining: number;
}

/** `pending` by step as a tick sees it: the newest steps, and some of the others for all of them. */
export function lookAtSteps(
  steps: readonly Step[],
  pending: number,
  oldSteps: Rules['oldSteps'],
): readonly (readonly [atTick: number, people: number])[] {
  const beyond = Math.max(0, steps.length - LIMITS.agedStepsPerTick);
  const young = steps.slice(beyond).map(({ atTick, remaining }) => [atTick, remaining] as const);
  const older = pending - young.reduce((sum, [, people]) => sum + people, 0);
  if (beyond === 0 || older === 0) return young;
  const oldestSeen = young[0]?.[0] ?? 0;
  if (oldSteps === 'asOldest') return [[oldestSeen, older], ...young];
  const size = Math.min(beyond, LIMITS.sampledStepsPerTick);
  const sample = Array.from({ length: size }, (_, index) => steps[Math.floor(((index + 0.5) * beyond) / size)]);
  const seen = sample.reduce((sum, step) => sum + (step?.remaining ?? 0), 0);
  if (seen === 0) return [[sample[0]?.atTick ?? oldestSeen, older], ...young];
  const shares = sample.map((step) => [step?.atTick ?? 0, ((step?.remaining ?? 0) * older) / seen] as const);
  return [...shares, ...young];
}
