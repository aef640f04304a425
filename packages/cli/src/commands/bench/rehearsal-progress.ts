/** How far a rehearsal is, in words. Pure. */
import { bendOf, type RehearsalStep, referenceOf, type StepPart, slowestOf } from './knee.ts';
import type { RehearsalPlan } from './rehearse-options.ts';

export interface RehearsalProgress {
  readonly steps: readonly RehearsalStep[];
  readonly next: { readonly perSecond: number; readonly part: StepPart };
  readonly plan: Pick<RehearsalPlan, 'steps' | 'minutes'>;
  /** Since the first step began. */
  readonly elapsedMs: number;
}

const PART_WORDS: Readonly<Record<StepPart, string>> = {
  warmUp: 'warming up',
  climb: 'climbing',
  search: 'around the knee',
};

export function describePart(part: StepPart): string {
  return PART_WORDS[part];
}

/** In front of what is being done: `Step 7 of 24 at most, 87/s (around the knee), 4 min left at most.` */
export function describeNext({ steps, next, plan, elapsedMs }: RehearsalProgress): string {
  const left = remainingMs({ steps, plan, elapsedMs });
  const time = left === undefined ? `${plan.minutes} min at most` : `${durationOf(left)} left at most`;
  return `Step ${steps.length + 1} of ${plan.steps} at most, ${next.perSecond}/s (${describePart(next.part)}), ${time}.`;
}

/** The rates so far, each once: `held 20 30 45, bent 68`. */
export function describeTrail(steps: readonly RehearsalStep[]): string {
  const judged = judge(steps);
  const bent = ratesOf(judged.filter(({ bend }) => bend !== null));
  const held = ratesOf(judged).filter((rate) => !bent.includes(rate));
  const parts = [
    ...(held.length === 0 ? [] : [`held ${held.join(' ')}`]),
    ...(bent.length === 0 ? [] : [`bent ${bent.join(' ')}`]),
  ];
  return parts.join(', ');
}

/** The line that stays of a step. */
export function describeDone(steps: readonly RehearsalStep[]): string {
  const step = steps.at(-1);
  if (step === undefined) return '';
  const slowest = slowestOf(step);
  const how = `p95 ${slowest === null ? '–' : `${Math.ceil(slowest)} ms`}, ${step.errors} errors`;
  const name = `Step ${steps.length}, ${describePart(step.part)}: ${step.perSecond} arrivals a second`;
  const [fault] = step.faults;
  if (fault !== undefined) return `${name}: ${fault.message}`;
  if (step.part === 'warmUp') return `${name}, not judged (${how}).`;
  const bend = judge(steps).at(-1)?.bend ?? null;
  return bend === null ? `${name} held (${how}).` : `${name} bent: ${bend}.`;
}

/** With why each of those that are judged did not hold. */
export function judge(steps: readonly RehearsalStep[]): readonly (RehearsalStep & { readonly bend: string | null })[] {
  const first = referenceOf(steps);
  return steps.map((step) => ({
    ...step,
    bend: first === undefined || step.part === 'warmUp' ? null : bendOf(step, first),
  }));
}

/** As long as the steps were until now, each, and no longer than was allowed; undefined: nobody knows. */
export function remainingMs({
  steps,
  plan,
  elapsedMs,
}: Pick<RehearsalProgress, 'steps' | 'plan' | 'elapsedMs'>): number | undefined {
  if (steps.length === 0) return undefined;
  const allowed = Math.max(0, plan.minutes * 60_000 - elapsedMs);
  return Math.min(allowed, ((plan.steps - steps.length) * elapsedMs) / steps.length);
}

function ratesOf(steps: readonly RehearsalStep[]): readonly number[] {
  const rates = steps.filter(({ part }) => part !== 'warmUp').map(({ perSecond }) => perSecond);
  return [...new Set(rates)].toSorted((left, right) => left - right);
}

function durationOf(milliseconds: number): string {
  return milliseconds < 90_000 ? `${Math.ceil(milliseconds / 1_000)} s` : `${Math.ceil(milliseconds / 60_000)} min`;
}
