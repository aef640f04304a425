/** So many a minute for each account, or for each address: a GCRA with one rate, without memory for each of them. */
import { GcraTable, type HashKeys } from './gcra-table.ts';

export interface RateLimitOptions {
  /** For as long as they like. At least 1. */
  readonly perMinute: number;
  /** At once, after a rest. At least 1. */
  readonly burst: number;
  /** Of the table, a power of two. */
  readonly entries: number;
  readonly keys: HashKeys;
  /** How many bursts can be owed at most, by what `add` notes. */
  readonly burstsOwedMax?: number;
}

/** What adding up fractions of milliseconds loses, and no clock shows. */
const ROUNDING_MS = 0.01;

export class RateLimit {
  readonly #table: GcraTable;
  readonly #intervalMs: number;
  readonly #burstMs: number;
  readonly #owedMaxMs: number;

  constructor({ perMinute, burst, entries, keys, burstsOwedMax = 1 }: RateLimitOptions) {
    this.#table = new GcraTable(entries, keys);
    this.#intervalMs = 60_000 / perMinute;
    this.#burstMs = burst * this.#intervalMs;
    this.#owedMaxMs = burstsOwedMax * this.#burstMs;
  }

  /**
   * Takes one for the key, if that is allowed; a refusal costs the key nothing. Three words of 32 bits are a key.
   * @returns 0, or after how many whole milliseconds one will be allowed
   */
  take(first: number, second: number, third: number, nowMs: number): number {
    const entry = this.#table.entryOf(first, second, third);
    const owedMs = this.#table.leftMs(entry, nowMs) + this.#intervalMs;
    const waitMs = owedMs - this.#burstMs;
    if (waitMs > ROUNDING_MS) return Math.ceil(waitMs);
    this.#table.owe(entry, nowMs + owedMs);
    return 0;
  }

  /** How many bursts would be owed after one more: above 1 it would not be allowed. */
  burstsOwed(first: number, second: number, third: number, nowMs: number): number {
    const entry = this.#table.entryOf(first, second, third);
    const owedMs = this.#table.leftMs(entry, nowMs) + this.#intervalMs;
    return (owedMs - ROUNDING_MS) / this.#burstMs;
  }

  /** Notes one, whether or not it would be allowed: somebody has decided to let it pass. */
  add(first: number, second: number, third: number, nowMs: number): void {
    const entry = this.#table.entryOf(first, second, third);
    const owedMs = this.#table.leftMs(entry, nowMs) + this.#intervalMs;
    this.#table.owe(entry, nowMs + Math.min(owedMs, this.#owedMaxMs));
  }
}
