/** How much the funnel needs. Pure. */
import { edgesOf } from './edges.ts';

/** Sales that are measured: one alone would say nothing of how much the next one differs. */
export const FUNNEL_WINDOWS = 5;
/** And one before: code is compiled, connections are opened. */
export const WARM_UP_SALES = 1;

export interface FunnelSize {
  /** In each window. */
  readonly purchases: number;
  readonly funnelBuyers: number;
}

/** Accounts: each buys once in each sale, those at the edges of the window too. */
export function funnelBuyersNeeded({ purchases, funnelBuyers }: FunnelSize): number {
  const { leadIn, leadOut } = edgesOf(funnelBuyers);
  return leadIn + purchases + leadOut;
}

/** Purchases in all. */
export const funnelPurchases = (size: FunnelSize): number =>
  (WARM_UP_SALES + FUNNEL_WINDOWS) * funnelBuyersNeeded(size);
