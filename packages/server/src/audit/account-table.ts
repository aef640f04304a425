/** Sums by account, in typed arrays with open addressing: some 45 bytes an account, for sales with a million buyers. */
export class AccountTable {
  #keys: Float64Array;
  #sure: Int32Array;
  #possible: Int32Array;
  #newestAtMs: Float64Array;
  #marks: Uint8Array;
  #slots: number;
  length = 0;

  constructor(accountsExpected = 1_024) {
    this.#slots = 16;
    while (this.#slots < accountsExpected * 2) this.#slots *= 2;
    this.#keys = new Float64Array(this.#slots).fill(EMPTY);
    this.#sure = new Int32Array(this.#slots);
    this.#possible = new Int32Array(this.#slots);
    this.#newestAtMs = new Float64Array(this.#slots);
    this.#marks = new Uint8Array(this.#slots);
  }

  /** Tickets an account has for certain, those it may have besides, and when it paid for them (Unix milliseconds). */
  add(accountId: number, sure: number, possible: number, paidAtMs: number): void {
    if (this.length * 2 >= this.#slots) this.#grow();
    const slot = this.#slotOf(accountId);
    if (this.#keys[slot] === EMPTY) {
      this.#keys[slot] = accountId;
      this.length += 1;
    }
    this.#sure[slot] = (this.#sure[slot] ?? 0) + sure;
    this.#possible[slot] = (this.#possible[slot] ?? 0) + possible;
    this.#newestAtMs[slot] = Math.max(this.#newestAtMs[slot] ?? 0, paidAtMs);
  }

  sure(accountId: number): number {
    return this.#sure[this.#slotOf(accountId)] ?? 0;
  }

  /** Those for certain included. */
  possible(accountId: number): number {
    return this.sure(accountId) + (this.#possible[this.#slotOf(accountId)] ?? 0);
  }

  newestAtMs(accountId: number): number {
    return this.#newestAtMs[this.#slotOf(accountId)] ?? 0;
  }

  /** Remembers that an account of the table was met; no more accounts may be added then. */
  mark(accountId: number): void {
    const slot = this.#slotOf(accountId);
    if (this.#keys[slot] !== EMPTY) this.#marks[slot] = 1;
  }

  isMarked(accountId: number): boolean {
    return this.#marks[this.#slotOf(accountId)] === 1;
  }

  *accounts(): Generator<number, void, void> {
    for (const key of this.#keys) if (key !== EMPTY) yield key;
  }

  #slotOf(accountId: number): number {
    let slot = Math.imul((accountId % 0x1_0000_0000) ^ Math.floor(accountId / 0x1_0000_0000), 0x9e3779b1) >>> 0;
    slot &= this.#slots - 1;
    while (this.#keys[slot] !== EMPTY && this.#keys[slot] !== accountId) slot = (slot + 1) & (this.#slots - 1);
    return slot;
  }

  #grow(): void {
    const larger = new AccountTable(this.#slots);
    for (const account of this.accounts()) {
      const slot = this.#slotOf(account);
      larger.add(account, this.#sure[slot] ?? 0, this.#possible[slot] ?? 0, this.#newestAtMs[slot] ?? 0);
    }
    this.#keys = larger.#keys;
    this.#sure = larger.#sure;
    this.#possible = larger.#possible;
    this.#newestAtMs = larger.#newestAtMs;
    this.#marks = larger.#marks;
    this.#slots = larger.#slots;
  }
}

const EMPTY = -1;
