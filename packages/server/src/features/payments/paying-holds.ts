/**
 * Holds that are being paid, looked through again and again. Most of them are other servers' business, and what was found
 * out about one does not change while it is being paid: it is asked for once.
 */
import type { Redis } from 'ioredis';
import { findPayingHoldPayments, listPayingHolds, type PayingHoldStart } from './store.ts';

export interface PayingHold extends PayingHoldStart {
  readonly paymentId: string;
  /** The log of the server that works on it; empty when Redis does not know. */
  readonly logId: string;
  /** Its intent, or what became of it, is in MySQL: somebody works on it, or it has ended. */
  isDurable: boolean;
}

export class PayingHolds {
  readonly #redis: Redis;
  readonly #pageItems: number;
  /** Sale → hold → what is known of it. Only holds that were there at the last look. */
  readonly #known = new Map<number, ReadonlyMap<string, PayingHold>>();

  constructor(redis: Redis, pageItems: number) {
    this.#redis = redis;
    this.#pageItems = pageItems;
  }

  /** How many holds it remembers. */
  get size(): number {
    return [...this.#known.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Forgets the sales that are not among these. */
  keepOnly(saleIds: ReadonlySet<number>): void {
    for (const saleId of this.#known.keys()) if (!saleIds.has(saleId)) this.#known.delete(saleId);
  }

  /** All holds of a sale whose payment began before a time, oldest first, a page at a time. */
  async *pages(saleId: number, beganBeforeMs: number): AsyncGenerator<readonly PayingHold[]> {
    const known = this.#known.get(saleId);
    const seen = new Map<string, PayingHold>();
    let last: PayingHoldStart | undefined;
    /** How many holds of the last one's millisecond were seen: those come first in the next page. */
    let seenOfLast = 0;
    for (;;) {
      const starts = await listPayingHolds(
        this.#redis,
        saleId,
        { fromMs: last?.startedAtMs ?? 0, toMs: beganBeforeMs },
        { offset: seenOfLast, atMost: this.#pageItems },
      );
      const page = await this.#complete(saleId, starts, known);
      for (const hold of page) seen.set(hold.holdId, hold);
      if (page.length > 0) yield page;
      const end = starts.at(-1);
      if (end === undefined || starts.length < this.#pageItems) break;
      const ofEnd = starts.filter(({ startedAtMs }) => startedAtMs === end.startedAtMs).length;
      seenOfLast = end.startedAtMs === last?.startedAtMs ? seenOfLast + ofEnd : ofEnd;
      last = end;
    }
    this.#known.set(saleId, seen);
  }

  async #complete(
    saleId: number,
    starts: readonly PayingHoldStart[],
    known: ReadonlyMap<string, PayingHold> | undefined,
  ): Promise<readonly PayingHold[]> {
    // A hold may be paid again after a decline, by another payment that began later.
    const knownOf = ({ holdId, startedAtMs }: PayingHoldStart): PayingHold | undefined => {
      const hold = known?.get(holdId);
      return hold?.startedAtMs === startedAtMs ? hold : undefined;
    };
    const unknown = starts.filter((start) => knownOf(start) === undefined);
    const found = await findPayingHoldPayments(this.#redis, saleId, unknown);
    return starts.flatMap((start) => {
      const hold = knownOf(start);
      if (hold !== undefined) return [hold];
      const payment = found.get(start.holdId);
      return payment === undefined ? [] : [{ ...start, ...payment, isDurable: false }];
    });
  }
}
