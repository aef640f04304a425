/**
 * Who asks much more often than told is refused: for each buyer of a sale a GCRA in a table of fixed size (`gcra-table.ts`),
 * without a Redis command and without memory for each waiter. Who asks as told has used up what an entry says a quarter of the
 * interval later, and may be forgotten, so that a million waiters need a quarter of the entries at a time. Two buyers who are
 * taken for each other are not refused as long as both ask as told.
 */
import { LIMITS } from '../../limits.ts';
import { GcraTable, type HashKeys, highWord } from '../../platform/gcra-table.ts';

export interface PollPaceOptions {
  /** A power of two. */
  readonly entries?: number;
  readonly keys: HashKeys;
}

export class PollPace {
  readonly #table: GcraTable;
  /** What a buyer was told on asking last; what is owed is counted in questions, however long the interval is now. */
  readonly #toldMs: Uint16Array;

  constructor({ entries = LIMITS.pollPaceEntries, keys }: PollPaceOptions) {
    this.#table = new GcraTable(entries, keys);
    this.#toldMs = new Uint16Array(entries);
  }

  /**
   * Notes a question, unless it is to be refused. `pollAfterMs` is the interval that its answer would tell, 1 … 65,535.
   *
   * `pollPaceFactor` questions in an interval are answered for as long as they like, so that a clock may be off, and several
   * tabs may ask; and `pollPaceBurst` at once, so that a page may be loaded again and again.
   */
  allows(saleId: number, accountId: number, pollAfterMs: number, nowMs: number): boolean {
    const entry = this.#table.entryOf(saleId, accountId, highWord(accountId));
    const leftMs = this.#table.leftMs(entry, nowMs);
    const owed = leftMs === 0 ? 0 : (leftMs / (this.#toldMs[entry] ?? 0)) * LIMITS.pollPaceFactor;
    const allowed = owed + 1 <= LIMITS.pollPaceBurst;
    const owes = allowed ? owed + 1 : owed;
    // From now on at the pace of now: nobody at the front waits for what was owed far behind.
    this.#table.owe(entry, nowMs + (owes * pollAfterMs) / LIMITS.pollPaceFactor);
    this.#toldMs[entry] = pollAfterMs;
    return allowed;
  }
}
