/** What other features may ask about a sale's live state. Implemented by `live-sales.ts`. */
import type { Phase } from '../../contract/words.ts';
import type { SaleRecord } from '../catalogue/sale-record.ts';

export interface LiveSaleState {
  readonly phase: Phase;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
}

export type Configured =
  | { readonly status: 'configured' }
  /** A ticket number above the new capacity was already given out, and `lowestCapacity` is the highest; nothing was changed. */
  | { readonly status: 'capacityInUse'; readonly lowestCapacity: number };

export interface SaleStates {
  /**
   * The newest state this process has, from memory; starts following the sale when it does not yet (then it asks Redis
   * once). Undefined when Redis has no state for it or cannot be reached.
   */
  find(sale: SaleRecord): Promise<LiveSaleState | undefined>;
  /** Creates the Redis state of a new sale. Does nothing when there is one. */
  create(sale: SaleRecord): Promise<void>;
  /**
   * Takes over changed settings, unless Redis has this version or a newer one already.
   * @throws {ProblemError} 503 `sale_recovering` while Redis has no state of the sale
   */
  configure(sale: SaleRecord): Promise<Configured>;
}
