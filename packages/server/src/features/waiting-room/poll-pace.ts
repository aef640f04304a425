/**
 * Who asks much more often than told is refused: for each buyer of a sale a GCRA (the virtual scheduling algorithm of ITU-T
 * I.371) in a table of fixed size, without a Redis command and without memory for each waiter.
 *
 * The table is a cache, not a count for everybody: each buyer falls into one set of four entries, and is known there by a
 * fingerprint of its own. Who asks as told has used up what an entry says a quarter of the interval later, and may be
 * forgotten, so that a million waiters need a quarter of the entries at a time. When four others are in the set, whoever
 * owes least is forgotten: errors are in favour of those who ask.
 *
 * Refused by mistake is only who has the set and the 32-bit fingerprint of another buyer who asks at the same time: among a
 * million buyers a given one has such a twin with a probability of 10^6 × 2^-50 < 10^-9; and two who both ask as told
 * are not refused even then. Nobody can look for twins: the hash has keys that only this process has.
 */
import { LIMITS } from '../../limits.ts';

/** Entries that one buyer can be in. */
const WAYS = 4;

export interface PollPaceOptions {
  /** A power of two. */
  readonly entries?: number;
  /** Secret, each 32 bits. */
  readonly keys: readonly [number, number];
}

export class PollPace {
  readonly #fingerprints: Uint32Array;
  /** When what a buyer has asked for so far is used up, Unix milliseconds. */
  readonly #evenAtMs: Float64Array;
  /** What it was told when it asked last; what it owes is counted in questions, however long the interval is now. */
  readonly #toldMs: Uint16Array;
  readonly #setMask: number;
  readonly #keys: readonly [number, number];

  constructor({ entries = LIMITS.pollPaceEntries, keys }: PollPaceOptions) {
    if (entries < WAYS || (entries & (entries - 1)) !== 0) throw new Error('entries must be a power of two');
    this.#fingerprints = new Uint32Array(entries);
    this.#evenAtMs = new Float64Array(entries);
    this.#toldMs = new Uint16Array(entries);
    this.#setMask = entries / WAYS - 1;
    this.#keys = keys;
  }

  /**
   * Notes a question, unless it is to be refused. `pollAfterMs` is the interval that its answer would tell, 1 … 65,535.
   *
   * `pollPaceFactor` questions in an interval are answered for as long as they like, so that a clock may be off, and several
   * tabs may ask; and `pollPaceBurst` at once, so that a page may be loaded again and again.
   */
  allows(saleId: number, accountId: number, pollAfterMs: number, nowMs: number): boolean {
    const entry = this.#entryOf(saleId, accountId);
    const leftMs = Math.max(0, (this.#evenAtMs[entry] ?? 0) - nowMs);
    const owed = leftMs === 0 ? 0 : (leftMs / (this.#toldMs[entry] ?? 0)) * LIMITS.pollPaceFactor;
    const allowed = owed + 1 <= LIMITS.pollPaceBurst;
    const owes = allowed ? owed + 1 : owed;
    // From now on at the pace of now: nobody at the front waits for what was owed far behind.
    this.#evenAtMs[entry] = nowMs + (owes * pollAfterMs) / LIMITS.pollPaceFactor;
    this.#toldMs[entry] = pollAfterMs;
    return allowed;
  }

  /** Where the buyer is, or is from now on. */
  #entryOf(saleId: number, accountId: number): number {
    const first = (mixed(this.#keys[0], saleId, accountId) & this.#setMask) * WAYS;
    // Zero is an entry that was never used.
    const fingerprint = mixed(this.#keys[1], saleId, accountId) >>> 0 || 1;
    let least = first;
    for (let entry = first; entry < first + WAYS; entry += 1) {
      if (this.#fingerprints[entry] === fingerprint) return entry;
      if ((this.#evenAtMs[entry] ?? 0) < (this.#evenAtMs[least] ?? 0)) least = entry;
    }
    this.#fingerprints[least] = fingerprint;
    this.#evenAtMs[least] = 0;
    return least;
  }
}

/** MurmurHash3 (x86, 32 bits) of the sale and both halves of the account's id. */
function mixed(key: number, saleId: number, accountId: number): number {
  let hash = key;
  hash = mixIn(hash, saleId);
  hash = mixIn(hash, accountId | 0);
  hash = mixIn(hash, (accountId / 0x1_0000_0000) | 0);
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
