/** All the time an audit may spend on waiting, shared by everything it waits for. Reading does not count. */
export class Patience {
  #leftMs: number;

  constructor(leftMs: number) {
    this.#leftMs = leftMs;
  }

  get leftMs(): number {
    return this.#leftMs;
  }

  /**
   * Waits for something, at most for `atMostMs` and for what is left.
   * @param work gets the milliseconds it may wait; what it takes is taken off
   */
  async spend<Result>(atMostMs: number, work: (waitMs: number) => Promise<Result>): Promise<Result> {
    const fromMs = performance.now();
    try {
      return await work(Math.min(atMostMs, this.#leftMs));
    } finally {
      this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - fromMs));
    }
  }
}
