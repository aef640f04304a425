/** A step of a rehearsal that held, for tests, to be changed. */
import type { RehearsalStep } from '../commands/bench/knee.ts';

export function rehearsalStep(perSecond: number, change: Partial<RehearsalStep> = {}): RehearsalStep {
  return {
    perSecond,
    part: 'climb',
    due: 1_000,
    arrivals: 1_000,
    dropped: 0,
    lost: 0,
    requests: 8_000,
    errors: 0,
    purchases: 600,
    p95Ms: { join: 12, poll: 8, hold: 20, pay: 15, payment: 9 },
    orderMs: 1_500,
    active: perSecond * 2,
    faults: [],
    starved: null,
    ...change,
  };
}
