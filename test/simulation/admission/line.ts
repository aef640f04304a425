/** The line of a simulated sale: numbers, of which those of people who left are nobody's. */
import { LIMITS } from '@fest/server/limits';
import type { Rules } from './rules.ts';

export interface LineOptions {
  readonly waiting: number;
  /** Share of the numbers whose buyers leave before their turn. */
  readonly leavers: number;
  /** Of a block that leaves as a whole (a page that everybody loads again, bots): its first number and its length. */
  readonly blockFrom: number;
  readonly blockLength: number;
}

export class Line {
  readonly #options: LineOptions;
  #drawn: number;
  #serving = 0;
  /** Of those who wait. */
  #people: number;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#drawn = 0;
    this.#people = 0;
    this.join(options.waiting);
  }

  /** Numbers drawn and not served, also those of people who left: nobody counts these. */
  get waiting(): number {
    return this.#drawn - this.#serving;
  }

  get people(): number {
    return this.#people;
  }

  join(people: number): void {
    for (let joined = 0; joined < people; joined += 1) {
      this.#drawn += 1;
      if (!this.#hasLeft(this.#drawn)) this.#people += 1;
    }
  }

  /** How many people were admitted. */
  advance(admit: number, by: Rules['advanceBy']): number {
    const last = this.#serving + admit + (by === 'people' ? LIMITS.ghostsPerTick : 0);
    let admitted = 0;
    while (admitted < admit && this.#serving < Math.min(last, this.#drawn)) {
      this.#serving += 1;
      if (!this.#hasLeft(this.#serving)) admitted += 1;
    }
    this.#people -= admitted;
    return admitted;
  }

  #hasLeft(number: number): boolean {
    const { leavers, blockFrom, blockLength } = this.#options;
    if (number >= blockFrom && number < blockFrom + blockLength) return true;
    // Spread by the golden ratio.
    return leavers > 0 && (number * 0.618_033_988_749_895) % 1 < leavers;
  }
}
