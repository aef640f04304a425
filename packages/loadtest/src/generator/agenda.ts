/** Who is to do something next, and when: a binary heap in two flat arrays, so that a million appointments are cheap. */

export class Agenda {
  #dueMs: Float64Array;
  #who: Uint32Array;
  #size = 0;

  constructor(capacity = 1_024) {
    this.#dueMs = new Float64Array(capacity);
    this.#who = new Uint32Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** When the next one is due; `Infinity` when nobody is. */
  get nextMs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#dueMs[0] ?? 0);
  }

  add(dueMs: number, who: number): void {
    if (this.#size === this.#dueMs.length) this.#grow();
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if ((this.#dueMs[parent] ?? 0) <= dueMs) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#dueMs[at] = dueMs;
    this.#who[at] = who;
  }

  /** Takes the next one if it is due by then. Of those who are due at the same moment any may come first. */
  take(nowMs: number): { readonly dueMs: number; readonly who: number } | undefined {
    const dueMs = this.#dueMs[0] ?? 0;
    if (this.#size === 0 || dueMs > nowMs) return undefined;
    const who = this.#who[0] ?? 0;
    this.#size -= 1;
    this.#sink(this.#dueMs[this.#size] ?? 0, this.#who[this.#size] ?? 0);
    return { dueMs, who };
  }

  /** From the top down, to where nobody below is due sooner. */
  #sink(dueMs: number, who: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && (this.#dueMs[child + 1] ?? 0) < (this.#dueMs[child] ?? 0)) child += 1;
      if ((this.#dueMs[child] ?? 0) >= dueMs) break;
      this.#move(child, at);
      at = child;
    }
    this.#dueMs[at] = dueMs;
    this.#who[at] = who;
  }

  #move(from: number, to: number): void {
    this.#dueMs[to] = this.#dueMs[from] ?? 0;
    this.#who[to] = this.#who[from] ?? 0;
  }

  #grow(): void {
    const [dueMs, who] = [new Float64Array(2 * this.#size), new Uint32Array(2 * this.#size)];
    dueMs.set(this.#dueMs);
    who.set(this.#who);
    [this.#dueMs, this.#who] = [dueMs, who];
  }
}
