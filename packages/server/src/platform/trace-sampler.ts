/**
 * Which requests are traced: a share of all, and those that somebody in front traces already, but never more than
 * `LIMITS.tracesPerSecond`: what a client may ask for must not become a load. Nor may it take the place of the share: anybody can send a
 * `traceparent`, so what is traced for it is at most half.
 */
import { LIMITS } from '../limits.ts';

export interface TraceSamplerOptions {
  /** 0 to 1 */
  readonly share: number;
  /** 0 to 1 */
  readonly random: () => number;
  /** Of a clock that only goes forward. */
  readonly nowMs: () => number;
}

export class TraceSampler {
  readonly #options: TraceSamplerOptions;
  #secondBeganMs = Number.NEGATIVE_INFINITY;
  #taken = 0;
  #takenAsWanted = 0;

  constructor(options: TraceSamplerOptions) {
    this.#options = options;
  }

  /** @param wanted whoever sent it traces it */
  takes(wanted: boolean): boolean {
    const { share, random, nowMs } = this.#options;
    const isOfTheShare = random() < share;
    if (!wanted && !isOfTheShare) return false;
    const now = nowMs();
    if (now - this.#secondBeganMs >= 1_000) {
      this.#secondBeganMs = now;
      this.#taken = 0;
      this.#takenAsWanted = 0;
    }
    if (this.#taken >= LIMITS.tracesPerSecond) return false;
    if (!isOfTheShare) {
      if (this.#takenAsWanted >= LIMITS.tracesPerSecond / 2) return false;
      this.#takenAsWanted += 1;
    }
    this.#taken += 1;
    return true;
  }
}
