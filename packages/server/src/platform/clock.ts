/** Time comes in as an argument everywhere; this is where it comes from. */
export interface Clock {
  /** Unix milliseconds, whole. */
  nowMs(): number;
}

/**
 * Wall-clock time that does not jump: read once at start, then carried on by the monotonic clock. A step of the system
 * clock (an operator, a leap, a bad time server) therefore expires no holds and moves no queue; slow corrections are
 * followed, because the monotonic clock is slewed along with the wall clock.
 *
 * Servers of one fleet start from the median of three clocks (`clock-sources.ts`), so that they agree also when one
 * machine's clock is wrong.
 */
export function createSteadyClock(startMs: number = Date.now()): Clock {
  const offsetMs = startMs - performance.now();
  return { nowMs: () => Math.floor(offsetMs + performance.now()) };
}

/** This machine's wall clock, which somebody may set: only to be compared with others. */
export const SYSTEM_CLOCK: Clock = { nowMs: () => Date.now() };
