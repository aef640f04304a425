/** A reading that costs something and that anybody may ask for, as often as they like. */

/** What a reading may take of the time, at most one part in so many. */
const TIME_SHARE = 20;

/**
 * However many ask, it is read once at a time, and what was read is told for a while: a reading that takes long, for longer.
 *
 * @param read one that fails is not kept
 * @param forMs from when it was read, milliseconds; 0 shares only a reading that is under way
 * @param tookMs how much of its time the reading worked, and did not only wait
 */
export function shareReading<Value>(
  read: () => Promise<Value>,
  forMs: number,
  tookMs: (value: Value) => number = () => 0,
): () => Promise<Value> {
  let shared: Promise<Value> | undefined;
  let untilMs = Number.POSITIVE_INFINITY;
  return () => {
    if (shared !== undefined && performance.now() < untilMs) return shared;
    untilMs = Number.POSITIVE_INFINITY;
    shared = read();
    shared.then(
      (value) => {
        untilMs = forMs === 0 ? 0 : performance.now() + Math.max(forMs, TIME_SHARE * tookMs(value));
      },
      () => {
        untilMs = 0;
      },
    );
    return shared;
  };
}
