/**
 * Things that come and go by the ten thousand a second, in the order in which they came.
 *
 * Not a `Map` or `Set`: V8 makes a new table for them every so many deletions, and the old one knows the new one. Once one of
 * them has been promoted to the old generation, where garbage is found seldom, all after it stay for as long, with everything that
 * was in them; a collector that copies four kilobytes for each request costs more than the requests. The array here is written
 * over, and nothing that was in it is reached from it.
 */
export class AgeList<Item extends object> {
  /** A ring; its length is a power of two. */
  #slots: Array<Item | undefined> = new Array(FIRST_SLOTS).fill(undefined);
  /** Places, which only grow; a slot is the place by the ring's length. */
  #first = 0;
  #next = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get oldest(): Item | undefined {
    return this.#slots[this.#first & (this.#slots.length - 1)];
  }

  /** Gives the place by which it is found again. */
  add(item: Item): number {
    if (this.#next - this.#first === this.#slots.length) this.#resize(2 * this.#slots.length);
    const place = this.#next;
    this.#slots[place & (this.#slots.length - 1)] = item;
    this.#next += 1;
    this.#size += 1;
    return place;
  }

  /** Undefined when it is gone, or `place` is none. */
  get(place: number): Item | undefined {
    const isKnown = place >= this.#first && place < this.#next;
    return isKnown ? this.#slots[place & (this.#slots.length - 1)] : undefined;
  }

  /** False when it is gone already. */
  remove(place: number): boolean {
    if (this.get(place) === undefined) return false;
    const mask = this.#slots.length - 1;
    this.#slots[place & mask] = undefined;
    this.#size -= 1;
    while (this.#first < this.#next && this.#slots[this.#first & mask] === undefined) this.#first += 1;
    // A rush is over.
    const { length } = this.#slots;
    if (length > SLOTS_KEPT && this.#next - this.#first < length / 8) this.#resize(length / 4);
    return true;
  }

  removeOldest(): void {
    this.remove(this.#first);
  }

  #resize(length: number): void {
    const slots: Array<Item | undefined> = new Array(length).fill(undefined);
    for (let place = this.#first; place < this.#next; place += 1) slots[place & (length - 1)] = this.get(place);
    this.#slots = slots;
  }
}

const FIRST_SLOTS = 64;
/** 32 KiB. */
const SLOTS_KEPT = 4_096;
