/**
 * How much each of very many owes, by the generic cell rate algorithm (GCRA, the virtual scheduling algorithm of ITU-T I.371),
 * in a table of fixed size: one time for each, until which what was taken so far is used up.
 *
 * The table is a cache, not a count for everybody: each key falls into one set of four entries, where it is known by a
 * fingerprint of its own. Who owes nothing any more may be forgotten, so that there is room for as many as owe something at a
 * time. When four others are in the set, whoever owes least is forgotten: errors are in favour of those who ask, and somebody
 * with very many keys who wants one of them to be forgotten has to owe more with four others of its set.
 *
 * Taken for somebody else is only who has the set and the 32-bit fingerprint of another key at the same time: among a million
 * keys in 2^18 sets one given key has such a twin with a probability of 10^6 × 2^-50 < 10^-9. Nobody can look for twins: the
 * hash has keys that only this process has.
 */
import { randomBytes } from 'node:crypto';

/** Entries that one key can be in. */
const WAYS = 4;

/** Secret, each 32 bits. */
export type HashKeys = readonly [number, number];

export function newHashKeys(): HashKeys {
  const bytes = randomBytes(8);
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
}

export class GcraTable {
  readonly #fingerprints: Uint32Array;
  /** When what was taken so far is used up, Unix milliseconds. */
  readonly #evenAtMs: Float64Array;
  readonly #setMask: number;
  readonly #keys: HashKeys;

  /** @param entries a power of two; 12 bytes each */
  constructor(entries: number, keys: HashKeys) {
    if (entries < WAYS || (entries & (entries - 1)) !== 0) throw new Error('entries must be a power of two');
    this.#fingerprints = new Uint32Array(entries);
    this.#evenAtMs = new Float64Array(entries);
    this.#setMask = entries / WAYS - 1;
    this.#keys = keys;
  }

  /** Where a key of three words of 32 bits is, or is from now on, owing nothing. Good until the next call. */
  entryOf(first: number, second: number, third: number): number {
    const start = (mixed(this.#keys[0], first, second, third) & this.#setMask) * WAYS;
    // Zero is an entry that was never used.
    const fingerprint = mixed(this.#keys[1], first, second, third) >>> 0 || 1;
    let least = start;
    for (let entry = start; entry < start + WAYS; entry += 1) {
      if (this.#fingerprints[entry] === fingerprint) return entry;
      if ((this.#evenAtMs[entry] ?? 0) < (this.#evenAtMs[least] ?? 0)) least = entry;
    }
    this.#fingerprints[least] = fingerprint;
    this.#evenAtMs[least] = 0;
    return least;
  }

  /** How long it takes until nothing is owed. */
  leftMs(entry: number, nowMs: number): number {
    return Math.max(0, (this.#evenAtMs[entry] ?? 0) - nowMs);
  }

  /** @param evenAtMs when nothing will be owed any more */
  owe(entry: number, evenAtMs: number): void {
    this.#evenAtMs[entry] = evenAtMs;
  }
}

/** The upper half of a whole number below 2^53, as a word of a key. */
export function highWord(number: number): number {
  return (number / 0x1_0000_0000) | 0;
}

/** MurmurHash3 (x86, 32 bits) of three words. */
function mixed(key: number, first: number, second: number, third: number): number {
  let hash = key;
  hash = mixIn(hash, first | 0);
  hash = mixIn(hash, second | 0);
  hash = mixIn(hash, third | 0);
  hash ^= 12;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function mixIn(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const mixedIn = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  return (Math.imul((mixedIn << 13) | (mixedIn >>> 19), 5) + 0xe6546b64) | 0;
}
