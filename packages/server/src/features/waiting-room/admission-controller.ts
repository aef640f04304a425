/**
 * How many waiting buyers to admit now. Pure: the ticker brings the facts and moves the serving number.
 * Here with a fixed rate; a controller that also follows show rate and server health fits behind the same function.
 */
import { LIMITS } from '../../limits.ts';

export interface AdmissionFacts {
  /** Since the last decision, milliseconds. */
  readonly elapsedMs: number;
  /** Queue numbers drawn and not admitted. */
  readonly waiting: number;
  /** Admitted buyers whose window is open and who have not held yet. */
  readonly pending: number;
  /** Live holds. */
  readonly inside: number;
  readonly maxActive: number;
  /** Operator's rate, buyers per second. */
  readonly perSecond: number;
  readonly available: number;
  readonly open: boolean;
  /** What the rate allowed but nobody used, buyers (a fraction); from the last decision. */
  readonly allowance: number;
}

export interface AdmissionDecision {
  readonly admit: number;
  /** Goes into the next decision. */
  readonly allowance: number;
}

export function decideAdmission(facts: AdmissionFacts): AdmissionDecision {
  if (!facts.open) return { admit: 0, allowance: 0 };
  // At most one second's worth is saved up: after a pause of the ticker there is no burst beyond the operator's rate.
  const burst = Math.max(1, facts.perSecond);
  const allowance = Math.min(burst, facts.allowance + (facts.perSecond * Math.max(0, facts.elapsedMs)) / 1000);
  const slots = facts.maxActive - facts.pending - facts.inside;
  // Nobody is let in for whom there is no ticket: everyone already admitted may take one.
  const tickets = facts.available - facts.pending;
  const admit = Math.max(0, Math.min(Math.floor(allowance), facts.waiting, slots, tickets, LIMITS.admitPerTick));
  return { admit, allowance: allowance - admit };
}
