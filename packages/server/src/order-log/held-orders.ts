/**
 * How many tickets each order of a sale holds, by the order's fingerprint. A hash table with linear probing in typed
 * arrays: 20 to 40 bytes an order, and built from millions of tickets in a fraction of a second, neither of which a `Map`
 * of doubles manages.
 */

const SMALLEST_SLOTS = 64;
/** A table is at most this full. */
const LOAD_MAX = 0.6;

export class HeldOrders {
  /** 0 = free slot; a fingerprint is never 0. */
  #orders = new Float64Array(SMALLEST_SLOTS);
  #tickets = new Uint32Array(SMALLEST_SLOTS);
  #size = 0;

  has(order: number): boolean {
    return this.#orders[this.#slotOf(order)] === order;
  }

  /** The order holds so many tickets more. */
  add(order: number, tickets: number): void {
    let slot = this.#slotOf(order);
    if (this.#orders[slot] !== order) {
      if (this.#size + 1 > this.#orders.length * LOAD_MAX) {
        this.#resize(this.#orders.length * 2);
        slot = this.#slotOf(order);
      }
      this.#orders[slot] = order;
      this.#size += 1;
    }
    this.#tickets[slot] = (this.#tickets[slot] ?? 0) + tickets;
  }

  /** The order holds so many tickets less; with none it is forgotten. */
  remove(order: number, tickets: number): void {
    const slot = this.#slotOf(order);
    if (this.#orders[slot] !== order) return;
    const left = (this.#tickets[slot] ?? 0) - tickets;
    if (left > 0) this.#tickets[slot] = left;
    else this.#free(slot);
  }

  /** Where the order is, or where it would be put. */
  #slotOf(order: number): number {
    const mask = this.#orders.length - 1;
    let slot = this.#home(order);
    for (let found = this.#orders[slot]; found !== 0 && found !== order; found = this.#orders[slot]) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** Fingerprints are hashes, but of ids that are alike: mixed once more, they do not end up side by side. */
  #home(order: number): number {
    const mixed = Math.imul((order >>> 0) ^ Math.imul(order / 0x1_0000_0000, 0x85eb_ca6b), 0x9e37_79b1);
    return (mixed ^ (mixed >>> 15)) & (this.#orders.length - 1);
  }

  /** Moves up whoever was put further on because this slot was taken, so that no search ends too early. */
  #free(slot: number): void {
    const mask = this.#orders.length - 1;
    let hole = slot;
    for (let next = (hole + 1) & mask; this.#orders[next] !== 0; next = (next + 1) & mask) {
      const order = this.#orders[next] ?? 0;
      const wayToNext = (next - this.#home(order)) & mask;
      const wayFromHole = (next - hole) & mask;
      if (wayToNext < wayFromHole) continue;
      this.#orders[hole] = order;
      this.#tickets[hole] = this.#tickets[next] ?? 0;
      hole = next;
    }
    this.#orders[hole] = 0;
    this.#tickets[hole] = 0;
    this.#size -= 1;
  }

  /** Makes room for so many orders at once. */
  reserve(orders: number): void {
    let slots = this.#orders.length;
    while (orders > slots * LOAD_MAX) slots *= 2;
    if (slots > this.#orders.length) this.#resize(slots);
  }

  #resize(slots: number): void {
    const orders = this.#orders;
    const tickets = this.#tickets;
    this.#orders = new Float64Array(slots);
    this.#tickets = new Uint32Array(slots);
    for (let slot = 0; slot < orders.length; slot += 1) {
      const order = orders[slot] ?? 0;
      if (order === 0) continue;
      const place = this.#slotOf(order);
      this.#orders[place] = order;
      this.#tickets[place] = tickets[slot] ?? 0;
    }
  }
}
