/** Which sales are worth writing down now. Pure. */
import { LIMITS } from '../../../limits.ts';
import type { LiveSale } from '../../stock/live-sales.ts';
import { mostUrgent } from '../live/sale-facts.ts';

export type KnownSale = Pick<LiveSale, 'saleId' | 'phase' | 'snapshot'>;

/**
 * From when numbers may be drawn until some minutes after it has closed.
 * @param closedAtMs when this process saw it close; undefined: it was closed before
 */
export function isRecorded({ phase, snapshot }: KnownSale, nowMs: number, closedAtMs: number | undefined): boolean {
  if (phase === 'scheduled') {
    return snapshot.drawn > snapshot.servingNumber || snapshot.opensAtMs - nowMs <= LIMITS.earlyJoinMs;
  }
  if (phase !== 'closed') return true;
  const closed = closedAtMs ?? snapshot.closesAtMs;
  return closed <= nowMs && nowMs - closed < LIMITS.reportAfterCloseMs;
}

/** Of a sale that was closed early before this process saw it: nobody knows when. */
const LONG_AGO_MS = Number.NEGATIVE_INFINITY;

/** Follows when sales close, and says which to record. */
export class RecordedSales {
  readonly #seenOpen = new Set<number>();
  readonly #closedAtMs = new Map<number, number>();

  of(sales: readonly LiveSale[], nowMs: number): ReadonlySet<number> {
    const known = new Set(sales.map(({ saleId }) => saleId));
    for (const saleId of this.#closedAtMs.keys()) if (!known.has(saleId)) this.#closedAtMs.delete(saleId);
    for (const { saleId, phase, snapshot } of sales) {
      if (phase !== 'closed') {
        this.#seenOpen.add(saleId);
        this.#closedAtMs.delete(saleId);
      } else if (this.#seenOpen.delete(saleId)) this.#closedAtMs.set(saleId, nowMs);
      else if (!this.#closedAtMs.has(saleId) && snapshot.closesAtMs > nowMs) this.#closedAtMs.set(saleId, LONG_AGO_MS);
    }
    const wanted = sales.filter((sale) => isRecorded(sale, nowMs, this.#closedAtMs.get(sale.saleId)));
    return new Set(
      mostUrgent(wanted)
        .shown.slice(0, LIMITS.reportSales)
        .map(({ saleId }) => saleId),
    );
  }
}
