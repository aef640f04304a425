/** What happened in the last minutes, a value a second, in memory that does not grow. */
import type { OperationsLive } from '@fest/server/contract/operations';
import { type Scale, scaleOf, type Values } from '../../tui/chart.ts';
import { WATCH_LIMITS } from './limits.ts';

/** Values by second, of the last {@link WATCH_LIMITS.historySeconds}; seconds without a value are told apart from zero. */
export class Series {
  readonly #values = new Float64Array(WATCH_LIMITS.historySeconds).fill(Number.NaN);
  #lastSecond: number | undefined;

  /**
   * Not a number is a gap: there was a document, and it had no such value. A second value in the same second replaces the first; one of before the last is not taken. One second that is skipped is
   * no gap: what comes once a second, a little late each time, skips one now and then.
   */
  record(atMs: number, value: number): void {
    const second = Math.floor(atMs / 1_000);
    const last = this.#lastSecond ?? second - 1;
    if (second < last) return;
    const skipped = Math.min(second - last - 1, this.#values.length);
    const between = skipped === 1 ? this.#at(last) : Number.NaN;
    for (let back = 1; back <= skipped; back += 1) this.#values[this.#slot(second - back)] = between;
    this.#values[this.#slot(second)] = value;
    this.#lastSecond = second;
  }

  /**
   * So many values of the window that ends at a time, oldest first. Where several seconds share one it is their largest:
   * a peak is what must not be missed. The second that has just begun may not have its value yet; then the window ends before it.
   */
  sample(untilMs: number, windowSeconds: number, cells: number): Values {
    const until = Math.floor(untilMs / 1_000);
    const end = this.#lastSecond === until - 1 ? until - 1 : until;
    return Array.from({ length: cells }, (_, cell) => {
      const from = end - windowSeconds + 1 + Math.floor((cell * windowSeconds) / cells);
      const to = end - windowSeconds + Math.max(1, Math.floor(((cell + 1) * windowSeconds) / cells));
      return this.#largest(from, Math.max(from, to));
    });
  }

  /** Smallest and largest value of a window, and the one that came last in it: not a number when that had none. */
  scale(untilMs: number, windowSeconds: number): Scale {
    const until = Math.floor(untilMs / 1_000);
    const second = Math.min(until, this.#lastSecond ?? Number.NEGATIVE_INFINITY);
    const now = second > until - windowSeconds ? this.#at(second) : Number.NaN;
    return { ...scaleOf(this.sample(untilMs, windowSeconds, windowSeconds)), now };
  }

  #largest(from: number, to: number): number {
    let largest = Number.NaN;
    for (let second = from; second <= to; second += 1) {
      const value = this.#at(second);
      if (!Number.isNaN(value) && !(value <= largest)) largest = value;
    }
    return largest;
  }

  #at(second: number): number {
    const last = this.#lastSecond;
    if (last === undefined || second > last || second <= last - this.#values.length) return Number.NaN;
    return this.#values[this.#slot(second)] ?? Number.NaN;
  }

  #slot(second: number): number {
    return second % this.#values.length;
  }
}

/** What is drawn of the whole fleet. */
export interface FleetHistory {
  readonly orders: Series;
  readonly requests: Series;
  readonly p99Ms: Series;
  readonly refusals: Series;
}

/** What is drawn of one sale. */
export interface SaleHistory {
  readonly orders: Series;
  readonly waiting: Series;
}

/** Takes documents in; not more than so many sales are remembered. */
export class History {
  readonly fleet: FleetHistory = {
    orders: new Series(),
    requests: new Series(),
    p99Ms: new Series(),
    refusals: new Series(),
  };
  readonly #sales = new Map<number, SaleHistory>();

  /** @param atMs when it came, by the clock of this machine: those of servers may differ from each other */
  record(document: OperationsLive, atMs: number): void {
    const { fleet, sales } = document;
    this.fleet.orders.record(atMs, fleet.ordersPerSecond);
    this.fleet.requests.record(atMs, fleet.requestsPerSecond);
    this.fleet.p99Ms.record(atMs, fleet.p99Ms ?? Number.NaN);
    this.fleet.refusals.record(atMs, refusalsOf(document));
    for (const { saleId, ordersPerSecond, waiting } of sales.slice(0, WATCH_LIMITS.salesMax)) {
      const series = this.#sales.get(saleId) ?? { orders: new Series(), waiting: new Series() };
      this.#sales.set(saleId, series);
      series.orders.record(atMs, ordersPerSecond);
      series.waiting.record(atMs, waiting);
    }
    this.#forget(new Set(sales.map(({ saleId }) => saleId)));
  }

  findSale(saleId: number): SaleHistory | undefined {
    return this.#sales.get(saleId);
  }

  get salesRemembered(): number {
    return this.#sales.size;
  }

  /** Sales that are gone make room; the rest is bounded already. */
  #forget(present: ReadonlySet<number>): void {
    for (const saleId of this.#sales.keys()) {
      if (this.#sales.size <= WATCH_LIMITS.salesMax) return;
      if (!present.has(saleId)) this.#sales.delete(saleId);
    }
  }
}

export function refusalsOf({ fleet }: OperationsLive): number {
  return Object.values(fleet.refusedPerSecondByCode).reduce((sum, rate) => sum + rate, 0);
}
