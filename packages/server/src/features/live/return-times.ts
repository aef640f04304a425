/** When those who found no room may ask again: the more of them there are, the later. */

/** See `LIMITS.live…`. */
export interface ReturnPace {
  readonly fullRetryMs: number;
  readonly fullRetryMaxMs: number;
  readonly returnsPerSecond: number;
}

/** Refusals count for this long, less and less. */
const MEMORY_MS = 1_000;

export class ReturnTimes {
  readonly #pace: ReturnPace;
  #perSecond = 0;
  #atMs = 0;

  constructor(pace: ReturnPace) {
    this.#pace = pace;
  }

  /** Somebody is refused. @param nowMs never goes back */
  note(nowMs: number): void {
    this.#perSecond = this.#rate(nowMs) + 1000 / MEMORY_MS;
    this.#atMs = nowMs;
  }

  /**
   * How long they should wait at least, milliseconds; at most twice as long, by chance. Those of one second then come back over so
   * many seconds that there are `returnsPerSecond` of them in each.
   */
  leastMs(nowMs: number): number {
    const { fullRetryMs, fullRetryMaxMs, returnsPerSecond } = this.#pace;
    const spreadMs = Math.round((1000 * this.#rate(nowMs)) / returnsPerSecond);
    return Math.min(Math.max(spreadMs, fullRetryMs), fullRetryMaxMs);
  }

  #rate(nowMs: number): number {
    return this.#perSecond * Math.exp((this.#atMs - nowMs) / MEMORY_MS);
  }
}
