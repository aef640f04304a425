/** Refusals made once for each time to wait: one of them costs no more than an answer. */
import { ProblemError } from './problem.ts';

/** Different times to wait for which a refusal is kept. */
const KEPT_MAX = 3_000;

/** @param stepMs times to wait are rounded up to this, so that there are few different ones */
export function createRateLimited(detail: string, stepMs = 1): (waitMs: number) => ProblemError {
  const known = new Map<number, ProblemError>();
  return (waitMs) => {
    const retryAfterMs = Math.ceil(waitMs / stepMs) * stepMs;
    let problem = known.get(retryAfterMs);
    if (problem === undefined) {
      problem = new ProblemError('rate_limited', detail, { retryAfterMs });
      if (known.size >= KEPT_MAX) known.clear();
      known.set(retryAfterMs, problem);
    }
    return problem;
  };
}
