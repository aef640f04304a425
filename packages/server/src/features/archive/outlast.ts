/** For work on MySQL that somebody waits for: a short outage is waited out, a long one is told. */
import { LIMITS } from '../../limits.ts';
import { isStoreFailure } from '../../platform/problem-details.ts';
import { retry } from '../../platform/retry.ts';

/** MySQL may be away for this long: a restart or a failover takes less. */
const OUTAGE_MS = 60_000;

/** Says of each error whether it is worth waiting, since the first of an outage. */
export function outageWatch(outageMs: number = OUTAGE_MS): (error: unknown) => boolean {
  let beganMs: number | undefined;
  return (error) => {
    beganMs ??= performance.now();
    return isStoreFailure(error) && performance.now() - beganMs < outageMs;
  };
}

/**
 * Runs idempotent work until it succeeds. @throws its error, when MySQL refuses the work or stays away, or when the signal
 * ends the waiting
 */
export function outlast<Result>(work: () => Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  return retry(work, {
    firstMs: LIMITS.applierRetryFirstMs,
    maxMs: LIMITS.applierRetryMaxMs,
    isTransient: outageWatch(),
    ...(signal === undefined ? {} : { signal }),
  });
}
