/** Numbers of tickets that were sold, a bit each: a million of them are 122 KiB. */
export class TicketNumbers {
  readonly #capacity: number;
  readonly #bits: Uint8Array;

  /** @param capacity of the sale: its tickets are numbered from 1 on */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#bits = new Uint8Array(Math.ceil((capacity + 1) / 8));
  }

  /** Whether it was not there before. A number that no ticket of the sale has is always one that should not be: false. */
  isFirst(number: number): boolean {
    if (!Number.isInteger(number) || number < 1 || number > this.#capacity) return false;
    const [index, bit] = [number >> 3, 1 << (number & 7)];
    const before = this.#bits[index] ?? 0;
    this.#bits[index] = before | bit;
    return (before & bit) === 0;
  }
}
