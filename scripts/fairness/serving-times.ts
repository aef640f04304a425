/** When a number was served, as far as looking at Redis now and then can tell. */
import type { Sample } from './record.ts';

export class ServingTimes {
  readonly #samples: readonly Sample[];

  /** @param samples in the order of time, the serving number never less than before */
  constructor(samples: readonly Sample[]) {
    this.#samples = samples;
  }

  /** The most it can have been when an answer came: a look that began later has seen at least that. Undefined: nobody looked since. */
  mostAt(atMs: number): number | undefined {
    return this.#firstOf((sample) => sample.askedAt >= atMs)?.serving;
  }

  /** By then it was served at the latest; undefined: never, as far as is known. */
  servedBy(number: number): number | undefined {
    return this.#firstOf((sample) => sample.serving >= number)?.answeredAt;
  }

  /** Before that it was not served. */
  notServedBefore(number: number): number {
    const first = this.#indexOf((sample) => sample.serving >= number);
    return this.#samples[first - 1]?.askedAt ?? Number.NEGATIVE_INFINITY;
  }

  /** For how long at most windows have stood still between two moments. */
  stoppedBetween(fromMs: number, untilMs: number): number {
    const before = this.#samples[this.#indexOf((sample) => sample.answeredAt >= fromMs) - 1]?.stoppedMs ?? 0;
    const after = this.#firstOf((sample) => sample.askedAt >= untilMs) ?? this.#samples.at(-1);
    return Math.max(0, (after?.stoppedMs ?? 0) - before);
  }

  /** How many were let in at once: the steps in which the serving number was seen to move, which are ticks or several of them. */
  get steps(): readonly number[] {
    return this.#samples.flatMap((sample, index) => {
      const moved = sample.serving - (this.#samples[index - 1]?.serving ?? sample.serving);
      return moved > 0 ? [moved] : [];
    });
  }

  /** How many were let in within any such time, at most. */
  mostWithin(ms: number): number {
    let most = 0;
    let from = 0;
    for (const sample of this.#samples) {
      while (sample.answeredAt - (this.#samples[from]?.askedAt ?? 0) > ms) from += 1;
      most = Math.max(most, sample.serving - (this.#samples[from]?.serving ?? sample.serving));
    }
    return most;
  }

  #firstOf(holds: (sample: Sample) => boolean): Sample | undefined {
    return this.#samples[this.#indexOf(holds)];
  }

  /** Binary search: what is asked for holds from some sample on. */
  #indexOf(holds: (sample: Sample) => boolean): number {
    let [low, high] = [0, this.#samples.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const sample = this.#samples[middle];
      if (sample !== undefined && holds(sample)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
