/** Orders that became durable, by sale, since somebody last looked. */
export class AcknowledgedOrders {
  #bySale = new Map<number, number>();

  count(saleId: number): void {
    this.#bySale.set(saleId, (this.#bySale.get(saleId) ?? 0) + 1);
  }

  /** Gives what came since the last time, and begins anew: for one reader only. */
  take(): ReadonlyMap<number, number> {
    const taken = this.#bySale;
    this.#bySale = new Map();
    return taken;
  }
}
