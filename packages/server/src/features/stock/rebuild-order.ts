/** Which of many sales are built anew first. Decisions on plain data. */
import type { StoredPhase } from '../../contract/words.ts';

/** What is known of a sale that is to be built anew; times in Unix milliseconds. */
export interface WaitingSale {
  /** As stored; undefined when the sale was deleted. */
  readonly phase: StoredPhase | undefined;
  readonly opensAtMs: number;
  readonly closesAtMs: number;
}

/** A sale that opens within this time has people waiting for it already. */
const OPENS_SOON_MS = 10 * 60_000;

/** Smaller is sooner: where people are buying, where they wait, where they will come, where nobody comes any more. */
export function urgencyOf({ phase, opensAtMs, closesAtMs }: WaitingSale, nowMs: number): number {
  if (phase === undefined) return 4;
  if (phase === 'closed' || nowMs >= closesAtMs) return 3;
  if (phase === 'open' || (phase === 'scheduled' && nowMs >= opensAtMs)) return 0;
  return phase === 'paused' || opensAtMs - nowMs <= OPENS_SOON_MS ? 1 : 2;
}

/**
 * The most urgent sales first, those that could not be built a moment ago last, and among equals in an order of this
 * server's own: servers that work through the same sales then meet rarely.
 * @param random from 0 to 1
 */
export function inOrderOfUrgency<Sale extends WaitingSale & { readonly saleId: number }>(
  sales: readonly Sale[],
  failed: ReadonlySet<number>,
  nowMs: number,
  random: () => number,
): readonly Sale[] {
  return sales
    .map((sale) => ({ sale, late: failed.has(sale.saleId), urgency: urgencyOf(sale, nowMs), chance: random() }))
    .sort((a, b) => Number(a.late) - Number(b.late) || a.urgency - b.urgency || a.chance - b.chance)
    .map(({ sale }) => sale);
}
