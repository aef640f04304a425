/**
 * How long things took, in buckets that get wider with the value, as those of HDR histograms: 64 for each power of two. Whatever is
 * read from one is within 1/128 (0.8 %: two significant figures) of what was recorded. Histograms of several processes are
 * added bucket by bucket, so quantiles of a whole fleet are as exact as those of one process.
 *
 * Values are whole microseconds; up to 127 each has a bucket of its own.
 */

/** A power of two. */
const BUCKETS_PER_OCTAVE = 64;
const OCTAVE_BITS = 6;
/** Some 67 s: four times what a handler may take. Longer ones count as that. */
export const LONGEST_US = 2 ** 26 - 1;
/** At most, of what was recorded. */
export const RELATIVE_ERROR = 1 / (2 * BUCKETS_PER_OCTAVE);

/** @param us whole, from 0 to `LONGEST_US` */
export function bucketOf(us: number): number {
  const shift = Math.max(0, 31 - OCTAVE_BITS - Math.clz32(us));
  return shift * BUCKETS_PER_OCTAVE + (us >>> shift);
}

/** What stands for everything in a bucket, microseconds. */
export function middleOf(bucket: number): number {
  const shift = Math.max(0, (bucket >>> OCTAVE_BITS) - 1);
  const lowest = (bucket - shift * BUCKETS_PER_OCTAVE) * 2 ** shift;
  return lowest + (2 ** shift - 1) / 2;
}

export const BUCKETS = bucketOf(LONGEST_US) + 1;

/** One bucket of a text: how many empty ones are before it, and how much is in it; both in base 36, and no 1 is said. */
const ENCODED_BUCKET = /^([0-9a-z]{1,3})(?:\.([0-9a-z]{1,7}))?$/;
const BASE = 36;

export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;

  /** Answers that were recorded. */
  get count(): number {
    return this.#count;
  }

  record(seconds: number): void {
    const us = seconds * 1_000_000;
    // Not a number counts as 0.
    const bucket = bucketOf(us >= LONGEST_US ? LONGEST_US : us > 0 ? us | 0 : 0);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
  }

  /** Adds all that another one has recorded. */
  add(other: LatencyHistogram): void {
    if (other.#count === 0) return;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + (other.#counts[bucket] ?? 0);
    }
    this.#count += other.#count;
  }

  /** Microseconds that so many of all took at most; 0 when nothing was recorded. @param share from 0 to 1 */
  quantile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= rank) return middleOf(bucket);
    }
    return 0;
  }

  /** Forgets everything. */
  reset(): void {
    this.#counts.fill(0);
    this.#count = 0;
  }

  /** A text as short as little was recorded. */
  encode(): string {
    const parts: string[] = [];
    let next = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const count = this.#counts[bucket] ?? 0;
      if (count === 0) continue;
      const gap = (bucket - next).toString(BASE);
      parts.push(count === 1 ? gap : `${gap}.${count.toString(BASE)}`);
      next = bucket + 1;
    }
    return parts.join(',');
  }

  /** What `encode` has made; undefined for any other text. */
  static decode(text: string): LatencyHistogram | undefined {
    const decoded = new LatencyHistogram();
    if (text === '') return decoded;
    let next = 0;
    for (const part of text.split(',')) {
      const [, gap, count = '1'] = ENCODED_BUCKET.exec(part) ?? [];
      const bucket = next + (gap === undefined ? BUCKETS : Number.parseInt(gap, BASE));
      if (bucket >= BUCKETS) return undefined;
      decoded.#counts[bucket] = Number.parseInt(count, BASE);
      decoded.#count += Number.parseInt(count, BASE);
      next = bucket + 1;
    }
    return decoded;
  }
}
