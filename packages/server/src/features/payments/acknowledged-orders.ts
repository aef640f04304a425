/** Orders that became durable, by sale: since somebody last looked, and since the start. */
export class AcknowledgedOrders {
  #bySale = new Map<number, number>();
  readonly #total = new Map<number, number>();

  /** Since the start; bounded by the number of sales this process sold of. */
  get total(): ReadonlyMap<number, number> {
    return this.#total;
  }

  count(saleId: number): void {
    this.#bySale.set(saleId, (this.#bySale.get(saleId) ?? 0) + 1);
    this.#total.set(saleId, (this.#total.get(saleId) ?? 0) + 1);
  }

  /** Gives what came since the last time, and begins anew: for one reader only. */
  take(): ReadonlyMap<number, number> {
    const taken = this.#bySale;
    this.#bySale = new Map();
    return taken;
  }
}
