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

/** Base64url, which says nothing when it meets other characters. */
const ENCODED = /^[\w-]*$/;

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

  /** A text as short as little was recorded: of each bucket that is not empty how many empty ones are before it, and how much is in it. */
  encode(): string {
    const bytes: number[] = [];
    let next = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const count = this.#counts[bucket] ?? 0;
      if (count === 0) continue;
      pushNumber(bytes, bucket - next);
      pushNumber(bytes, count);
      next = bucket + 1;
    }
    return Buffer.from(bytes).toString('base64url');
  }

  /** Adds what another one has said with `encode`. False for any other text: then nothing is added. */
  addEncoded(text: string): boolean {
    const numbers = ENCODED.test(text) ? readNumbers(Buffer.from(text, 'base64url')) : undefined;
    if (numbers === undefined || !areBuckets(numbers)) return false;
    let next = 0;
    for (let index = 0; index < numbers.length; index += 2) {
      const bucket = next + (numbers[index] ?? 0);
      const count = numbers[index + 1] ?? 0;
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
      this.#count += count;
      next = bucket + 1;
    }
    return true;
  }
}

/** Seven bits a byte, the lowest first; all but the last have the eighth (LEB128). */
function pushNumber(bytes: number[], number: number): void {
  let rest = number;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  bytes.push(rest);
}

/** More are not needed for as many answers as there can be in a second. */
const NUMBER_BYTES = 5;

/** Undefined when the last one is cut off, or one is too long. */
function readNumbers(bytes: Buffer): readonly number[] | undefined {
  const numbers: number[] = [];
  let number = 0;
  let length = 0;
  for (const byte of bytes) {
    number += (byte & 0x7f) * 0x80 ** length;
    length += 1;
    if (byte < 0x80) {
      numbers.push(number);
      number = 0;
      length = 0;
    } else if (length === NUMBER_BYTES) return undefined;
  }
  return length === 0 ? numbers : undefined;
}

/** Pairs of how many empty ones are before it, and how much is in it. */
function areBuckets(numbers: readonly number[]): boolean {
  let next = 0;
  for (let index = 0; index < numbers.length; index += 2) {
    const bucket = next + (numbers[index] ?? 0);
    const count = numbers[index + 1] ?? 0;
    if (bucket >= BUCKETS || count === 0) return false;
    next = bucket + 1;
  }
  return true;
}
